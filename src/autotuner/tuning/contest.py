"""The recommended candidate, and those that it has to beat: what is launched again, and how sure
the order is. Pure.

What was chosen by one launch may owe its place to chance. So the recommended candidate, the
baseline and the strongest rivals are launched again in turns, until it is settled which is better.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from autotuner.config import LoadLevel
from autotuner.engines.failures import NOT_ITS_OWN
from autotuner.search import OperatingPoint, Stop, recommend
from autotuner.search.slo import within
from autotuner.store import ExperimentRecord, RelaunchRecord
from autotuner.tuning.baseline import PLANNED
from autotuner.tuning.launch_figures import (
    ComparedLaunch,
    launch_points,
    launches_left_out,
    merits_of,
    posterior_of,
    repeated_levels,
)
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.recommendation import (
    RecommendedPoint,
    best_within,
    merit,
    points_of,
    recommendation_of,
)

if TYPE_CHECKING:
    from autotuner.certainty import LaunchPosterior, Ratio, Settled

PHASE = "confirm"
"""Phase of what is launched again."""
MOST_RIVALS = 3
"""Rivals that are looked at: the best ones of those that may be better still."""
State = Literal["confirmed", "not_settled", "failed", "once"]
_STATES: Mapping[State, str] = {
    "confirmed": "confirmed",
    "not_settled": "not settled",
    "failed": "not confirmed",
    "once": "not confirmed",
}
_LEAST_LAUNCHES = 2
"""Launches of the chosen candidate that confirm it."""


@dataclass(frozen=True)
class Relaunch:
    """A candidate to launch once more, the load levels to measure, and why."""

    candidate_id: str
    loads: tuple[LoadLevel, ...]
    reason: str


@dataclass(frozen=True)
class Contender:
    """A candidate at the load level at which it is compared.

    Attributes:
        point: by all its launches.
        loads: what is measured when it is launched again.
        launches: those that have a point at its load level.
        misses_slo: those of which that point is not within the SLO.
    """

    experiment: ExperimentRecord
    point: OperatingPoint
    loads: tuple[LoadLevel, ...]
    launches: int
    misses_slo: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        experiment: ExperimentRecord,
        point: OperatingPoint,
        criteria: Criteria,
        loads: Sequence[LoadLevel] = (),
    ) -> Self:
        """A candidate at a point of it.

        Args:
            loads: what is measured when it is launched again; the point's level where left out.
        """
        found = launch_points(experiment, point.load, criteria)
        misses = [number for number, one in found.items() if not within(one, criteria.slo)]
        return cls(experiment, point, tuple(loads or (point.load,)), len(found), tuple(misses))

    @property
    def configuration(self) -> str:
        """Name of it among figures of launches."""
        return f"{self.point.candidate_id} {self.point.load}"

    @property
    def failed(self) -> tuple[RelaunchRecord, ...]:
        """Further launches that failed by their own fault."""
        failed = (one for one in self.experiment.relaunches if one.status == "failed")
        return tuple(one for one in failed if one.failure_kind not in NOT_ITS_OWN)

    @property
    def attempts(self) -> int:
        """Launches at its load level, left-out and failed ones included."""
        return self.launches + len(self.left_out) + self._broken

    @property
    def is_known(self) -> bool:
        """Whether it was launched again at its load level: in peace, or it failed."""
        return self.launches + self._broken >= _LEAST_LAUNCHES

    @property
    def left_out(self) -> list[int]:
        """Launches that measured its load level and take no part, as others used the machine."""
        return launches_left_out(self.experiment, self.point.load)

    @property
    def _broken(self) -> int:
        return sum(one.status == "failed" for one in self.experiment.relaunches)


@dataclass(frozen=True)
class Contest:
    """Contenders of a task.

    Attributes:
        chosen: the recommended one.
        baseline: None where there is none, where it has no point to compare with, and where it is
            the chosen one.
        rivals: other candidates within the SLO, the best first; none where nothing is within.
        best: id of the best candidate as measured, where a simpler one is chosen; else None.
        meets_slo: whether the chosen one is within all limits.
        scatter: figures at other load levels of candidates that were launched more than once: they
            show how much launches scatter.
    """

    chosen: Contender
    baseline: Contender | None
    rivals: tuple[Contender, ...]
    criteria: Criteria
    best: str | None = None
    meets_slo: bool = True
    scatter: tuple[ComparedLaunch, ...] = ()

    @property
    def others(self) -> tuple[Contender, ...]:
        """All but the chosen one."""
        return (*((self.baseline,) if self.baseline else ()), *self.rivals)

    @functools.cached_property
    def posterior(self) -> LaunchPosterior:
        """Posterior of the figure by which points are recommended."""
        launches = (
            launch
            for one in (self.chosen, *self.others)
            for launch in merits_of(one.experiment, one.point.load, self.criteria)
        )
        return posterior_of((*launches, *self.scatter))

    def ratio(self, other: Contender) -> Ratio:
        """The chosen one's figure over another's, as a factor by which it is better."""
        return self.posterior.ratio(self.chosen.configuration, other.configuration)

    def settled(self, other: Contender) -> Settled:
        """Whether the chosen one is better than another."""
        from autotuner.certainty import settled

        return settled(self.ratio(other))

    @property
    def unclear(self) -> tuple[Contender, ...]:
        """Those that may be better still; of the rivals the likeliest one."""
        found = [one for one in self.others if self.settled(one) == "unclear"]
        rivals = [one for one in found if one is not self.baseline]
        likeliest = min(rivals, key=lambda one: self.ratio(one).above_one, default=None)
        return tuple(one for one in found if one is self.baseline or one is likeliest)

    @property
    def open(self) -> tuple[Contender, ...]:
        """Those that the chosen one does not beat for sure, as it should: where it is recommended
        because it is simpler, rivals need only not be better for sure."""
        return tuple(
            one
            for one in self.others
            if (stands := self.settled(one)) != "better"
            and not (stands == "unclear" and self.best is not None and one is not self.baseline)
        )

    @property
    def state(self) -> State:
        """Whether the chosen one is confirmed."""
        if self.chosen.failed:
            return "failed"
        if self.chosen.launches < _LEAST_LAUNCHES:
            return "once"
        if not self.meets_slo or self.chosen.misses_slo or self.open:
            return "not_settled"
        return "confirmed"


def contest_of(
    experiments: Sequence[ExperimentRecord], plan: Mapping[str, Any], criteria: Criteria
) -> Contest | None:
    """The contest of a task; None where nothing is recommended.

    Args:
        plan: of the task, which keeps its baseline.
    """
    found = recommendation_of(experiments, plan, criteria)
    return None if found is None else contest_around(found, experiments, plan, criteria)


def contest_around(
    chosen_point: RecommendedPoint,
    experiments: Sequence[ExperimentRecord],
    plan: Mapping[str, Any],
    criteria: Criteria,
) -> Contest:
    """The contest of a task whose recommended point is known."""
    point, meets_slo = chosen_point.point, chosen_point.meets_slo
    completed = [e for e in experiments if e.status == "completed"]
    points = {e.candidate_id: points_of(e, criteria) for e in completed}
    by_id = {e.candidate_id: e for e in completed}
    chosen = Contender.of(by_id[point.candidate_id], point, criteria)
    key = (plan.get(PLANNED) or {}).get("candidate")
    baseline = None
    if meets_slo and key in by_id and key != point.candidate_id:
        baseline = _baseline(by_id[key], points[key], point, criteria)
    rivals = [
        Contender.of(by_id[other], own, criteria)
        for other, found in points.items()
        if meets_slo and other not in (point.candidate_id, key)
        for own in best_within(found, criteria, point)
    ]
    rivals.sort(key=lambda one: -merit(one.point, criteria))
    best = chosen_point.best
    contest = Contest(
        chosen,
        baseline,
        tuple(rivals[:MOST_RIVALS]),
        criteria,
        None if best is None else best.point.candidate_id,
        meets_slo,
    )
    return replace(contest, scatter=tuple(_scatter(contest, completed)))


def _scatter(contest: Contest, experiments: Sequence[ExperimentRecord]) -> Iterator[ComparedLaunch]:
    names = {one.configuration for one in (contest.chosen, *contest.others)}
    for experiment, load in repeated_levels(experiments):
        for launch in merits_of(experiment, load, contest.criteria):
            if launch.configuration not in names:
                yield launch


def next_relaunch(
    experiments: Sequence[ExperimentRecord],
    plan: Mapping[str, Any],
    criteria: Criteria,
    *,
    most: int,
) -> Relaunch | Stop:
    """The next candidate to launch again, or why none is.

    The chosen one is launched at least twice. Contenders take turns, and every other round in
    reverse order, so that a drift of the machine falls on all of them.

    Args:
        most: launches of all candidates after their first.
    """
    if not most:
        return Stop("")
    contest = contest_of(experiments, plan, criteria)
    made = sum(len(experiment.relaunches) for experiment in experiments)
    if contest is None:
        return Stop("not confirmed: no operating point is left" if made else "nothing to confirm")
    unclear = contest.unclear
    is_over = contest.chosen.is_known and not unclear
    if is_over or made >= most:
        return Stop(f"{_STATES[contest.state]} after {counted(made)}")
    wanted = [contest.chosen, *unclear]
    fewest = min(one.attempts for one in wanted)
    turn = [one for one in wanted if one.attempts == fewest]
    following = turn[-1 if fewest % 2 == 0 else 0]
    return Relaunch(following.experiment.candidate_id, following.loads, _reason(contest, following))


def _reason(contest: Contest, following: Contender) -> str:
    if following is contest.chosen:
        if following.attempts < _LEAST_LAUNCHES:
            return "recommended by what was measured once: is it so again?"
        return "recommended, and not settled yet: its turn again"
    better = 100 * contest.ratio(following).above_one
    what = "the baseline" if following is contest.baseline else "the strongest rival"
    return f"{what}: the recommended candidate is better with {better:.0f} %, which is not settled"


def counted(made: int) -> str:
    """Further launches in words."""
    return f"{made} further launch{'' if made == 1 else 'es'}"


def _baseline(
    experiment: ExperimentRecord,
    points: Sequence[OperatingPoint],
    chosen: OperatingPoint,
    criteria: Criteria,
) -> Contender | None:
    """The baseline at its best level; None where it has no point, or meets no SLO: then there is
    nothing to settle."""
    inside = [point for point in points if within(point, criteria.slo)]
    found = recommend(inside, criteria.slo, criteria.objectives)
    best = None if found is None else found[0]
    if best is None:
        return None
    measured = {point.load for point in points}
    loads = dict.fromkeys((best.load, *({chosen.load} & measured)))
    return Contender.of(experiment, best, criteria, sorted(loads))
