"""How far predictions are from publicly measured rows, and how fast calibration closes the gap.

A group is a model on a device with an engine; a launch is one layout at one isl and osl with all
its loads. Some launches of a group are taken as measured, the others are judged: before anything is
known, and once the observations of other models are. Hyperparameters are never judged on rows they
were fitted to: each group is judged with the set that was fitted without its model.
"""

from __future__ import annotations

import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotuner.errors import AutotunerError
from autotuner.predict import Predictor
from autotuner.predict.calibration_kernel import (
    CalibrationHyperparameters,
    Hyperparameters,
    calibration_hyperparameters,
)
from autotuner.predict.predictor import STDS_80
from autotuner.predict.residual_process import Posterior, ResidualProcess, most_informative
from autotuner.verify.predicted_rows import Judged, chosen_rows, judged_rows
from autotuner.verify.silicon import MeasuredRow, MeasuredTable

LAUNCHES = (0, 1, 3, 5, 8)
FEWEST_LAUNCHES = 10
"""Groups with fewer say little of a curve."""
SEEDS = 5
PRIORS = {
    "none": "nothing else is known",
    "other_models": "all rows of other models are known, none under another name of the same",
    "other_families": "all rows of models of another architecture are known",
}
CHOICES = {
    "chosen": "where the predictor learns most, one after the other",
    "random": "drawn at random, means over seeds",
}
_QUANTITIES = ("ttft", "tpot")


@dataclass(frozen=True)
class CurvePoint:
    """The errors on the launches not measured, after `launches` of each group.

    Attributes:
        ttft_median_ape, tpot_median_ape: over all rows judged; shares, not percent.
        ttft_group_ape, tpot_group_ape: the median over groups of each group's median.
        interval_coverage: share of rows inside the stated 80 % interval, both quantities together.
    """

    launches: int
    prior: str
    choice: str
    ttft_median_ape: float
    tpot_median_ape: float
    ttft_group_ape: float
    tpot_group_ape: float
    interval_coverage: float
    ttft_interval_coverage: float
    tpot_interval_coverage: float
    rows: int


@dataclass(frozen=True)
class Accuracy:
    """Everything the bench tells.

    Attributes:
        coverage: share of the measured aggregated rows that are predicted.
        answered_by: source -> rows. refused, out_of_memory: reason -> rows.
        base: median APE of the uncorrected prediction over all predicted rows.
    """

    rows: int
    coverage: float
    answered_by: Mapping[str, int]
    refused: Mapping[str, int]
    base: Mapping[str, float]
    groups: int
    launches: int
    curve: tuple[CurvePoint, ...]
    by_engine: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def accuracy(
    table: MeasuredTable,
    predictor: Predictor,
    *,
    priors: Iterable[str] = tuple(PRIORS),
    launches: Sequence[int] = LAUNCHES,
    seeds: int = SEEDS,
    only: Mapping[str, str] | None = None,
) -> Accuracy:
    """Judges a predictor, and calibration on top of it.

    Args:
        only: `model`, `system`, `backend` -> value: judges these rows; the others still teach.

    Raises:
        AutotunerError: no row is left to judge.
    """
    rows = chosen_rows(table.rows, only or {})
    judged, refused = judged_rows(table.rows, predictor)
    wanted = {row.id for row in rows}
    chosen = [one for one in judged if one.row.id in wanted]
    if not chosen:
        raise AutotunerError(f"none of the {len(rows)} measured rows is predicted")
    groups: dict[Any, list[Judged]] = defaultdict(list)
    for one in chosen:
        groups[one.row.group].append(one)
    curves = {
        key: together
        for key, together in groups.items()
        if len({j.row.launch for j in together}) >= FEWEST_LAUNCHES
    }
    curve = tuple(
        point for prior in priors for point in _curve(prior, curves, judged, launches, seeds)
    )
    answered: dict[str, int] = defaultdict(int)
    for one in chosen:
        answered[one.base.source] += 1
    return Accuracy(
        rows=len(rows),
        coverage=len(chosen) / len(rows),
        answered_by=dict(answered),
        refused=Counter(why for key, why in refused.items() if key in wanted),
        base=_median_ape(chosen),
        groups=len(curves),
        launches=sum(len({j.row.launch for j in together}) for together in curves.values()),
        curve=curve,
        by_engine={
            engine: _median_ape([j for j in chosen if j.row.scenario.engine == engine])
            for engine in sorted({j.row.scenario.engine for j in chosen})
        },
    )


def _median_ape(judged: Sequence[Judged]) -> dict[str, float]:
    return {
        quantity: statistics.median(
            abs(j.predicted[quantity] / j.measured[quantity] - 1) for j in judged
        )
        for quantity in _QUANTITIES
    }


@dataclass(frozen=True)
class _Held:
    """Rows judged once: absolute percentage errors and distances in standard deviations."""

    group: Any
    ape: Any
    distance: Any


def _curve(
    prior: str,
    groups: Mapping[Any, Sequence[Judged]],
    judged: Sequence[Judged],
    launches: Sequence[int],
    seeds: int,
) -> Iterator[CurvePoint]:
    held: dict[tuple[str, int, str], list[_Held]] = defaultdict(list)
    processes: dict[Any, ResidualProcess] = {}
    for group, rows in groups.items():
        posteriors = {}
        for quantity in _QUANTITIES:
            row = rows[0].row
            hyperparameters = hyperparameters_without(row.model)
            # Models that learn from the same observations may need hyperparameters of their own.
            key = (quantity, _left_out(prior, row), hyperparameters.fitted_on)
            if key not in processes:
                processes[key] = _prior(
                    prior, row, judged, quantity, hyperparameters.by_quantity[quantity]
                )
            posteriors[quantity] = processes[key].at([j.place for j in rows])
        for choice, orders in _orders(rows, posteriors, max(launches), seeds).items():
            for quantity, posterior in posteriors.items():
                for count in launches:
                    # Where nothing is measured, every order is the same.
                    for order in orders if count else orders[:1]:
                        one = _hold_out(rows, posterior, quantity, order[:count])
                        held[choice, count, quantity].append(_Held(group, *one))
    for choice in CHOICES:
        for count in launches:
            both = (held[choice, count, quantity] for quantity in _QUANTITIES)
            if held[choice, count, "ttft"]:
                yield _curve_point(prior, choice, count, *both)


def _orders(
    rows: Sequence[Judged], posteriors: Mapping[str, Posterior], count: int, seeds: int
) -> dict[str, list[list[Any]]]:
    """In which orders the launches of a group are measured."""
    places: dict[Any, list[int]] = defaultdict(list)
    for index, one in enumerate(rows):
        places[one.row.launch].append(index)
    names, left = list(places), dict(places)
    current = list(posteriors.values())
    chosen: list[Any] = []
    while left and len(chosen) < count:
        name = list(left)[most_informative(current, list(left.values()))]
        seen = left.pop(name)
        chosen.append(name)
        # The values do not matter to how sure one gets.
        current = [posterior.after(seen, [0.0] * len(seen)) for posterior in current]
    drawn = [
        random.Random(seed).sample(names, min(count, len(names)))  # noqa: S311 - reproducible
        for seed in range(seeds)
    ]
    return {"chosen": [chosen], "random": drawn}


def hyperparameters_without(model: str) -> CalibrationHyperparameters:
    """A set of hyperparameters that was fitted on other models only.

    Raises:
        AutotunerError: every set was fitted on the model.
    """
    sets = calibration_hyperparameters()
    for name in sorted(sets):
        if model not in sets[name].fitted_on:
            return sets[name]
    raise AutotunerError(f"every set of calibration hyperparameters was fitted on {model}")


def _left_out(prior: str, row: MeasuredRow) -> Any:
    """The key of rows that may teach nothing about each other."""
    if prior == "none":
        return None  # All rows are equal: none teaches.
    if prior == "other_families":
        return row.scenario.facts.architecture or row.model
    return row.identity


def _prior(
    prior: str,
    row: MeasuredRow,
    judged: Sequence[Judged],
    quantity: str,
    hyperparameters: Hyperparameters,
) -> ResidualProcess:
    others = [j for j in judged if _left_out(prior, j.row) != _left_out(prior, row)]
    return ResidualProcess(
        [j.place for j in others], [j.residual(quantity) for j in others], hyperparameters
    )


def _hold_out(
    rows: Sequence[Judged], posterior: Posterior, quantity: str, measured: Sequence[Any]
) -> tuple[Any, Any]:
    """Errors of the rows of all other launches, once some are measured."""
    import numpy as np

    residuals = [j.residual(quantity) for j in rows]
    seen = [i for i, j in enumerate(rows) if j.row.launch in measured]
    rest = [i for i, j in enumerate(rows) if j.row.launch not in measured]
    after = posterior.after(seen, [residuals[i] for i in seen])
    error = after.mean[rest] - np.array([residuals[i] for i in rest])
    return np.abs(np.exp(error) - 1), np.abs(error) / after.log_std[rest]


def _curve_point(
    prior: str, choice: str, count: int, ttft: list[_Held], tpot: list[_Held]
) -> CurvePoint:
    inside = [[bool(d <= STDS_80) for one in held for d in one.distance] for held in (ttft, tpot)]
    return CurvePoint(
        launches=count,
        prior=prior,
        choice=choice,
        ttft_median_ape=_pooled(ttft),
        tpot_median_ape=_pooled(tpot),
        ttft_group_ape=_by_group(ttft),
        tpot_group_ape=_by_group(tpot),
        interval_coverage=statistics.mean([*inside[0], *inside[1]]),
        ttft_interval_coverage=statistics.mean(inside[0]),
        tpot_interval_coverage=statistics.mean(inside[1]),
        rows=sum(len(one.ape) for one in ttft),
    )


def _pooled(held: list[_Held]) -> float:
    return statistics.median(float(ape) for one in held for ape in one.ape)


def _by_group(held: list[_Held]) -> float:
    groups: dict[Any, list[float]] = defaultdict(list)
    for one in held:
        groups[one.group].append(statistics.median(map(float, one.ape)))
    return statistics.median(statistics.mean(values) for values in groups.values())
