"""Confirmation of a stored task: what further launches say of its recommendation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autotuner.config import TaskConfig
from autotuner.search.points import percent
from autotuner.store import ExperimentRecord
from autotuner.tuning.baseline_words import certainty_text, gain, left_out
from autotuner.tuning.confirmation_views import (
    ConfirmationView,
    ContenderView,
    DriftedLaunchView,
    DriftView,
    MovedView,
    RelaunchView,
)
from autotuner.tuning.contest import Contender, Contest, contest_around, counted
from autotuner.tuning.launch_figures import began_s_of
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.prepare import CONFIRMING
from autotuner.tuning.recommendation import RecommendedPoint, recommendation_of
from autotuner.tuning.search_state import first_launches

if TYPE_CHECKING:
    from autotuner.certainty import Ratio

_LEAST_BUDGET = 4
_UNSETTLED = ": not settled"


def confirmation_of(
    experiments: Sequence[ExperimentRecord],
    plan: Mapping[str, Any],
    config: TaskConfig,
    criteria: Criteria,
    *,
    chosen: RecommendedPoint | None,
    is_over: bool,
) -> ConfirmationView | None:
    """The confirmation of a task; None where none is wanted, or nothing is recommended.

    Args:
        plan: of the task; tasks of earlier versions confirm nothing.
        chosen: the recommended point.
        is_over: whether the task has ended.
    """
    if not config.optimization.confirm or CONFIRMING not in plan or config.replay is not None:
        return None
    contest = None if chosen is None else contest_around(chosen, experiments, plan, criteria)
    launches = list(_relaunches(experiments))
    view = ConfirmationView(
        status="pending",
        headline="",
        planned=config.optimization.confirm_launches(),
        made=len(launches),
        recommended_launches=0 if contest is None else contest.chosen.launches,
        launches=launches,
    )
    if contest is None:
        if not launches:
            return None
        lost = {"status": "failed", "headline": "not confirmed: no operating point is left"}
        return view.model_copy(update=lost | {"notes": list(_lost(experiments))})
    if launches:
        compared = {
            "contenders": [_contender(contest, other) for other in contest.others],
            "probability_best": _probability_best(contest),
            "scatter": contest.posterior.launch_std,
            "drift": _drift(contest, experiments),
            "moved_from": _moved_from(experiments, plan, criteria, contest),
        }
        view = view.model_copy(update=compared)
    status = _status(view, contest, is_over=is_over)
    view = view.model_copy(update={"status": status})
    notes = [*_notes(view), *_lost(experiments)]
    words = {"headline": _headline(view, contest, config), "notes": notes}
    return view.model_copy(update=words)


def _relaunches(experiments: Sequence[ExperimentRecord]) -> Iterator[RelaunchView]:
    for experiment in experiments:
        for relaunch in experiment.relaunches:
            yield RelaunchView(
                index=experiment.index,
                candidate=experiment.candidate_id,
                launch=relaunch.launch,
                status=relaunch.status,
                reason=relaunch.selection_reason,
                failure=relaunch.failure_message,
                startup_s=relaunch.startup_s,
                measure_s=relaunch.measure_s,
                lost_s=relaunch.lost_s,
            )


def _contender(contest: Contest, other: Contender) -> ContenderView:
    ratio, decided = contest.ratio(other), contest.settled(other)
    index, is_baseline = other.experiment.index, other is contest.baseline
    return ContenderView(
        index=index,
        candidate=other.experiment.candidate_id,
        load=other.point.load,
        is_baseline=is_baseline,
        is_best_measured=other.point.candidate_id == contest.best,
        launches=other.launches,
        ratio=ratio.median,
        low=ratio.low,
        high=ratio.high,
        probability_better=ratio.above_one,
        settled=decided,
        name=f"{'the baseline' if is_baseline else f'launch {index}'} at {other.point.load.short}",
        change=gain(ratio.median),
        interval=f"{gain(ratio.low)} to {gain(ratio.high)}",
        certainty=certainty_text(ratio.above_one, decided),
    )


def _probability_best(contest: Contest) -> float:
    names = [one.configuration for one in (contest.chosen, *contest.others)]
    return contest.posterior.best(names)[contest.chosen.configuration]


def _drift(contest: Contest, experiments: Sequence[ExperimentRecord]) -> DriftView:
    drift = contest.posterior.drift()
    touched = [
        DriftedLaunchView(index=experiment.index, launch=launch, ratio=then.median)
        for experiment in experiments
        for launch, at_s in began_s_of(experiment).items()
        if _is_seen(then := contest.posterior.drift(at_s))
    ]
    return DriftView(
        ratio=drift.median,
        low=drift.low,
        high=drift.high,
        is_seen=_is_seen(drift),
        launches=touched,
    )


def _is_seen(drift: Ratio) -> bool:
    return not drift.low <= 1 <= drift.high


def _moved_from(
    experiments: Sequence[ExperimentRecord],
    plan: Mapping[str, Any],
    criteria: Criteria,
    contest: Contest,
) -> MovedView | None:
    before = recommendation_of(first_launches(experiments), plan, criteria)
    if before is None:
        return None
    point, now = before.point, contest.chosen.point
    if (point.candidate_id, point.load) == (now.candidate_id, now.load):
        return None
    index = next(e.index for e in experiments if e.candidate_id == point.candidate_id)
    return MovedView(index=index, candidate=point.candidate_id, load=point.load)


def _status(view: ConfirmationView, contest: Contest, *, is_over: bool) -> str:
    state = contest.state
    if state == "failed":
        return state
    if not is_over:
        return "pending"
    if state == "once":
        return "not_settled" if view.made else "none"
    return state


def _headline(view: ConfirmationView, contest: Contest, config: TaskConfig) -> str:
    chosen = contest.chosen
    times = f"launched {chosen.launches} times"
    match view.status:
        case "pending":
            if view.made:
                return f"{view.made} of up to {view.planned} launches that confirm it are done"
            return f"up to {view.planned} launches will confirm the result when search has ended"
        case "none" if not view.planned:
            budget = config.optimization.budget.experiments
            return (
                f"not confirmed: a budget of {budget} experiments leaves no launch for it; "
                f"{_LEAST_BUDGET} are the least"
            )
        case "none":
            return "not confirmed: nothing was launched again; the reason is why the task ended"
        case "failed":
            failed = chosen.failed[0]
            return (
                f"not confirmed: launch {failed.launch} of the recommended candidate failed: "
                f"{failed.failure_message}"
            )
        case "confirmed":
            beaten = [_name(other) for other in view.contenders if other.settled == "better"]
            equal = [_name(o) for o in view.contenders if o.is_best_measured]
            better = f", better than {_listed(beaten)}" if beaten else ""
            as_good = f", as good within noise as {_listed(equal)}" if equal else ""
            return f"confirmed: {times}{better}{as_good}"
    if chosen.launches < 2:
        if out := chosen.left_out:
            left = left_out("the recommended candidate", out, chosen.point.load.long)
            return f"not confirmed: one launch counts; {left}"
        return "not confirmed: the recommended candidate was launched once at this load level"
    if not contest.meets_slo:
        return f"not confirmed: {times}, and outside the SLO"
    if chosen.misses_slo:
        numbers = _listed([str(number) for number in chosen.misses_slo])
        return f"not confirmed: launch {numbers} of the recommended candidate misses the SLO"
    open_ = {other.experiment.index for other in contest.open}
    each = [
        f"{_name(other)} ({other.certainty.removesuffix(_UNSETTLED)})"
        for other in view.contenders
        if other.index in open_
    ]
    return f"not settled after {counted(view.made)}: against {_listed(each)}"


def _notes(view: ConfirmationView) -> Iterator[str]:
    if view.scatter is not None:
        yield (
            "launches of one configuration differ from each other by about "
            f"{percent(view.scatter)} (standard deviation); the intervals include it"
        )
    drift = view.drift
    if drift is not None and drift.is_seen:
        yield (
            f"the machine drifted by {gain(drift.ratio)} ({gain(drift.low)} to {gain(drift.high)}) "
            "from the first to the last launch that is compared; comparisons are corrected for it, "
            f"figures are as measured{_touched(drift)}"
        )
    moved = view.moved_from
    if moved is not None:
        yield (
            f"after the search launch {moved.index} at {moved.load.long} looked best; further "
            "launches changed that"
        )


def _touched(drift: DriftView) -> str:
    """Launches that a drift touches, in words: `; it touches launches 5 and 7`."""
    first = [str(one.index) for one in drift.launches if one.launch == 1]
    further = len(drift.launches) - len(first)
    parts = [f"launch{'es' if len(first) > 1 else ''} {_listed(first)}"] if first else []
    parts += [counted(further)] if further else []
    return f"; it touches {_listed(parts)}" if parts else ""


def _lost(experiments: Sequence[ExperimentRecord]) -> Iterator[str]:
    """Sentences about load levels that a further launch could not serve."""
    for experiment in experiments:
        for level in experiment.measurements:
            if level.launch > 1 and not level.is_steady:
                yield (
                    f"launch {experiment.index}, launched again, did not keep up at "
                    f"{level.load.long}, or requests failed: that is no operating point any more"
                )


def _name(other: ContenderView) -> str:
    return "the baseline" if other.is_baseline else f"launch {other.index}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
