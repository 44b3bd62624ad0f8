"""A further launch of a candidate, to see whether its figures hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from autotuner.config import LoadLevel
from autotuner.launch import Failure, Launcher, LaunchFailed, LaunchLost, RunningEngine
from autotuner.measure import Measurement
from autotuner.predict import Observation
from autotuner.search import Stop, recommend
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.store.relaunches import FIRST
from autotuner.tuning.contest import Relaunch, next_relaunch
from autotuner.tuning.events import (
    EngineReady,
    Event,
    LaunchTakenBack,
    LevelMeasured,
    RelaunchEnded,
    RelaunchStarted,
)
from autotuner.tuning.forecast import Forecast
from autotuner.tuning.launch_end import kept, learnt, load_failure, until_signals_have_come
from autotuner.tuning.launch_preparation import prepare_launch
from autotuner.tuning.level_meter import LevelMeter
from autotuner.tuning.lost_launches import LostLaunches
from autotuner.tuning.operating_points import Criteria, MeasuredLevel
from autotuner.tuning.parallel import ParallelExperiments
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.recommendation import points_of
from autotuner.tuning.running_launch import Launch
from autotuner.tuning.search_state import spent_s

REFERENCE_EVERY = 5
"""Launches after which a reference is measured again on a machine that is not quiet."""


def to_confirm(prepared: Prepared, history: Sequence[ExperimentRecord]) -> Relaunch | Stop:
    """The candidate that is launched again when search is over; or why none is, in words.

    Args:
        history: the finished experiments of the task.
    """
    following = next_relaunch(
        history,
        prepared.plan_record(),
        Criteria.of(prepared.task, prepared.usd_per_gpu_hour),
        most=prepared.confirm_launches,
    )
    if isinstance(following, Stop):
        return following
    if following.candidate_id not in prepared.launchable.specs:
        return Stop("not confirmed: a candidate can no longer be launched here")
    if not _fits(prepared, following, history):
        return Stop("the budget has no room to confirm it")
    return following


def reference_due(prepared: Prepared, history: Sequence[ExperimentRecord]) -> Relaunch | None:
    """The baseline once more while search is under way, where others use the machine: it shows how
    far the machine has drifted. None where it is quiet, or was measured lately.

    Of the launches that are kept for the end half are taken at the most.

    Args:
        history: the finished experiments of the task.
    """
    key = None if prepared.baseline is None else prepared.baseline.candidate.id
    first = next((e for e in history if e.candidate_id == key and e.status == "completed"), None)
    made = sum(len(experiment.relaunches) for experiment in history)
    if first is None or made >= prepared.confirm_launches // 2:
        return None
    newest_s = max((first.began_s, *(again.began_s for again in first.relaunches)))
    since = [experiment for experiment in history if experiment.began_s > newest_s]
    is_quiet = not any(level.is_disturbed for one in since for level in one.measurements)
    criteria = Criteria.of(prepared.task, prepared.usd_per_gpu_hour)
    best = recommend(points_of(first, criteria), criteria.slo, criteria.objectives)
    if len(since) < REFERENCE_EVERY or is_quiet or best is None:
        return None
    again = Relaunch(
        first.candidate_id,
        (best[0].load,),
        f"the baseline as a reference: others use the machine, and {len(since)} launches were made "
        "since it was measured",
    )
    return again if _fits(prepared, again, history) else None


def _fits(prepared: Prepared, relaunch: Relaunch, history: Sequence[ExperimentRecord]) -> bool:
    """Whether the minutes and USD that are left suffice, by the first launch of the candidate."""
    budget = prepared.task.optimization.budget
    first = next(e for e in history if e.candidate_id == relaunch.candidate_id)
    measured = len({level.load for level in first.measurements}) or 1
    share = len(relaunch.loads) / measured
    seconds = spent_s(history) + (first.startup_s or 0.0) + share * (first.measure_s or 0.0)
    limits_s = [60 * budget.minutes] if budget.minutes is not None else []
    if budget.usd is not None and prepared.price_usd_hour:
        limits_s.append(3600 * budget.usd / prepared.price_usd_hour)
    return all(seconds <= limit_s for limit_s in limits_s)


class Relauncher:
    """Launches candidates of a task again, and adds what they measure to their experiments.

    Args:
        meter: measures load levels.
        lost: says whether lost launches are made again.
        settle: called with an experiment's number in the store when a launch of it is over and
            stored, before its last event.
    """

    def __init__(
        self,
        prepared: Prepared,
        *,
        store: Store,
        launcher: Launcher,
        meter: LevelMeter,
        lost: LostLaunches,
        forecast: Forecast,
        logs: Path,
        listen: Callable[[Event], None],
        settle: Callable[[int], None],
    ) -> None:
        self._prepared = prepared
        self._store = store
        self._launcher = launcher
        self._meter = meter
        self._lost = lost
        self._forecast = forecast
        self._logs = logs
        self._listen = listen
        self._settle = settle
        self._criteria = Criteria.of(prepared.task, prepared.usd_per_gpu_hour)

    def start(
        self,
        task: TaskRecord,
        relaunch: Relaunch,
        history: Sequence[ExperimentRecord],
        parallel: ParallelExperiments,
        *,
        now_s: Callable[[], float],
    ) -> None:
        """Starts a launch where nothing else is under way."""
        key = relaunch.candidate_id
        experiment = next(e for e in history if e.candidate_id == key)
        further = 1 + sum(len(each.relaunches) for each in history)

        async def launched(gpus: tuple[str, ...] | None) -> None:
            await self.run(task, relaunch, experiment, further=further, now_s=now_s, gpus=gpus)

        parallel.start(key, self._prepared.launchable.specs[key], launched)

    async def run(
        self,
        task: TaskRecord,
        relaunch: Relaunch,
        experiment: ExperimentRecord,
        *,
        further: int,
        now_s: Callable[[], float],
        gpus: Sequence[str] | None,
    ) -> None:
        """Launches, measures the levels that are asked for, and stores both with the end. What a
        launch has measured that is lost, goes with it.

        Args:
            experiment: of the candidate.
            further: its number among the further launches of all candidates.
            now_s: tells the seconds of the task.
            gpus: those that the engine is limited to; see `Launcher.launch`.
        """
        number = FIRST + len(experiment.relaunches)
        key, index = relaunch.candidate_id, experiment.index
        log_path = self._logs / str(task.id) / f"{key}-launch{number}.log"
        began_s: float | None = None
        spec = self._prepared.launchable.specs[key]
        while True:
            record = self._store.begin_relaunch(
                experiment.id,
                launch=number,
                selection_reason=relaunch.reason,
                log_path=str(log_path),
            )
            preparing_s, lost, lost_s = now_s(), None, record.lost_s
            await prepare_launch(self._launcher, spec, self._listen)
            if began_s is None:
                began_s = now_s() - lost_s
            else:
                began_s += now_s() - preparing_s
            most = max(self._prepared.confirm_launches, further)
            self._listen(RelaunchStarted(index, key, number, relaunch.reason, further, most))
            launch = self._launch(experiment, gpus)
            try:
                startup_s, failure = await self._made(launch, relaunch, number, log_path, now_s)
            except LaunchLost as gone:
                lost, startup_s, lost_s = gone, 0.0, now_s() - began_s
                failure = self._lost.failure(experiment.id, gone, log_path, relaunch=number)
            else:
                self._lost.landed()
            seconds = now_s() - began_s
            is_over = lost is None or failure is not None
            if is_over:
                self._store.finish_relaunch(
                    experiment.id,
                    number,
                    failure=kept(failure),
                    startup_s=startup_s,
                    measure_s=seconds - startup_s - lost_s,
                    lost_s=lost_s,
                    began_s=began_s,
                    measured=() if failure else launch.measured,
                    observations=() if failure else self._learn(task, launch),
                )
                self._settle(experiment.id)
                self._listen(RelaunchEnded(index, key, number, failure, seconds))
            else:
                self._store.take_relaunch_back(
                    experiment.id, number, lost_s=lost_s, began_s=began_s
                )
                self._listen(LaunchTakenBack(index, str(lost)))
            if lost is not None:
                self._lost.require_some_landed(lost)
            if is_over:
                return

    async def _made(
        self,
        launch: Launch,
        relaunch: Relaunch,
        number: int,
        log_path: Path,
        now_s: Callable[[], float],
    ) -> tuple[float, Failure | None]:
        """Seconds that its engine took to start, and why the launch failed, if it did."""
        began_s = now_s()
        try:
            engine = await self._launcher.launch(
                launch.spec,
                launch.devices,
                log_path=log_path,
                ready_timeout_s=self._prepared.task.benchmark.ready_timeout_s,
            )
        except LaunchFailed as failed:
            return now_s() - began_s, failed.failure
        self._listen(EngineReady(launch.record.index, engine.startup_s))
        async with engine:
            async for measurement in self._levels(engine, launch, relaunch.loads, number):
                launch.measured.append(measurement)
                self._listen(self._shown(launch))
            return engine.startup_s, load_failure(engine, launch.measured)

    def _launch(self, experiment: ExperimentRecord, gpus: Sequence[str] | None) -> Launch:
        key, launchable = experiment.candidate_id, self._prepared.launchable
        candidate = next(one for one in launchable.candidates if one.id == key)
        expected = self._forecast.expected([key], ())[key]
        devices = tuple(gpus or ())
        return Launch(experiment, candidate, launchable.specs[key], expected, devices=devices)

    async def _levels(
        self, engine: RunningEngine, launch: Launch, loads: Sequence[LoadLevel], number: int
    ) -> AsyncIterator[Measurement]:
        """Every level with all its repeats, until the engine dies."""
        repeats = self._prepared.task.benchmark.repeats
        for load in loads:
            for repeat in range((number - 1) * repeats, number * repeats):
                found = await self._meter.measure(engine, launch, load, repeat)
                await until_signals_have_come(engine, found)
                yield found.model_copy(update={"launch": number})
                if engine.exit_code() is not None:
                    return

    def _shown(self, launch: Launch) -> LevelMeasured:
        """The newest level, with what all launches of the candidate have measured at it."""
        experiment, newest = launch.record, launch.measured[-1]
        every = (*experiment.measurements, *launch.measured)
        level = MeasuredLevel(
            experiment.index,
            experiment.candidate_id,
            experiment.settings,
            launch.candidate.gpus,
            tuple(m for m in every if m.load == newest.load),
            self._criteria.usd_per_gpu_hour,
        )
        return LevelMeasured(
            experiment.index,
            newest,
            launch.expected.at(newest.load),
            level.view(self._criteria, on_frontier=experiment.standing.is_on_actual_frontier),
            frontier_changed=False,
        )

    def _learn(self, task: TaskRecord, launch: Launch) -> tuple[Observation, ...]:
        return learnt(
            self._forecast,
            launch.candidate,
            launch.expected,
            launch.measured,
            task_id=task.id,
            when_busy=self._prepared.task.benchmark.learn_when_busy,
        )
