"""Every candidate at every load level as rows of arrays, with what is known of each beforehand.

A candidate that is predicted at some levels goes on as it did: its figures are continued along the
load. One without any prediction borrows those of the most similar predicted candidates at the same
load: alike is who differs in the fewest settings, the number of GPUs among them; how far apart they
are decides between equals. What that is worth the residuals' model finds out: it knows which rows
borrow.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autotuner.config import PERCENTILES, LoadKind, LoadLevel, kind_of_levels
from autotuner.predict import Prediction
from autotuner.predict.predictor import latency_ms
from autotuner.predict.time_parts import TimeParts, log_ratio, part_shares
from autotuner.search.hybrid.borrowing import stand_in
from autotuner.search.points import has
from autotuner.search.predictions import as_point, is_usable
from autotuner.search.strategy import SearchState

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

QUANTITIES = ("ttft", "tpot", "littles_law_residual")
"""Quantities that are learnt of a row, as natural logarithms: TTFT in ms; TPOT in ms, for which
TTFT stands where every answer has one token; and what Little's law leaves over (`law_residual`)."""
TAIL = "tail"
"""Learnt beside them of each percentile that a search asks for: its ratio to the mean."""

ROLES = {
    "parallel.tensor_parallel": "tensor",
    "parallel.pipeline_parallel": "pipeline",
    "parallel.data_parallel": "data",
    "parallel.moe_tensor_parallel": "moe_tensor",
    "parallel.moe_expert_parallel": "expert",
    "parallel.expert_parallel": "expert",
    "system.backend": "engine",
}
"""Setting -> the role whose length scale counts; number formats are `format`, all else `other`."""

_RANKS = ("parallel.data_parallel", "parallel.pipeline_parallel")


@dataclass(frozen=True)
class Rows:
    """A search's candidates at their load levels: `n` rows, a candidate's side by side.

    Attributes:
        candidates: ids; `of` holds each row's place among them: `n`.
        levels: of each row; `load` holds their values, `gpus` the devices: `n`.
        kind: of all levels.
        features: `n x d` natural logarithms (of numbers) and codes (of words: two different ones
            are 1 apart); `roles` says what each column is.
        osl: mean output tokens of a request: `n`.
        tails: percentiles that the search asks for: `t`.
        base: `n x (3 + t)`, what is predicted of `QUANTITIES` and of the ratios of `tails` to their
            means, or what stands in for it.
        predicted: whether it is the row's own prediction: `n`.
        displaced: how far a borrowed prediction's settings are from the row's: `n x k`.
        presumed_oom: whether the row is predicted to run out of memory: `n`.
        infeasible: whether that is so of every level of its candidate: `n`.
        memory_gib: predicted per device, or what stands in for it; NaN where nothing is known: `n`.
        formats: equal codes for equal number formats: `n`.
        parts: of TTFT and of TPOT, shares of the time by parts, `n x p`; zeros where not known.
        roofline: `n x 2`, ln(roofline / base) of TTFT and TPOT; 0 where it is silent.
        usd_per_gpu_hour: price of a device for an hour; None where it is not known.
    """

    candidates: tuple[str, ...]
    of: Ints
    levels: tuple[LoadLevel, ...]
    load: Floats
    kind: LoadKind
    gpus: Floats
    osl: Floats
    features: Floats
    roles: tuple[str, ...]
    tails: tuple[str, ...]
    base: Floats
    predicted: Bools
    displaced: Floats
    presumed_oom: Bools
    infeasible: Bools
    memory_gib: Floats
    formats: Ints
    parts: tuple[Floats, Floats]
    roofline: Floats
    usd_per_gpu_hour: float | None

    @property
    def quantities(self) -> tuple[str, ...]:
        """The name of each column of `base` by which its hyperparameters are found."""
        return (*QUANTITIES, *[TAIL] * len(self.tails))

    def blocks(self) -> list[Ints]:
        """For each candidate its rows."""
        ends = np.searchsorted(self.of, np.arange(len(self.candidates) + 1))
        return [np.arange(a, b) for a, b in itertools.pairwise(ends)]

    def index(self) -> dict[tuple[str, LoadLevel], int]:
        """(candidate, load level) -> row."""
        pairs = zip(self.of, self.levels, strict=True)
        return {(self.candidates[i], level): row for row, (i, level) in enumerate(pairs)}


def rows_of(state: SearchState) -> Rows:
    """The rows of a search. Load levels that were measured or predicted are among them."""
    beside = defaultdict[str, set[LoadLevel]](set)
    for candidate, level in measured_beside(state):
        beside[candidate].add(level)
    entries = [
        (place, candidate, level)
        for place, candidate in enumerate(state.candidates)
        for level in _levels(state, candidate, beside[candidate])
    ]
    of = np.array([place for place, _, _ in entries])
    levels = tuple(level for _, _, level in entries)
    kind = kind_of_levels(levels) or LoadKind.CONCURRENCY
    load = np.array([level.value for level in levels], float)
    gpus = np.array([_gpus(state, c) for c in state.candidates], float)[of]
    ranks = np.array([_ranks(state, c) for c in state.candidates], float)[of]
    columns, roles, formats = _setting_columns(state)
    settings = columns[of]
    loads = np.log(
        np.column_stack([load, np.maximum(load / ranks, kind is LoadKind.CONCURRENCY), gpus])
    )
    predictions = _predictions(state)
    tails = tuple(name for name in state.compared if name in PERCENTILES)
    known = _known(entries, predictions, tails)
    predicted = ~np.isnan(known[:, 0])
    oom, infeasible = _memory(state, entries, predicted)
    base, displaced = stand_in(known, of, settings, loads)
    features = np.column_stack([settings, loads, base[:, :2]])
    points = [predictions.get((candidate, level)) for _, candidate, level in entries]
    times = [None if point is None else point.parts for point in points]
    roles = (*roles, "level", "load", "gpus", "base_ttft", "base_tpot")
    return Rows(
        candidates=state.candidates,
        of=of,
        levels=levels,
        load=load,
        kind=kind,
        gpus=gpus,
        osl=_osl(state, entries, predictions),
        features=features,
        roles=roles,
        tails=tails,
        base=base[:, :-1],
        predicted=predicted,
        displaced=displaced,
        presumed_oom=oom,
        infeasible=infeasible,
        memory_gib=np.exp(base[:, -1]),
        formats=formats[of],
        parts=(part_shares(times, "ttft_ms"), part_shares(times, "tpot_ms")),
        roofline=_roofline(times, base, predicted),
        usd_per_gpu_hour=state.usd_per_gpu_hour,
    )


def pace_ms(ttft_ms: float, tpot_ms: float | None) -> float:
    """TPOT, or TTFT where there is none: what a slot takes for a token of an answer."""
    return tpot_ms if tpot_ms else ttft_ms


def law_residual(tok_s: float, pace_ms: float, load: LoadLevel) -> float:
    """Throughput over what the load alone says of it.

    In a closed loop tok_s x TPOT / concurrency, near 1000 while waiting for first tokens costs
    little; in an open one tok_s / rate, the output tokens of a request while the engine keeps up.
    """
    if load.kind is LoadKind.CONCURRENCY:
        return tok_s * pace_ms / load.value
    return tok_s / load.value


def _levels(state: SearchState, candidate: str, beside: Set[LoadLevel]) -> Sequence[LoadLevel]:
    """Levels that a launch of it measures: those of the search, without what a prediction skips.

    A prediction that speaks of higher levels and not of one below does so because it is not run.
    """
    with_levels = {p.load for p in state.knowledge.predictions.get(candidate, ())}
    highest = max((level.value for level in with_levels), default=0)
    planned = {level for level in state.levels if level in with_levels or level.value > highest}
    return sorted(planned | with_levels | beside) or [LoadLevel.concurrency(1)]


def measured_beside(state: SearchState) -> frozenset[tuple[str, LoadLevel]]:
    """Candidates and load levels that were measured though nobody expected them to be."""
    return frozenset(
        (outcome.candidate_id, point.load)
        for outcome in state.history
        for point in outcome.points
        if point.load not in _levels(state, outcome.candidate_id, frozenset())
    )


def _gpus(state: SearchState, candidate: str) -> int:
    known = state.knowledge.circumstances.get(candidate)
    if known is not None:
        return max(known.gpus, 1)
    predictions = state.knowledge.predictions.get(candidate, ())
    return max((p.devices for p in predictions), default=1)


def _ranks(state: SearchState, candidate: str) -> float:
    """Over how many replicas and stages the requests in flight are spread."""
    settings = state.settings.get(candidate, {})
    widths = (settings.get(path) for path in _RANKS)
    return math.prod(float(w) for w in widths if isinstance(w, int | float) and w >= 1)


def _predictions(state: SearchState) -> dict[tuple[str, LoadLevel], Prediction]:
    """(candidate, load level) -> what is predicted there, as far as it is usable."""
    price = state.usd_per_gpu_hour
    return {
        (candidate, p.load): p
        for candidate, points in state.knowledge.predictions.items()
        for p in points
        if is_usable(p, price) and has(as_point(p, price), state.compared)
    }


def _known(
    entries: Sequence[tuple[int, str, LoadLevel]],
    predictions: Mapping[tuple[str, LoadLevel], Prediction],
    tails: Sequence[str],
) -> Floats:
    """`n x (3 + t + 1)`: logarithms of the predicted quantities, of the ratios of percentiles and
    of memory; NaN where not known."""
    known = np.full((len(entries), len(QUANTITIES) + len(tails) + 1), np.nan)
    for row, (_, candidate, level) in enumerate(entries):
        p = predictions.get((candidate, level))
        if p is not None:
            pace = pace_ms(p.ttft_ms, p.tpot_ms)
            ratios = (latency_ms(p, n) / getattr(p, PERCENTILES[n].mean) for n in tails)
            figures = (p.ttft_ms, pace, law_residual(p.tok_s, pace, level), *ratios)
            known[row, :-1] = [math.log(figure) for figure in figures]
            if p.memory_gib and 1e-6 < p.memory_gib < 1e9:
                known[row, -1] = math.log(p.memory_gib)
    return known


def _roofline(times: Sequence[TimeParts | None], base: Floats, predicted: Bools) -> Floats:
    """See `Rows.roofline`; what is borrowed has no prediction that the roofline could differ from.

    Args:
        base: logarithms, TTFT and TPOT first. predicted: `n`.
    """
    rows = zip(times, np.exp(base[:, :2]), predicted, strict=True)
    return np.array(
        [
            [
                own * log_ratio(parts, "ttft_ms", ttft_ms),
                own * log_ratio(parts, "tpot_ms", tpot_ms),
            ]
            for parts, (ttft_ms, tpot_ms), own in rows
        ]
    )


def _osl(
    state: SearchState,
    entries: Sequence[tuple[int, str, LoadLevel]],
    predictions: Mapping[tuple[str, LoadLevel], Prediction],
) -> Floats:
    """Mean output tokens of a request in each row: as predicted, else as the candidate's
    circumstances or its other levels tell, else as most predictions have it."""
    of_candidate = {candidate: p.osl for (candidate, _), p in predictions.items()}
    of_candidate |= {c: known.osl for c, known in state.knowledge.circumstances.items()}
    usual = statistics.median_high(p.osl for p in predictions.values()) if predictions else 1.0
    found = []
    for _, candidate, level in entries:
        p = predictions.get((candidate, level))
        found.append(of_candidate.get(candidate, usual) if p is None else p.osl)
    return np.array(found, float)


def _memory(
    state: SearchState, entries: Sequence[tuple[int, str, LoadLevel]], predicted: Bools
) -> tuple[Bools, Bools]:
    """Rows that are predicted not to fit, and those of candidates that fit at no level."""
    with_levels = {entry[1] for entry, own in zip(entries, predicted, strict=True) if own}
    out = state.knowledge.out_of_memory
    infeasible = np.array([c in out and c not in with_levels for _, c, _ in entries])
    unpredicted_above = np.array([c in with_levels for _, c, _ in entries]) & ~predicted
    return infeasible | unpredicted_above, infeasible


def _setting_columns(state: SearchState) -> tuple[Floats, tuple[str, ...], Ints]:
    """Of each candidate: columns of its settings that vary, their roles, codes of its formats."""
    settings: list[Mapping[str, Any]] = [state.settings.get(c, {}) for c in state.candidates]
    columns, roles = [], []
    for path in sorted({path for one in settings for path in one}):
        values = [one.get(path) for one in settings]
        if len({repr(value) for value in values}) < 2:
            continue
        found = _numbers(values)
        found = _codes(values) if found is None else found
        columns.append(found)
        roles.extend([_role(path)] * found.shape[1])
    size = len(settings)
    joined = np.column_stack(columns) if columns else np.zeros((size, 0))
    formats = [
        tuple(sorted((k, repr(v)) for k, v in one.items() if k.startswith("quantization.")))
        for one in settings
    ]
    places = {one: place for place, one in enumerate(sorted(set(formats)))}
    return joined, tuple(roles), np.array([places[one] for one in formats])


def _role(path: str) -> str:
    return "format" if path.startswith("quantization.") else ROLES.get(path, "other")


def _numbers(values: Sequence[Any]) -> Floats | None:
    """One column of logarithms; None where a value is no positive number."""
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            return None
    return np.asarray(np.log(np.array(values, float))[:, None])


def _codes(values: Sequence[Any]) -> Floats:
    """Columns in which two different values are 1 apart."""
    words = [repr(value) for value in values]
    names = sorted(set(words))
    return np.array([[math.sqrt(0.5) * (one == name) for name in names] for one in words])
