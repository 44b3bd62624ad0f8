"""Where the time of an operating point goes, and what launches with like parts teach each other.

That a prediction is off by a factor e^r is often due to one part of the time: weights of one number
format are read at another share of the memory's bandwidth than assumed, a reduction takes longer.
With an error of e^theta_k in the time of each part k, which has the share s_k of the whole,

    r = ln sum_k s_k e^theta_k, to first order sum_k s_k theta_k.

With independent normal thetas r is a Gaussian process, whose covariance at two points is the scalar
product of their shares (Bayesian linear regression as a process: C. E. Rasmussen, C. Williams,
"Gaussian Processes for Machine Learning", MIT Press 2006, section 2.1). One launch so says how fast
experts of a format are read at every width, and how sure one can be of it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

FORMAT_SHARE = 0.3
"""Variance of a part's error that is of its number format alone, over that which all its formats
share; fitted on 23 landscapes (docs/search_tried.md)."""


@dataclass(frozen=True)
class TimeParts:
    """Time of an operating point by the roofline: part -> ms.

    A part is named by what is done (`dense_read`, `all_reduce`), behind a colon the number format
    where its speed depends on one (`experts_read:nvfp4`).

    Attributes:
        ttft_ms, tpot_ms: they sum to what the roofline predicts; no TPOT where answers have one
            token.
    """

    ttft_ms: Mapping[str, float]
    tpot_ms: Mapping[str, float]

    @functools.cached_property
    def shares(self) -> Mapping[str, Mapping[str, float]]:
        """`ttft_ms` and `tpot_ms` -> column of `part_shares` -> value; searches ask often."""
        return {"ttft_ms": _shares(self.ttft_ms), "tpot_ms": _shares(self.tpot_ms)}


def part_shares(
    points: Sequence[TimeParts | None], quantity: Literal["ttft_ms", "tpot_ms"]
) -> Floats:
    """Shares of the time by parts, such that a scalar product is the similarity of two points.

    Of each part a column for all its formats and one for each, scaled by `FORMAT_SHARE`: `n x p`.
    A point without parts has zeros, and is like nothing.
    """
    import numpy as np

    rows = [{} if parts is None else parts.shares[quantity] for parts in points]
    columns = {name: place for place, name in enumerate(sorted({n for row in rows for n in row}))}
    found = np.zeros((len(rows), len(columns)))
    for place, row in enumerate(rows):
        for name, value in row.items():
            found[place, columns[name]] = value
    return found


def log_ratio(
    parts: TimeParts | None, quantity: Literal["ttft_ms", "tpot_ms"], predicted_ms: float | None
) -> float:
    """ln(roofline / predicted); 0 where one of them is silent."""
    total_ms = sum(getattr(parts, quantity).values()) if parts is not None else 0.0
    return math.log(total_ms / predicted_ms) if total_ms and predicted_ms else 0.0


def _shares(times_ms: Mapping[str, float]) -> dict[str, float]:
    total_ms, own = sum(times_ms.values()), math.sqrt(FORMAT_SHARE)
    found: dict[str, float] = {}
    for name, ms in times_ms.items():
        kind = name.partition(":")[0]
        found[kind] = found.get(kind, 0.0) + ms / total_ms
        if kind != name:
            found[name] = own * ms / total_ms
    return found
