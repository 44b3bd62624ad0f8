"""Limits that a comparison has to keep, so that a script can fail when it does not."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autotuner.config import nearest
from autotuner.errors import VerifyError
from autotuner.verify.analysis import METRICS
from autotuner.verify.compare import Comparison


@dataclass(frozen=True)
class ErrorLimit:
    """A limit on one of the figures that `known` lists, in the unit that they have there."""

    name: str
    limit: float
    bound: Literal["at most", "at least"]


@dataclass(frozen=True)
class Verdict:
    """A requirement, what was found, and whether that keeps it. What is not known does not."""

    requirement: ErrorLimit
    found: float | None
    met: bool


def known(within: Sequence[float]) -> dict[str, Literal["at most", "at least"]]:
    """Every name that may be required, and whether its limit is the most or the least allowed.

    In percent, but for `bias`, `spearman`, `hypervolume_ratio` and `pairs`. `ttft_bias=1.2` allows
    a factor of 1.2 in either direction. Of several scenarios, `hypervolume_ratio` and `regret` are
    medians.
    """
    found: dict[str, Literal["at most", "at least"]] = {"pairs": "at least"}
    for metric in METRICS:
        found |= {f"{metric}_{figure}": "at most" for figure in ("mape", "median_ape", "bias")}
        found |= {f"{metric}_spearman": "at least"}
        found |= {f"{metric}_within_{limit:g}": "at least" for limit in within}
    return found | {"hypervolume_ratio": "at least", "regret": "at most"}


def parse_requirements(texts: Sequence[str], within: Sequence[float]) -> tuple[ErrorLimit, ...]:
    """From `ttft_median_ape=30`.

    Raises:
        VerifyError: not that form, an unknown name, or no number.
    """
    names = known(within)
    found = []
    for text in texts:
        name, equals, limit = text.partition("=")
        if not equals:
            raise VerifyError(f"--require {text!r} has no limit", remedy="write NAME=LIMIT")
        if name not in names:
            raise VerifyError(f"--require {name!r}: {nearest(name, list(names))}")
        try:
            number = float(limit)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise VerifyError(f"--require {name}: {limit!r} is no number")
        found.append(ErrorLimit(name, number, names[name]))
    return tuple(found)


def judge(comparison: Comparison, requirements: Sequence[ErrorLimit]) -> tuple[Verdict, ...]:
    """Each requirement with what was found."""
    found = _figures(comparison)
    return tuple(
        Verdict(one, found.get(one.name), _met(one, found.get(one.name))) for one in requirements
    )


def _met(requirement: ErrorLimit, found: float | None) -> bool:
    if found is None:
        return False
    if requirement.bound == "at most":
        return found <= requirement.limit
    return found >= requirement.limit


def _figures(comparison: Comparison) -> dict[str, float | None]:
    found: dict[str, float | None] = {"pairs": len(comparison.pairs)}
    for name, errors in comparison.errors.items():
        bias = errors.bias
        found |= {
            f"{name}_mape": errors.mape,
            f"{name}_median_ape": errors.median_ape,
            f"{name}_bias": None if bias is None else max(bias, 1 / bias),
            f"{name}_spearman": errors.spearman,
        }
        found |= {f"{name}_within_{limit:g}": share for limit, share in errors.within.items()}
    regrets = [choice.regret for choice in comparison.choices if choice.regret is not None]
    ratios = [choice.hypervolume_ratio for choice in comparison.choices]
    return found | {
        "hypervolume_ratio": statistics.median(ratios) if ratios else None,
        "regret": statistics.median(regrets) if regrets else None,
    }
