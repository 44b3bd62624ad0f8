"""How far likeness reaches in a search, before anything is measured: `constants.yaml`."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autotuner.config.tables import packaged_table

Floats = npt.NDArray[np.float64]

VARIANCES = ("common", "smooth", "format", "launch", "noise", "borrowed")
"""Of ln(measured / predicted). `common`: one offset of all rows; `smooth`: a function of the
features; `format`: an offset of the number formats; `launch`: of one engine start; `noise`: of one
measurement; `borrowed`: of rows whose prediction is another's."""


@dataclass(frozen=True)
class Prior:
    """Of one quantity: medians of its variances and lengths, log-normal.

    Attributes:
        variances: as `VARIANCES`.
        lengths: role -> distance in its logarithm over which residuals stay alike.
        spreads: as `VARIANCES`, standard deviations of the logarithm.
        length_spread: the same of every length.
    """

    variances: Mapping[str, float]
    lengths: Mapping[str, float]
    spreads: Mapping[str, float]
    length_spread: float

    def center(self, roles: Sequence[str]) -> Floats:
        """Logarithms of variances, then of lengths, for features of these roles."""
        variances = [self.variances[name] for name in VARIANCES]
        return np.log([*variances, *(self.lengths[role] for role in roles)])

    def spread(self, roles: Sequence[str]) -> Floats:
        """Standard deviations around the center."""
        return np.array([*(self.spreads[n] for n in VARIANCES), *[self.length_spread] * len(roles)])


@functools.cache
def priors() -> Mapping[str, Prior]:
    """By quantity: `ttft`, `tpot`, `rest`, `tail`."""
    document = packaged_table("autotuner.search.hybrid", "constants")
    return {
        name: Prior(
            row["variances"], row["lengths"], document["spreads"], document["length_spread"]
        )
        for name, row in document["quantities"].items()
    }
