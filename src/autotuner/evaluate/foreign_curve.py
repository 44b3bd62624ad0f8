"""How far measurements of others help, and how little forged ones harm.

Publicly measured rows stand for what others measured. Of each group of rows that is judged (a
model on a device with an engine), rows of *other* models are drawn as foreign observations, none,
a hundred or a thousand; then some of its own launches are taken as measured here. Where a third of
the foreign groups is forged, their latencies are ten times too good. Foreign rows are weighed by
agreement, or believed as ones own are: the difference is what weighing costs and saves.
"""

from __future__ import annotations

import random
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotuner.evaluate.accuracy import FEWEST_LAUNCHES, hyperparameters_without
from autotuner.predict import Observation
from autotuner.predict.agreement import Weighed, group_of, weighed
from autotuner.predict.residual_process import ResidualProcess, place_of, residual
from autotuner.verify.predicted_rows import Judged, row_observations

FOREIGN = (0, 100, 1000)
OWN_LAUNCHES = (0, 3)
FORGED_SHARE = 1 / 3
FORGED_FACTOR = 0.1
SEEDS = 2
_QUANTITIES = ("ttft", "tpot")


@dataclass(frozen=True)
class ForeignPoint:
    """Median errors on the launches not measured, over all rows of all groups.

    Attributes:
        foreign: observations of others. own: launches measured here.
        forged: whether a third of the foreign groups is. weighed: else they are believed.
        excluded, excluded_forged: share of the foreign observations, and of the forged ones, that
            was left out.
    """

    foreign: int
    own: int
    forged: bool
    weighed: bool
    ttft_median_ape: float
    tpot_median_ape: float
    excluded: float
    excluded_forged: float


def foreign_curve(
    judged: Sequence[Judged],
    *,
    foreign: Sequence[int] = FOREIGN,
    own: Sequence[int] = OWN_LAUNCHES,
    seeds: int = SEEDS,
) -> tuple[ForeignPoint, ...]:
    """A point for each number of foreign observations and own launches, forged or not."""
    groups: dict[Any, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[one.row.group].append(one)
    chosen = [
        rows for rows in groups.values() if len({one.row.launch for one in rows}) >= FEWEST_LAUNCHES
    ]
    return tuple(
        _point(judged, chosen, count, launches, seeds, forged=forged, weigh=weigh)
        for count in foreign
        for forged, weigh in ((False, False), (False, True), (True, False), (True, True))
        if count or not (forged or weigh)
        for launches in own
    )


@dataclass(frozen=True)
class _Errors:
    ape: dict[str, list[float]]
    dropped: int
    dropped_forged: int
    forged: int


def _point(
    judged: Sequence[Judged],
    groups: Sequence[Sequence[Judged]],
    count: int,
    launches: int,
    seeds: int,
    *,
    forged: bool,
    weigh: bool,
) -> ForeignPoint:
    found = []
    for rows in groups:
        others = [one for one in judged if one.row.identity != rows[0].row.identity]
        for seed in range(seeds):
            # Each choice has a generator of its own: the same launches whatever the others are.
            rows_drawn, forgeries, launched = (
                random.Random(f"{seed} {choice}")  # noqa: S311 - reproducible
                for choice in ("rows", "forgeries", "launches")
            )
            seen = _drawn(others, count, rows_drawn)
            if forged:
                seen = _with_forgeries(seen, forgeries)
            names = list(dict.fromkeys(one.row.launch for one in rows))
            measured = set(launched.sample(names, launches))
            found.append(_errors(rows, seen, measured, weigh=weigh))
    ape = {q: statistics.median(e for one in found for e in one.ape[q]) for q in _QUANTITIES}
    total, forged_total = count * len(found), sum(one.forged for one in found)
    return ForeignPoint(
        foreign=count,
        own=launches,
        forged=forged,
        weighed=weigh,
        ttft_median_ape=ape["ttft"],
        tpot_median_ape=ape["tpot"],
        excluded=sum(one.dropped for one in found) / max(total, 1),
        excluded_forged=sum(one.dropped_forged for one in found) / max(forged_total, 1),
    )


def _drawn(others: Sequence[Judged], count: int, draw: random.Random) -> list[Observation]:
    rows = draw.sample(list(others), min(count, len(others)))
    return list(row_observations(rows, source="published", origin="published"))


def _with_forgeries(seen: Sequence[Observation], draw: random.Random) -> list[Observation]:
    groups = sorted({group_of(one) for one in seen})
    wrong = set(draw.sample(groups, round(len(groups) * FORGED_SHARE)))
    return [_forgery(one) if group_of(one) in wrong else one for one in seen]


def _forgery(seen: Observation) -> Observation:
    return replace(
        seen,
        ttft_ms=seen.ttft_ms * FORGED_FACTOR,
        tpot_ms=None if seen.tpot_ms is None else seen.tpot_ms * FORGED_FACTOR,
        tok_s=seen.tok_s / FORGED_FACTOR,
        origin="forged",
    )


def _errors(
    rows: Sequence[Judged], foreign: Sequence[Observation], measured: set[Any], *, weigh: bool
) -> _Errors:
    """Errors of a group's other launches, once some are measured and others' rows are known."""
    import numpy as np

    constants = hyperparameters_without(rows[0].row.model)
    own = row_observations([one for one in rows if one.row.launch in measured], source="here")
    kept = weighed([*own, *foreign], constants) if weigh else Weighed((*own, *foreign))
    known = [
        (seen, shared)
        for seen, shared in zip(kept.kept, _shared(kept, weigh), strict=True)
        if seen.is_foreign
    ]
    here = [place for place, one in enumerate(rows) if one.row.launch in measured]
    rest = [place for place, one in enumerate(rows) if one.row.launch not in measured]
    ape = {}
    for quantity in _QUANTITIES:
        process = ResidualProcess(
            [place_of(seen) for seen, _ in known],
            [residual(seen, quantity) or 0.0 for seen, _ in known],
            constants.by_quantity[quantity],
            shared_errors=[shared[quantity] for _, shared in known],
        )
        residuals = [one.residual(quantity) for one in rows]
        after = process.at([one.place for one in rows]).after(here, [residuals[p] for p in here])
        error = after.mean[rest] - np.array([residuals[place] for place in rest])
        ape[quantity] = [float(one) for one in np.abs(np.exp(error) - 1)]
    forged = sum(seen.origin == "forged" for seen in foreign)
    left = sum(seen.origin == "forged" for seen, _ in known)
    return _Errors(ape, len(foreign) - len(known), forged - left, forged)


def _shared(kept: Weighed, weigh: bool) -> Iterator[dict[str, tuple[Any, float]]]:
    """For each that is kept, by quantity, its group and the variance of the group's error."""
    if not weigh:
        yield from (dict.fromkeys(_QUANTITIES, (None, 0.0)) for _ in kept.kept)
        return
    by_quantity = [kept.shared_errors(quantity) for quantity in _QUANTITIES]
    for both in zip(*by_quantity, strict=True):
        yield dict(zip(_QUANTITIES, both, strict=True))


def foreign_markdown(points: Sequence[ForeignPoint]) -> str:
    """The generated table of docs/accuracy.md."""
    owns = list(dict.fromkeys(point.own for point in points))
    heads = [f"{name}, {own} launches" for name in ("TTFT", "TPOT") for own in owns]
    heads = ["foreign points", *heads, "left out", "of the forged left out"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    kinds = list(dict.fromkeys((p.foreign, p.forged, p.weighed) for p in points))
    for kind in kinds:
        row = [p for p in points if (p.foreign, p.forged, p.weighed) == kind]
        cells = [_words(*kind)]
        cells += [f"{100 * p.ttft_median_ape:.1f} %" for p in row]
        cells += [f"{100 * p.tpot_median_ape:.1f} %" for p in row]
        cells.append(f"{100 * row[-1].excluded:.0f} %" if kind[0] and kind[2] else "–")
        cells.append(f"{100 * row[-1].excluded_forged:.0f} %" if kind[1] and kind[2] else "–")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _words(foreign: int, forged: bool, weigh: bool) -> str:
    if not foreign:
        return "0"
    how = "weighed by agreement" if weigh else "believed as one's own"
    return f"{foreign:,}{', a third of the groups forged' if forged else ''}, {how}"
