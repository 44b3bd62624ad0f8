"""One experiment: a launch, its sweep of load levels, and what is learnt from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from autotuner.config import LoadLevel
from autotuner.errors import LaunchError
from autotuner.launch import (
    Failure,
    Launcher,
    LaunchFailed,
    LaunchLost,
    RunningEngine,
)
from autotuner.measure import LoadGenerator, Measurement
from autotuner.measure.level_watch import UNWATCHED, LevelWatcher
from autotuner.predict import Observation
from autotuner.search import (
    OperatingPoint,
    Proposal,
)
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.tuning.events import (
    EngineReady,
    Event,
    ExperimentEnded,
    ExperimentStarted,
    LaunchCutShort,
    LaunchTakenBack,
    LevelMeasured,
    NotPredicted,
    PredictionTrouble,
)
from autotuner.tuning.forecast import Expected, Forecast
from autotuner.tuning.launch_end import kept, learnt, load_failure, until_signals_have_come
from autotuner.tuning.launch_preparation import prepare_launch
from autotuner.tuning.level_meter import LevelMeter
from autotuner.tuning.lost_launches import LostLaunches
from autotuner.tuning.operating_points import Criteria, MeasuredLevel
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.representative import frontier
from autotuner.tuning.running_launch import ChooseLevel, Launch, Rivals, levels_to_measure

Listener = Callable[[Event], None]


class Experimenter:
    """Runs the experiments of a task; several may be under way at once. See `Tuner`.

    Args:
        resumed: called with the seconds that an experiment, gone on with, had cost before.
        watcher: what is read of this machine while levels run; nothing where left out.
        settle: called when an experiment is finished and stored, before any event of it.
    """

    def __init__(
        self,
        prepared: Prepared,
        *,
        store: Store,
        launcher: Launcher,
        generator: LoadGenerator,
        forecast: Forecast,
        logs: Path,
        listen: Listener,
        settle: Callable[[], None] = lambda: None,
        resumed: Callable[[float], None] = lambda earlier_s: None,
        watcher: LevelWatcher = UNWATCHED,
    ) -> None:
        self._prepared = prepared
        self._store = store
        self._launcher = launcher
        self._forecast = forecast
        self._logs = logs
        self._listen = listen
        self._settle = settle
        self._resumed = resumed
        self.meter = LevelMeter(prepared, generator, listen=listen, watcher=watcher)
        self.lost = LostLaunches(at_once=prepared.side_by_side)
        self._criteria = Criteria.of(prepared.task, prepared.usd_per_gpu_hour)
        self._under_way: dict[int, Launch] = {}
        self._reported = 0
        self._asking = asyncio.Lock()

    async def run(
        self,
        task: TaskRecord,
        proposal: Proposal,
        *,
        now_s: Callable[[], float],
        gpus: Sequence[str] | None,
        earlier: Sequence[Observation],
        rivals: Rivals,
        front: Rivals,
        next_level: ChooseLevel | None = None,
        began: Callable[[float], None] = lambda began_s: None,
    ) -> None:
        """Launches, measures, learns; every step is stored before the next.

        Args:
            now_s: tells the seconds of the task.
            gpus: those that the engine is limited to; see `Launcher.launch`.
            earlier: what was measured before this task.
            front: the frontier of `rivals`.
            next_level: chooses the load levels; where left out, every level is measured, rising.
            began: called with the second at which it began, which is later the longer its launches
                have to be prepared.
        """
        began_s: float | None = None
        spec = self._prepared.launchable.specs[proposal.candidate_id]
        while True:
            preparing_s = now_s()
            await prepare_launch(self._launcher, spec, self._listen)
            prepared_s = now_s()
            launch = await self._begin(task, proposal, earlier)
            launch.devices = tuple(gpus or ())
            if began_s is None:
                self._resumed(launch.before_s)
                began_s = now_s() - launch.before_s
            else:
                began_s += prepared_s - preparing_s
            began(began_s)
            self._under_way[launch.record.index] = launch
            try:
                await self._carry_out(task, launch, began_s, now_s, gpus, rivals, front, next_level)
                self.lost.landed()
                return
            except LaunchLost as lost:
                if self._is_given_up(launch, lost, began_s, now_s() - began_s):
                    return
            finally:
                del self._under_way[launch.record.index]

    def _is_given_up(
        self, launch: Launch, lost: LaunchLost, began_s: float, seconds: float
    ) -> bool:
        """Takes a launch back whose machine was lost, to be made again, or ends its experiment.

        Raises:
            LaunchError: one launch after the other is lost.
        """
        record, lost_s = launch.record, seconds - launch.measured_s
        failure = self.lost.failure(record.id, lost, Path(record.log_path))
        if failure is None:
            self._store.take_experiment_back(record.id, lost_s=lost_s)
            self._listen(LaunchTakenBack(record.index, str(lost)))
        else:
            self._store.finish_experiment(
                record.id,
                status="failed",
                failure=kept(failure),
                startup_s=None,
                measure_s=launch.measured_s,
                lost_s=lost_s,
                began_s=began_s,
            )
            self._settle()
            self._listen(ExperimentEnded(record.index, launch.candidate.id, failure, seconds))
        try:
            self.lost.require_some_landed(lost)
        except LaunchError:
            self._store.reopen_lost(self.lost.given_up)
            raise
        return failure is not None

    async def _carry_out(
        self,
        task: TaskRecord,
        launch: Launch,
        began_s: float,
        now_s: Callable[[], float],
        gpus: Sequence[str] | None,
        rivals: Rivals,
        front: Rivals,
        next_level: ChooseLevel | None,
    ) -> None:
        index, lost_s, starting_s = launch.record.index, launch.record.lost_s, now_s()
        try:
            engine = await self._launcher.launch(
                launch.spec,
                gpus or (),
                log_path=Path(launch.record.log_path),
                ready_timeout_s=self._prepared.task.benchmark.ready_timeout_s,
            )
        except LaunchFailed as failed:
            failure: Failure | None = failed.failure
            startup_s = now_s() - starting_s
        else:
            startup_s = engine.startup_s
            self._listen(EngineReady(index, startup_s))
            async with engine:
                measuring_s = now_s()
                levels = levels_to_measure(
                    launch, self._prepared, self._cut(launch), rivals, next_level
                )
                failure = await self._sweep(
                    engine, launch, levels, front, measured_s=lambda: now_s() - measuring_s
                )
        seconds = now_s() - began_s
        self._store.finish_experiment(
            launch.record.id,
            status="failed" if failure else "completed",
            failure=kept(failure),
            startup_s=startup_s,
            measure_s=seconds - startup_s - lost_s,
            lost_s=lost_s,
            began_s=began_s,
            cut_short=launch.cut_short,
            observations=() if failure else self._learn(task, launch),
        )
        self._settle()
        self._listen(ExperimentEnded(index, launch.candidate.id, failure, seconds))

    def report_warnings(self) -> None:
        """Tells what went wrong in a predictor since it was last asked for."""
        for message in self._forecast.warnings[self._reported :]:
            self._listen(PredictionTrouble(message))
        self._reported = len(self._forecast.warnings)

    async def _begin(
        self, task: TaskRecord, proposal: Proposal, earlier: Sequence[Observation]
    ) -> Launch:
        key = proposal.candidate_id
        candidate = next(c for c in self._prepared.launchable.candidates if c.id == key)
        spec = self._prepared.launchable.specs[key]
        record = self._store.begin_experiment(
            task.id,
            candidate_id=key,
            settings=candidate.settings(),
            command=spec.command(),
            selection_reason=proposal.reason,
            phase=proposal.phase,
            log_path=str(self._logs / str(task.id) / f"{key}.log"),
        )
        choice = (proposal.reason, proposal.phase)
        self._listen(ExperimentStarted(record.index, key, candidate.settings(), *choice))
        expected = await self._expect(task, record, earlier)
        levels, measured_s = list(record.measurements), record.measure_s or 0.0
        return Launch(record, candidate, spec, expected, levels, measured_s=measured_s)

    async def _expect(
        self, task: TaskRecord, record: ExperimentRecord, earlier: Sequence[Observation]
    ) -> Expected:
        """Expectation now, stored beside the experiment."""
        own = [kept.observation for kept in self._store.observations(task_id=task.id)]
        key = record.candidate_id
        async with self._asking:
            # In a thread: other launches are being measured meanwhile.
            found = await asyncio.to_thread(self._forecast.expected, [key], [*earlier, *own])
        expected = found[key]
        self._store.add_predictions(
            record.id,
            base=expected.base,
            calibrated=expected.calibrated,
            unpredicted=expected.absent,
        )
        if expected.absent:
            self._listen(NotPredicted(record.index, expected.absent))
        self.report_warnings()
        return expected

    def _learn(self, task: TaskRecord, launch: Launch) -> tuple[Observation, ...]:
        return learnt(
            self._forecast,
            launch.candidate,
            launch.expected,
            launch.measured,
            task_id=task.id,
            when_busy=self._prepared.task.benchmark.learn_when_busy,
        )

    async def _sweep(
        self,
        engine: RunningEngine,
        launch: Launch,
        levels: AsyncIterator[tuple[LoadLevel, int]],
        front: Rivals,
        measured_s: Callable[[], float],
    ) -> Failure | None:
        """Measures the levels of `launch`; returns why the experiment failed, if it did."""
        async for load, repeat in levels:
            measurement = await self.meter.measure(engine, launch, load, repeat)
            await until_signals_have_come(engine, measurement)
            launch.measured_s = launch.earlier_s + measured_s()
            self._store.add_measurement(
                launch.record.id,
                measurement,
                repeat=repeat,
                measure_s=launch.measured_s,
            )
            self._listen(self._measured(launch, measurement, front()))
            if engine.exit_code() is not None:
                break
        return load_failure(engine, launch.measured)

    def _measured(
        self, launch: Launch, measurement: Measurement, front: Sequence[OperatingPoint]
    ) -> LevelMeasured:
        """Adds a level to its launch, and says what that makes of the frontier."""
        before, load = self._frontier(front), measurement.load
        launch.measured.append(measurement)
        after = self._frontier(front)
        level = MeasuredLevel(
            launch.record.index,
            launch.candidate.id,
            launch.record.settings,
            launch.candidate.gpus,
            tuple(repeat for repeat in launch.measured if repeat.load == load),
            self._criteria.usd_per_gpu_hour,
        )
        is_on = (level.candidate, load) in {(p.candidate_id, p.load) for p in after}
        return LevelMeasured(
            launch.record.index,
            measurement,
            launch.expected.at(load),
            level.view(self._criteria, on_frontier=is_on),
            frontier_changed=before != after,
        )

    def _frontier(self, front: Sequence[OperatingPoint]) -> list[OperatingPoint]:
        """The frontier of finished launches, and of what those under way have measured."""
        price, needs = self._criteria.usd_per_gpu_hour, self._criteria.needs
        new = [
            point
            for launch in self._under_way.values()
            for point in launch.points(launch.measured, price, needs)
        ]
        return frontier([*front, *new], self._criteria.objectives, self._criteria.slo)

    def _cut(self, launch: Launch) -> Callable[[str], None]:
        def keep(reason: str) -> None:
            launch.cut_short = reason
            self._listen(LaunchCutShort(launch.record.index, reason))

        return keep
