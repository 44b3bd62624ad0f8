"""Two stages: predict every candidate, then launch the predicted frontier.

Of hundreds of candidates a dozen hold the predicted frontier; launching these costs some 95 % fewer
launches than the grid. First come the frontier's extremes, one for each objective, then whatever
adds most to the predicted hypervolume of those before it. Where the frontier holds fewer than are
wanted, it is peeled off, and the frontier of the rest is next.

The order depends on predictions alone: what is measured changes nothing in it, so it is as good
as the predictor is at ranking candidates.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from autotuner.search.frontier import NormalisedHypervolume, Vector, normalised_by, pareto_front
from autotuner.search.grid_and_random import spread
from autotuner.search.points import (
    OBJECTIVES,
    OperatingPoint,
    describe_point,
    objective_vector,
    percent,
)
from autotuner.search.predictions import Predicted, predicted
from autotuner.search.slo import beyond, within, worst_excess
from autotuner.search.stopping import stop_reason, too_little
from autotuner.search.strategy import Proposal, SearchState, Stop

LAUNCHES = 12
"""How many candidates are launched where no budget of experiments is given."""
Sweep = tuple[OperatingPoint, ...]


@dataclass(frozen=True)
class Choice:
    """A place in the order.

    Attributes:
        improvement: share of the predicted hypervolume before it that it adds; None where its
            place does not depend on that.
    """

    candidate_id: str
    reason: str
    phase: str
    improvement: float | None = None


class TwoStageStrategy:
    """`strategy: two_stage`."""

    name = "two_stage"

    def describe(self, state: SearchState) -> str:
        """How many candidates are predicted, and how many are launched."""
        known = predicted(state)
        wanted = min(state.budget.experiments or LAUNCHES, len(state.candidates))
        if not known.points:
            return f"nothing is predicted to be followed: {wanted} launches spread evenly"
        known_of = f"{len(known.points)} of {len(state.candidates)} candidates are predicted"
        return f"{known_of}; the predicted frontier is launched, {wanted} candidates at the most"

    def propose(self, state: SearchState) -> Proposal | Stop:
        """The first untried candidate of the order, as long as fewer than wanted are launched."""
        stop = stop_reason(state)
        if stop is not None:
            return Stop(stop)
        limit = state.budget.experiments
        if limit is None and state.launched >= LAUNCHES:
            return Stop(f"{LAUNCHES} candidates are launched, as many as two stages take")
        known = predicted(state)
        if not known.points:
            return _spread(state, limit or LAUNCHES, known)
        untried = set(state.untried())
        order = ranking(known.points, state.objectives, state.slo)
        choice = next((choice for choice in order if choice.candidate_id in untried), None)
        if choice is None:
            return Stop(f"every predicted candidate is launched; {known.describe_left_out()}")
        if choice.improvement is not None and (little := too_little(state, choice.improvement)):
            return Stop(little)
        reason = "; ".join(filter(None, (choice.reason, known.describe_left_out())))
        return Proposal(choice.candidate_id, reason, choice.phase)


def ranking(
    sweeps: Mapping[str, Sweep], objectives: Sequence[str], slo: Mapping[str, float]
) -> Iterator[Choice]:
    """Every predicted candidate, once, the first to launch first; computed as it is asked for.

    With one objective: the best within the SLO first, then those nearest to it. With more: layer
    after layer of the frontier within the SLO, then the rest, nearest to the SLO first.

    Args:
        sweeps: id -> predicted points, at least one.
    """
    feasible = {
        candidate: points
        for candidate, sweep in sweeps.items()
        if (points := tuple(point for point in sweep if within(point, slo)))
    }
    if len(objectives) == 1:
        yield from _best_first(feasible, objectives[0])
    else:
        yield from _layers(feasible, objectives)
    yield from _nearest_first({c: s for c, s in sweeps.items() if c not in feasible}, slo)


def _best_first(sweeps: Mapping[str, Sweep], objective: str) -> Iterator[Choice]:
    def value(point: OperatingPoint) -> tuple[float, ...]:
        return objective_vector(point, (objective,))

    best = {candidate: max(sweep, key=value) for candidate, sweep in sweeps.items()}
    ordered = sorted(best, key=lambda candidate: value(best[candidate]), reverse=True)
    for place, candidate in enumerate(ordered, 1):
        reason = f"predicted number {place}: {describe_point(best[candidate], (objective,))}"
        yield Choice(candidate, reason, "best predicted")


def _nearest_first(sweeps: Mapping[str, Sweep], slo: Mapping[str, float]) -> Iterator[Choice]:
    def excess(point: OperatingPoint) -> float:
        return worst_excess(point, slo)[0]

    nearest = {candidate: min(sweep, key=excess) for candidate, sweep in sweeps.items()}
    for candidate in sorted(nearest, key=lambda c: excess(nearest[c])):
        over, name = worst_excess(nearest[candidate], slo)
        reason = (
            "predicted to miss the SLO by least of those left: "
            f"{describe_point(nearest[candidate], (name,))}, {beyond(over)}"
        )
        yield Choice(candidate, reason, "nearest to the SLO")


def _layers(sweeps: Mapping[str, Sweep], objectives: Sequence[str]) -> Iterator[Choice]:
    left = dict(sweeps)
    layer = 1
    while left:
        points = [point for sweep in left.values() for point in sweep]
        front = pareto_front(points, lambda point: objective_vector(point, objectives))
        members = dict.fromkeys(point.candidate_id for point in front)
        behind = "" if layer == 1 else f"layer {layer} behind "
        place = f"one of {len(members)} candidates on {behind}the predicted frontier"
        for choice in _within_layer({c: left[c] for c in members}, front, objectives):
            reason = f"{choice.reason}; {place}"
            improvement = choice.improvement if layer == 1 else 0.0
            phase = choice.phase if layer == 1 else "layers"
            yield replace(choice, reason=reason, phase=phase, improvement=improvement)
        for candidate in members:
            del left[candidate]
        layer += 1


def _within_layer(
    sweeps: Mapping[str, Sweep], front: Sequence[OperatingPoint], objectives: Sequence[str]
) -> Iterator[Choice]:
    """The extremes, then by hypervolume added."""
    extremes: dict[str, str] = {}
    for objective in objectives:
        point = max(front, key=partial(objective_vector, names=(objective,)))
        label = OBJECTIVES[objective].label or OBJECTIVES[objective].meaning
        reason = f"predicted best {label}: {describe_point(point, objectives)}"
        extremes.setdefault(point.candidate_id, reason)
    for candidate, reason in extremes.items():
        yield Choice(candidate, reason, "extremes")
    scale = normalised_by(front, objectives)
    vectors = {candidate: scale.vectors(sweep) for candidate, sweep in sweeps.items()}
    on_front = {point.candidate_id: point for point in front}
    for candidate, improvement in _greedy(scale, vectors, list(extremes)):
        known = describe_point(on_front[candidate], objectives)
        reason = f"predicted to add {percent(improvement)} hypervolume to those before it: {known}"
        yield Choice(candidate, reason, "frontier", improvement)


def _greedy(
    scale: NormalisedHypervolume, vectors: Mapping[str, list[Vector]], first: Sequence[str]
) -> Iterator[tuple[str, float]]:
    """Those not in `first` with the share of hypervolume that each adds to all before it.

    Hypervolume added only shrinks as a set grows, so an improvement computed earlier is a bound,
    and most candidates need not be looked at again: the accelerated greedy algorithm of Minoux,
    1978.
    """
    incumbent = [vector for candidate in first for vector in vectors[candidate]]
    bounds = [
        (-scale.improvement(incumbent, own), place, candidate)
        for place, (candidate, own) in enumerate(vectors.items())
        if candidate not in first
    ]
    heapq.heapify(bounds)
    while bounds:
        _, place, candidate = heapq.heappop(bounds)
        improvement = scale.improvement(incumbent, vectors[candidate])
        if bounds and (-improvement, place) > bounds[0][:2]:
            heapq.heappush(bounds, (-improvement, place, candidate))
            continue
        before = scale.volume(incumbent)
        incumbent = pareto_front([*incumbent, *vectors[candidate]], lambda vector: vector)
        yield candidate, improvement / before if before else 1.0


def _spread(state: SearchState, wanted: int, known: Predicted) -> Proposal | Stop:
    """An even spread over the candidates, where nothing is predicted that could be followed."""
    fit = [candidate for candidate in state.candidates if candidate not in known.infeasible]
    untried = set(state.untried())
    even = [fit[place] for place in spread(len(fit), min(wanted, len(fit)))]
    candidate = next((c for c in (*even, *fit) if c in untried), None)
    if candidate is None:
        return Stop(f"nothing is left that may fit; {known.describe_left_out()}")
    left_out = known.describe_left_out()
    reason = f"nothing is predicted ({left_out}): an even spread over {len(fit)} candidates"
    return Proposal(candidate, reason, "spread")
