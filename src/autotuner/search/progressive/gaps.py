"""Gaps of the measured frontier, and the candidates that should fill them.

The frontier is looked at in the plane of throughput per GPU and p90 latency, both logarithmic and
scaled to the frontier's extent. What lies between the settings of a gap's two ends is expected to
lie in the gap.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from autotuner.search.axes import format_value, gower_distance_to_any, label
from autotuner.search.frontier import pareto_front
from autotuner.search.points import OperatingPoint, describe_point, percent
from autotuner.search.progressive.failures import FailureModel
from autotuner.search.slo import within
from autotuner.search.strategy import Proposal, SearchState

PLANE = ("tok_s_per_gpu", "e2e_p90_ms")
_TRIES = 2
Target = Mapping[str, tuple[object, ...]]
"""`group.field` -> values, any of which will do."""


@dataclass(frozen=True)
class Gap:
    """Two neighbours on the frontier, the one of lower latency first.

    Attributes:
        size: their distance, as a share of the diagonal of the frontier's extent.
    """

    fast: OperatingPoint
    full: OperatingPoint
    size: float

    @property
    def ends(self) -> tuple[str, str]:
        """The candidates of both ends."""
        return self.fast.candidate_id, self.full.candidate_id


def gaps(points: Iterable[OperatingPoint]) -> list[Gap]:
    """The gaps of the frontier of `points`, the largest first."""
    figures = (point for point in points if point.tok_s_per_gpu > 0 and point.e2e_p90_ms > 0)
    front = sorted(pareto_front(figures, _logs), key=_logs)
    if len(front) < 2:
        return []
    extents = [abs(b - a) for a, b in zip(_logs(front[0]), _logs(front[-1]), strict=True)]

    def size(one: OperatingPoint, other: OperatingPoint) -> float:
        sides = zip(_logs(one), _logs(other), extents, strict=True)
        return math.hypot(*((b - a) / extent for a, b, extent in sides)) / math.sqrt(2)

    found = [Gap(a, b, size(a, b)) for a, b in itertools.pairwise(front)]
    return sorted(found, key=lambda gap: -gap.size)


def fill(state: SearchState, failures: FailureModel) -> Proposal:
    """The untried candidate that should lie in the largest gap worth filling (see `_rank`).

    A gap within one candidate's sweep cannot be filled; one that a launch in flight should fill is
    passed over, and so, while there are others, is one between whose ends no candidate lies. Where
    no gap is left: the candidate least like those tried.
    """
    finished = {outcome.candidate_id for outcome in state.history}
    open_ones = [c for c in state.candidates if c not in finished]
    points = [point for outcome in state.history for point in outcome.points]
    found = [gap for gap in gaps(points) if failures.distance(*gap.ends) > 0]
    second_best = None
    for gap in sorted(found, key=partial(_rank, state=state, failures=failures)):
        distance = partial(_distance, target=_between(gap, failures), failures=failures)
        candidate, passed = failures.choose(sorted(open_ones, key=distance))
        if candidate in state.in_flight:
            continue
        proposal = Proposal(candidate, _reason(gap, failures) + passed, "gaps")
        if distance(candidate) <= min(map(distance, gap.ends)):
            return proposal
        second_best = second_best or proposal
    return second_best or _farthest(state, failures)


def _rank(gap: Gap, state: SearchState, failures: FailureModel) -> tuple[bool, bool, float]:
    """The least is filled first: the largest, unless something says that it is not worth it.

    A gap that two launches did not fill is taken for the engine's own, and outside the SLO nothing
    counts. The size counts by how unlike the ends are: little lies between like settings.
    """
    outside = not (within(gap.fast, state.slo) or within(gap.full, state.slo))
    size = gap.size * failures.distance(*gap.ends)
    return _meant_for(gap, state, failures) >= _TRIES, outside, -size


def _reason(gap: Gap, failures: FailureModel) -> str:
    fast, full = map(failures.of, gap.ends)
    between = ", ".join(
        f"{label(path)} {' or '.join(map(format_value, values))}"
        for path, values in _between(gap, failures).items()
        if fast.get(path) != full.get(path)
    )
    return (
        f"nearest to what should fill the gap of {percent(gap.size)} of the frontier between "
        f"{describe_point(gap.fast, PLANE)} of {gap.ends[0]} and "
        f"{describe_point(gap.full, PLANE)} of {gap.ends[1]}: "
        f"{between or 'the same settings'}"
    )


def _between(gap: Gap, failures: FailureModel) -> Target:
    fast, full = map(failures.of, gap.ends)
    return {a.path: a.between(fast.get(a.path), full.get(a.path)) for a in failures.axes}


def _meant_for(gap: Gap, state: SearchState, failures: FailureModel) -> int:
    """How many finished launches lie nearer to what is between a gap's ends than the ends."""
    target = _between(gap, failures)
    ends = min(_distance(end, target, failures) for end in gap.ends)
    others = (o.candidate_id for o in state.history if o.candidate_id not in gap.ends)
    return sum(_distance(other, target, failures) <= ends for other in others)


def _distance(candidate: str, target: Target, failures: FailureModel) -> float:
    return gower_distance_to_any(failures.of(candidate), target, failures.axes)


def _farthest(state: SearchState, failures: FailureModel) -> Proposal:
    tried: Collection[str] = (*(o.candidate_id for o in state.history), *state.in_flight)
    farthest = sorted(
        state.untried(), key=lambda c: -min((failures.distance(c, t) for t in tried), default=0.0)
    )
    candidate, passed = failures.choose(farthest)
    reason = f"no gap of the measured frontier to fill; the least like the {len(tried)} tried"
    return Proposal(candidate, reason + passed, "gaps")


def _logs(point: OperatingPoint) -> tuple[float, float]:
    return math.log(point.tok_s_per_gpu), -math.log(point.e2e_p90_ms)
