"""State of a search: the task, prior knowledge of its candidates, and what was launched.

Prior knowledge is gathered once, and the same again when a task goes on after an interruption:
predictions depend on the task alone, and of what other tasks have measured only what was there when
the task began counts.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autotuner.config import Candidate
from autotuner.predict import Observation
from autotuner.search import (
    Budget,
    ChoosesLevels,
    Circumstances,
    Knowledge,
    RunningLaunch,
    SearchState,
    Strategy,
    uses_knowledge,
)
from autotuner.search.grid_and_random import spread
from autotuner.store import ExperimentRecord, RelaunchRecord
from autotuner.tuning.estimate import LaunchTimes, busy_s
from autotuner.tuning.forecast import Forecast
from autotuner.tuning.points import outcome
from autotuner.tuning.prepare import Prepared

MOST_PREDICTED = 5_000
"""Candidates that are predicted, spread over a space that has more: what a search can think over
within a second."""


def prior_knowledge(
    prepared: Prepared,
    forecast: Forecast,
    observations: Sequence[Observation],
    *,
    most: int = MOST_PREDICTED,
    tell: Callable[[int, int], None] = lambda asked, wanted: None,
) -> Knowledge:
    """Knowledge that `forecast` has of the candidates, and what of `observations` belongs to it.

    Never raises for what a predictor does: the forecast keeps that as a warning.

    Args:
        observations: what other tasks measured.
        most: candidates that are predicted.
        tell: called with how many candidates are asked for, of how many.
    """
    candidates = prepared.space.candidates
    asked = [candidates[place] for place in spread(len(candidates), most)]
    expected = forecast.expected_in_batches([candidate.id for candidate in asked], progress=tell)
    unasked = f"a sample of {len(asked):,} of {len(candidates):,} candidates is predicted"
    refused = {key: one.refused for key, one in expected.items() if one.refused is not None}
    return Knowledge(
        predictions={key: one.base for key, one in expected.items() if one.base},
        out_of_memory={
            key: one.out_of_memory.why
            for key, one in expected.items()
            if one.out_of_memory is not None
        },
        refused=refused | {c.id: unasked for c in candidates if c.id not in expected},
        circumstances={c.id: known for c in candidates if (known := _circumstances(forecast, c))},
        earlier=forecast.relevant(observations),
    )


def _circumstances(forecast: Forecast, candidate: Candidate) -> Circumstances | None:
    scenario = forecast.scenario(candidate.id)
    if scenario is None:
        return None
    return Circumstances(
        model=scenario.model,
        family=scenario.facts.architecture,
        engine=scenario.engine,
        device=scenario.device,
        isl=scenario.isl,
        osl=scenario.osl,
        gpus=scenario.devices(candidate),
    )


class SearchContext:
    """Makes the states of a search; what stays the same over a task is prepared once.

    Args:
        knowledge: as `prior_knowledge` gathers it; None for a strategy that needs none.
        as_needed: whether launches measure the load levels that the strategy asks for.
    """

    def __init__(
        self, prepared: Prepared, knowledge: Knowledge | None = None, *, as_needed: bool = False
    ) -> None:
        self.as_needed = as_needed
        self._prepared = prepared
        self._ids = tuple(candidate.id for candidate in prepared.space.candidates)
        self._settings = _Settings(prepared.space.candidates)
        beside = prepared.launchable.places[len(self._ids) :]
        self._beside = beside[0][0].id if beside else None
        self._knowledge = knowledge
        self._times = LaunchTimes(
            {} if knowledge is None else knowledge.predictions,
            prepared.task.benchmark,
            startup_guess_s=prepared.startup_guess_s,
        )

    def state(
        self,
        history: Sequence[ExperimentRecord],
        under_way: Mapping[str, float | None] | None = None,
        *,
        now_s: float = 0.0,
    ) -> SearchState:
        """The state of the search.

        Minutes and money count while at least one engine is up or starting. A baseline that is no
        candidate of the space costs both, and takes no other part. Further launches of a candidate
        take none: search is over when they begin.

        Args:
            history: finished experiments in the order of their launch.
            under_way: id -> when its launch began, in seconds of the task; None while it is being
                prepared, which costs neither minutes nor money. One that is in the
                history is no longer in flight, although its engine may still be ending.
            now_s: the same clock now.
        """
        task = self._prepared.task
        history = first_launches(history)
        spans = [span for experiment in history for span in _spans(experiment)]
        finished = {experiment.candidate_id for experiment in history}
        history = self.searched(history)
        flying = {id_: at for id_, at in (under_way or {}).items() if id_ not in finished}
        price = self._prepared.usd_per_gpu_hour
        begun = [at for at in flying.values() if at is not None]
        spent_s = busy_s([*spans, *((began, now_s - began) for began in begun)])
        return SearchState(
            candidates=self._ids,
            history=tuple(outcome(done, price, task.compared) for done in history),
            objectives=task.objectives,
            budget=self._search_budget(history),
            spent_experiments=len(history),
            spent_minutes=spent_s / 60,
            spent_usd=spent_s / 3600 * self._prepared.price_usd_hour,
            seed=task.optimization.seed,
            in_flight=tuple(id_ for id_ in flying if id_ != self._beside),
            levels=task.benchmark.levels,
            settings=self._settings,
            slo=task.slo_limits(),
            threshold=task.optimization.threshold(),
            usd_per_gpu_hour=price,
            knowledge=self._known(history),
            level_by_level=self._times.by_level(history) if self.as_needed else None,
        )

    def beside(
        self,
        running: RunningLaunch,
        history: Sequence[ExperimentRecord],
        under_way: Mapping[str, float | None],
        *,
        now_s: float,
    ) -> SearchState:
        """The state of the search without a launch that is under way, but for its minutes."""
        state = self.state(history, under_way, now_s=now_s)
        others = tuple(key for key in state.in_flight if key != running.candidate_id)
        return replace(state, in_flight=others)

    def left_s(self, history: Sequence[ExperimentRecord]) -> float | None:
        """Seconds that the launches which are left take at the most; None while nothing tells, or
        where nothing is launched."""
        prepared = self._prepared
        predicted = self._knowledge is not None and self._knowledge.predictions
        if prepared.replay is not None or not (history or predicted):
            return None
        searched = self.searched(first_launches(history))
        finished = {experiment.candidate_id for experiment in searched}
        untried = [id_ for id_ in self._ids if id_ not in finished]
        launches = max(prepared.launches - len(searched), 0)
        left_s = self._confirming_s(history)
        if untried and launches:
            minutes = self._times.minutes(untried, searched)
            left_s += 60 * statistics.fmean(minutes.values()) * launches / prepared.side_by_side
        budget = prepared.budget.minutes
        if budget is None:
            return left_s
        return max(min(left_s, 60 * budget - spent_s(history)), 0.0)

    def _confirming_s(self, history: Sequence[ExperimentRecord]) -> float:
        """Seconds that further launches which are left take at the most."""
        made = sum(len(experiment.relaunches) for experiment in history)
        each_s = [duration_s for done in history for _, duration_s in _spans(done)]
        left = max(self._prepared.confirm_launches - made, 0)
        return left * statistics.fmean(each_s) if each_s else 0.0

    def searched(self, history: Sequence[ExperimentRecord]) -> list[ExperimentRecord]:
        """The experiments of candidates: without that of a baseline which is none."""
        return [done for done in history if done.candidate_id != self._beside]

    def _search_budget(self, history: Sequence[ExperimentRecord]) -> Budget:
        """The budget without what confirming the result takes: as long as launches took until now,
        a quarter at the most."""
        budget, launches = self._prepared.budget, self._prepared.confirm_launches
        if not launches:
            return budget
        each_s = [duration_s for done in history for _, duration_s in _spans(done)]
        minutes = launches * statistics.fmean(each_s) / 60 if each_s else math.inf
        usd = minutes / 60 * self._prepared.price_usd_hour
        return replace(budget, minutes=_kept(budget.minutes, minutes), usd=_kept(budget.usd, usd))

    def _known(self, history: Sequence[ExperimentRecord]) -> Knowledge:
        if self._knowledge is None:
            return Knowledge()
        return self._knowledge.with_minutes(self._times.minutes(self._ids, history))


def search_context(
    prepared: Prepared,
    strategy: Strategy,
    forecast: Forecast,
    observations: Sequence[Observation],
    *,
    most: int = MOST_PREDICTED,
    tell: Callable[[int, int], None] = lambda asked, wanted: None,
) -> SearchContext:
    """With the knowledge that `strategy` needs, gathered now; see `prior_knowledge`."""
    asked = prepared.task.optimization.levels_as_needed() and isinstance(strategy, ChoosesLevels)
    known = None
    if uses_knowledge(strategy):
        known = prior_knowledge(prepared, forecast, observations, most=most, tell=tell)
    return SearchContext(prepared, known, as_needed=asked)


def first_launches(history: Sequence[ExperimentRecord]) -> list[ExperimentRecord]:
    """The experiments as search made them: of candidates that were launched again the first
    launch."""
    return [
        replace(
            done,
            measurements=tuple(level for level in done.measurements if level.launch == 1),
            relaunches=(),
            lost_relaunches=(),
        )
        if done.relaunches or done.lost_relaunches
        else done
        for done in history
    ]


def ended_s(history: Sequence[ExperimentRecord]) -> float:
    """When the last of the launches ended, in seconds of the task."""
    return max((sum(span) for done in history for span in _spans(done)), default=0.0)


def spent_s(history: Sequence[ExperimentRecord]) -> float:
    """Seconds in which at least one engine was up or starting."""
    return busy_s(span for done in history for span in _spans(done))


def _kept(limit: float | None, confirming: float) -> float | None:
    return None if limit is None else limit - min(limit / 4, confirming)


def _spans(experiment: ExperimentRecord) -> Iterator[tuple[float, float]]:
    """When each of its launches began, and how long it took, those that were lost included."""
    launches: tuple[ExperimentRecord | RelaunchRecord, ...]
    launches = (experiment, *experiment.relaunches, *experiment.lost_relaunches)
    for launch in launches:
        taken_s = (launch.startup_s or 0.0) + (launch.measure_s or 0.0) + launch.lost_s
        yield launch.began_s, taken_s


class _Settings(Mapping[str, Mapping[str, object]]):
    """Candidate id -> its settings, put together when they are asked for."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = {candidate.id: candidate for candidate in candidates}
        self._found: dict[str, dict[str, Any]] = {}

    def __getitem__(self, candidate_id: str) -> Mapping[str, object]:
        if candidate_id not in self._found:
            self._found[candidate_id] = self._candidates[candidate_id].settings()
        return self._found[candidate_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._candidates)

    def __len__(self) -> int:
        return len(self._candidates)
