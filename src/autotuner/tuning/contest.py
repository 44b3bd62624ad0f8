"""The recommended candidate, and those that it has to beat: what is launched again, and how sure
the order is. Pure.

What was chosen by one launch may owe its place to chance. So the recommended candidate, the
baseline and the strongest rivals are launched again in turns, until it is settled which is better.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autotuner.config import LoadLevel
from autotuner.search import OperatingPoint, Stop
from autotuner.search.slo import log_merit
from autotuner.store import ExperimentRecord
from autotuner.tuning.baseline import PLANNED
from autotuner.tuning.launch_figures import merits_of, posterior_of
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.recommendation import best_within, points_of, recommendation_of

if TYPE_CHECKING:
    from autotuner.certainty import LaunchPosterior, Ratio, Settled

PHASE = "confirm"
"""Phase of what is launched again."""
MOST_RIVALS = 3
"""Rivals that are looked at: the best ones of those that may be better still."""


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
    """

    experiment: ExperimentRecord
    point: OperatingPoint
    loads: tuple[LoadLevel, ...]

    @property
    def configuration(self) -> str:
        """Name of it among figures of launches."""
        return f"{self.point.candidate_id} {self.point.load}"

    @property
    def attempts(self) -> int:
        """Launches, failed ones included."""
        return 1 + len(self.experiment.relaunches)


@dataclass(frozen=True)
class Contest:
    """Contenders of a task.

    Attributes:
        chosen: the recommended one.
        baseline: None where there is none, where it has no point to compare with, and where it is
            the chosen one.
        rivals: other candidates within the SLO, the best first; none where nothing is within.
        best: id of the best candidate as measured, where a simpler one is chosen; else None.
    """

    chosen: Contender
    baseline: Contender | None
    rivals: tuple[Contender, ...]
    criteria: Criteria
    best: str | None = None

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
        return posterior_of(tuple(launches))

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


def contest_of(
    experiments: Sequence[ExperimentRecord], plan: Mapping[str, Any], criteria: Criteria
) -> Contest | None:
    """The contest of a task; None where nothing is recommended.

    Args:
        plan: of the task, which keeps its baseline.
    """
    chosen_point = recommendation_of(experiments, plan, criteria)
    if chosen_point is None:
        return None
    point, meets_slo = chosen_point.point, chosen_point.meets_slo
    completed = [e for e in experiments if e.status == "completed"]
    points = {e.candidate_id: points_of(e, criteria) for e in completed}
    by_id = {e.candidate_id: e for e in completed}
    chosen = Contender(by_id[point.candidate_id], point, (point.load,))
    key = (plan.get(PLANNED) or {}).get("candidate")
    baseline = None
    if meets_slo and key in by_id and key != point.candidate_id:
        baseline = _baseline(by_id[key], points[key], point, criteria)
    rivals = [
        Contender(by_id[other], own, (own.load,))
        for other, found in points.items()
        if meets_slo and other not in (point.candidate_id, key)
        for own in best_within(found, criteria)
    ]
    rivals.sort(key=lambda one: -_merit(one.point, criteria))
    best = chosen_point.best
    return Contest(
        chosen,
        baseline,
        tuple(rivals[:MOST_RIVALS]),
        criteria,
        None if best is None else best.point.candidate_id,
    )


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
    if contest is None:
        return Stop("nothing to confirm: no launch measured an operating point")
    made = sum(len(experiment.relaunches) for experiment in experiments)
    unclear = contest.unclear
    if not unclear and contest.chosen.attempts > 1:
        return Stop(f"confirmed after {counted(made)}")
    if made >= most:
        is_open = any(one.point.candidate_id != contest.best for one in unclear)
        return Stop(f"{'not settled' if is_open else 'confirmed'} after {counted(made)}")
    wanted = [contest.chosen, *unclear]
    fewest = min(one.attempts for one in wanted)
    turn = [one for one in wanted if one.attempts == fewest]
    following = turn[-1 if fewest % 2 == 0 else 0]
    return Relaunch(following.experiment.candidate_id, following.loads, _reason(contest, following))


def _reason(contest: Contest, following: Contender) -> str:
    if following is contest.chosen:
        return "recommended by what was measured once: is it so again?"
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
    best = next(best_within(points, criteria), None)
    if best is None:
        return None
    measured = {point.load for point in points}
    loads = dict.fromkeys((best.load, *({chosen.load} & measured)))
    return Contender(experiment, best, tuple(sorted(loads)))


def _merit(point: OperatingPoint, criteria: Criteria) -> float:
    return log_merit(point, criteria.slo, criteria.objectives)
