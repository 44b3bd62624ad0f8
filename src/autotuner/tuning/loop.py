"""The loop: ask search, launch, measure, store, tell; until search stops.

Everything that is finished is stored before the next thing begins, so that the loop can be ended
at any moment, by any means, and goes on from there when it is called again: with the same choices
as if it had never been ended, for all that they depend on is kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

from autotuner.errors import AutotunerError, StoreError
from autotuner.launch import Launcher
from autotuner.launch.devices import Gpus
from autotuner.launch.protocol import closed_when_left
from autotuner.measure import LoadGenerator
from autotuner.measure.level_watch import UNWATCHED, LevelWatcher
from autotuner.predict import Observation
from autotuner.search import (
    EndLaunch,
    NextLevel,
    Proposal,
    RunningLaunch,
    Stop,
    Strategy,
    description,
    uses_knowledge,
)
from autotuner.search import next_level as choose_level
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.store.predicted_frontiers import PredictedFrontier
from autotuner.tuning.baseline import PHASE, first_launch
from autotuner.tuning.estimate import MOST_CANDIDATES
from autotuner.tuning.events import (
    Event,
    EventRecorder,
    Predicting,
    StrategyChosen,
    TaskEnded,
    TaskStarted,
)
from autotuner.tuning.experiment import Experimenter
from autotuner.tuning.forecast import Forecast
from autotuner.tuning.history import History, WallTime, at_baseline_of
from autotuner.tuning.level_meter import report_busy_machine
from autotuner.tuning.measured_points import MeasuredPoints
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.parallel import ParallelExperiments
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.recommendation import best_point
from autotuner.tuning.relaunch import Relauncher, reference_due, to_confirm
from autotuner.tuning.representative import standings
from autotuner.tuning.search_state import MOST_PREDICTED, SearchContext, ended_s, search_context
from autotuner.tuning.space_frontier import space_frontier

Listener = Callable[[Event], None]
Hold = Callable[[int], Store]
"""Claims a task, and returns the store to which whoever holds it writes."""
Left = tuple[str, str]
"""Fate of a task that is left before its end: its status, and the reason in words."""
_KNOWN_UNTIL = "known_until"
"""In a task's plan: the newest observation that was there when it began."""


class Installed(TypedDict):
    """Description of a task by this machine: columns of it."""

    model: str
    engine: str
    engine_version: str
    device: str


class Tuner:
    """Runs one task to its end: `open_task` or `take`, then `run`.

    What happens is stored as events (see `tuning.events`), and passed to `listen`.

    Args:
        forecast: what is expected of candidates; kept beside each launch, and learnt from.
        logs: folder for the engines' logs.
        devices: the GPUs that engines may use, by name, shared out among those that run at once;
            None: no engine is given any.
        listen: called with every event, in order, from the loop's own thread.
        left: asked what becomes of the task when it is cancelled.
        clock: seconds from any origin; simulated where engines are.
        watcher: what is read of this machine while levels run; nothing where left out.
    """

    def __init__(
        self,
        prepared: Prepared,
        *,
        store: Store,
        launcher: Launcher,
        generator: LoadGenerator,
        strategy: Strategy,
        forecast: Forecast,
        logs: Path,
        devices: Sequence[str] | None = None,
        listen: Listener = lambda event: None,
        left: Callable[[], Left] = lambda: ("interrupted", "interrupted by the user"),
        clock: Callable[[], float] = time.monotonic,
        watcher: LevelWatcher = UNWATCHED,
    ) -> None:
        self._prepared = prepared
        self._store = store
        self._launcher = launcher
        self._generator = generator
        self._strategy = strategy
        self._forecast = forecast
        self._logs = logs
        self._gpus = None if devices is None else Gpus(tuple(devices))
        self._listen = listen
        self._left = left
        self._clock = clock
        self._watcher = watcher
        self._recorder: EventRecorder | None = None
        self._context = SearchContext(prepared)
        self._earlier: tuple[Observation, ...] = ()
        self._history = History()
        self._points = MeasuredPoints(prepared, self._history)
        self._origin_s = self._resumed_s = 0.0

    def open_task(
        self, *, fresh: bool = False, again: bool = False, hold: Hold | None = None
    ) -> TaskRecord:
        """The task to go on with: the newest of this document, or a new one.

        Experiments that were under way when an earlier call ended are taken back. What the
        strategy has to know is gathered here: it may take a while where candidates are many.

        Args:
            fresh: a new one in any case.
            again: a new one where nothing is left to launch in the newest.
            hold: claims the task before anything of it is written; nobody does where left out.
        """
        task = None if fresh else self._store.tasks.newest(self._prepared.content_id)
        asked = self._prepared
        if task is not None:
            known_until = self._gathered_for(task)
            if again and self._is_over(task):
                task, self._prepared = None, asked
        if task is None:
            known_until = self._store.newest_observation()
            self._gather(None, known_until)
            task = self._created(known_until, "running" if hold is None else "pending")
        self._store = self._store if hold is None else hold(task.id)
        return self._taken_up(task, known_until, self._prepared.task.written())

    def take(self, task_id: int) -> TaskRecord:
        """A task that the caller holds, to go on with. What its user wrote stays as it is.

        Raises:
            StoreError: there is no such task.
        """
        task = self._store.tasks.get(task_id)
        if task is None:
            raise StoreError(f"there is no task {task_id}")
        self._recorder = EventRecorder(self._store, task_id)
        return self._taken_up(task, self._gathered_for(task), None)

    async def run(self, task: TaskRecord) -> str:
        """Runs until the strategy stops; returns its reason.

        Cancelling stops the engines, takes the experiments under way back, and leaves the task as
        `left` says.
        """
        self._recorder = self._recorder or EventRecorder(self._store, task.id)
        wall_time = WallTime(self._store, task)
        experimenter = Experimenter(
            self._prepared,
            store=self._store,
            launcher=self._launcher,
            generator=self._generator,
            forecast=self._forecast,
            logs=self._logs,
            listen=self._emit,
            settle=lambda: self._settle(task, wall_time),
            resumed=self._resumed,
            watcher=self._watcher,
        )
        relauncher = Relauncher(
            self._prepared,
            store=self._store,
            launcher=self._launcher,
            meter=experimenter.meter,
            lost=experimenter.lost,
            forecast=self._forecast,
            logs=self._logs,
            listen=self._emit,
            settle=lambda changed: self._settle_again(changed, task, wall_time),
        )
        status, reason = "failed", "an unexpected error"
        with self._recorder, wall_time:
            try:
                self._settle(task, wall_time)
                self._report_beginning(task)
                experimenter.report_warnings()
                await report_busy_machine(self._watcher, self._emit)
                status, reason = await self._until_stopped(task, experimenter, relauncher)
            except asyncio.CancelledError:
                status, reason = self._left()
                raise
            except AutotunerError as error:
                reason = str(error)
                raise
            finally:
                left_s = wall_time.left_s()
                self._store.tasks.end(task.id, status=status, reason=reason, add_wall_s=left_s)
                self._emit(TaskEnded(task.id, status, reason))
        return reason

    def _created(self, known_until: int, status: str) -> TaskRecord:
        config, base = self._prepared.task, self._prepared.base
        return self._store.tasks.create(
            base=None if base is None else str(base.resolve()),
            name=config.name,
            content_id=self._prepared.content_id,
            config=config.written(),
            plan=self._plan(known_until),
            status=status,
            **self._installed(),
        )

    def _installed(self) -> Installed:
        """Description of the task by this machine."""
        prepared = self._prepared
        return {
            "model": prepared.model.name,
            "engine": prepared.engine_name,
            "engine_version": prepared.engine_version,
            "device": prepared.device_name,
        }

    def _taken_up(
        self, task: TaskRecord, known_until: int, config: dict[str, Any] | None
    ) -> TaskRecord:
        """The task, to go on with: what it did not finish is taken back."""
        self._store.interrupt_running(task.id)
        self._store.forget_interrupted(task.id)
        self._store.predicted_frontiers.keep(task.id, self._foreseen())
        return self._store.tasks.update_plan(
            task.id, config=config, plan=self._plan(known_until), found=self._installed()
        )

    def _gathered_for(self, task: TaskRecord) -> int:
        """The newest observation that counts for a task, for which it gathers."""
        self._prepared = at_baseline_of(self._prepared, task.plan)
        known: int = task.plan.get(_KNOWN_UNTIL, self._store.newest_observation())
        self._gather(task.id, known)
        return known

    def _gather(self, task_id: int | None, known_until: int) -> None:
        """All that choices depend on beside the task's own launches.

        Only what was observed before the task began counts: a task that is interrupted goes on with
        what it knew, whatever other tasks have measured meanwhile.
        """
        self._earlier = self._forecast.remembered(
            self._store, until=known_until, besides_task=task_id
        )
        self._context = search_context(
            self._prepared,
            self._strategy,
            self._forecast,
            self._earlier,
            tell=lambda asked, wanted: self._emit(Predicting(asked, wanted)),
        )

    def _foreseen(self) -> PredictedFrontier:
        """The predicted frontier of the whole space; what the strategy has asked is asked once."""
        most = MOST_PREDICTED if uses_knowledge(self._strategy) else MOST_CANDIDATES
        return space_frontier(self._prepared, self._forecast, self._earlier, most=most)

    def _plan(self, known_until: int) -> dict[str, Any]:
        return self._prepared.plan_record() | {
            _KNOWN_UNTIL: known_until,
            "strategy": self._strategy.name,
            "strategy_reason": description(self._strategy, self._context.state(())),
        }

    def _emit(self, event: Event) -> None:
        if self._recorder is not None:
            self._recorder.store(event)
        self._listen(event)

    def _report_beginning(self, task: TaskRecord) -> None:
        kept = sum(1 + len(done.relaunches) for done in self._finished(task))
        self._emit(TaskStarted(task.id, self._prepared.engine_starts, kept, resumed=bool(kept)))
        self._emit(StrategyChosen(task.plan["strategy"], task.plan["strategy_reason"]))

    def _resumed(self, earlier_s: float) -> None:
        """Counts the seconds of an experiment that is gone on with; of several at once, the most
        that one has."""
        self._origin_s -= max(earlier_s - self._resumed_s, 0.0)
        self._resumed_s = max(earlier_s, self._resumed_s)

    def _settle(self, task: TaskRecord, wall_time: WallTime) -> None:
        """Keeps where the finished experiments and the task stand now."""
        config, finished = self._prepared.task, self._finished(task)
        objectives, slo = config.objectives, config.slo_limits()
        price = self._prepared.usd_per_gpu_hour
        found = standings(finished, objectives=objectives, slo=slo, usd_per_gpu_hour=price)
        kept = {experiment.id: experiment.standing for experiment in finished}
        changed = {key: standing for key, standing in found.items() if standing != kept[key]}
        self._store.set_standings(changed)
        self._history.stand(changed)
        left_s = self._context.left_s(finished)
        self._store.tasks.keep_standing(
            task.id,
            best=best_point(finished, task.plan, Criteria.of(config, price)),
            expected_wall_s=None if left_s is None else wall_time.now_s + left_s,
        )

    def _settle_again(self, changed: int, task: TaskRecord, wall_time: WallTime) -> None:
        """The same where an experiment has changed."""
        self._history.forget(changed)
        self._settle(task, wall_time)

    def _is_over(self, task: TaskRecord) -> bool:
        history = self._finished(task)
        is_searched = isinstance(self._strategy.propose(self._context.state(history)), Stop)
        return is_searched and isinstance(to_confirm(self._prepared, history), Stop)

    async def _until_stopped(
        self, task: TaskRecord, experimenter: Experimenter, relauncher: Relauncher
    ) -> tuple[str, str]:
        self._store.tasks.set_status(task.id, status="running", stop_reason="", add_wall_s=0.0)
        self._origin_s = self._clock() - ended_s(self._finished(task))
        parallel = ParallelExperiments(self._prepared.side_by_side, self._gpus)
        async with closed_when_left(self._launcher), parallel:
            while True:
                history = self._finished(task)
                reference = None if parallel else reference_due(self._prepared, history)
                if reference is not None:
                    relauncher.start(task, reference, history, parallel, now_s=self._now_s)
                    await parallel.landed()
                    continue
                choice: Proposal | Stop | None = None
                if not parallel.full:
                    state = self._context.state(history, parallel.under_way, now_s=self._now_s())
                    first = first_launch(self._prepared.baseline, history, parallel.under_way)
                    # In a thread of its own: what is in flight is being measured meanwhile.
                    choice = first or await asyncio.to_thread(self._strategy.propose, state)
                if isinstance(choice, Proposal) and self._start(
                    task, choice, parallel, experimenter
                ):
                    continue
                if isinstance(choice, Stop) and not parallel:
                    again = to_confirm(self._prepared, history)
                    if isinstance(again, Stop):
                        done = [one.status for one in self._context.searched(history)]
                        reason = "; ".join(filter(None, (choice.reason, again.reason)))
                        return ("completed" if "completed" in done else "failed"), reason
                    relauncher.start(task, again, history, parallel, now_s=self._now_s)
                await parallel.landed()

    def _start(
        self,
        task: TaskRecord,
        choice: Proposal,
        parallel: ParallelExperiments,
        experimenter: Experimenter,
    ) -> bool:
        """Whether there was room for it; where not, search is asked again when there is."""
        key, every_level = choice.candidate_id, choice.phase == PHASE

        async def experiment(gpus: tuple[str, ...] | None) -> None:
            await experimenter.run(
                task,
                choice,
                now_s=self._now_s,
                gpus=gpus,
                earlier=self._earlier,
                rivals=list if every_level else self._points.measured,
                front=self._points.frontier,
                next_level=next_level if self._context.as_needed and not every_level else None,
                began=partial(parallel.begin, key),
            )

        async def next_level(running: RunningLaunch) -> NextLevel | EndLaunch:
            state = self._context.beside(
                running, self._finished(task), parallel.under_way, now_s=self._now_s()
            )
            return await asyncio.to_thread(choose_level, self._strategy, state, running)

        return parallel.start(key, self._prepared.launchable.specs[key], experiment)

    def _now_s(self) -> float:
        """Seconds of the task: of the time in which it was worked on."""
        return self._clock() - self._origin_s

    def _finished(self, task: TaskRecord) -> list[ExperimentRecord]:
        return self._history.read(self._store, task.id)
