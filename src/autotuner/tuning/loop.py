"""The loop: ask search, launch, measure, store, tell; until search stops.

Everything that is finished is stored before the next thing begins, so that the loop can be ended
at any moment, by any means, and goes on from there when it is called again.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from autotuner.config import Candidate
from autotuner.engines import FailureKind
from autotuner.launch import Failure, Launcher, LaunchFailed, RunningEngine
from autotuner.measure import Endpoint, LevelPlan, LoadGenerator, Measurement
from autotuner.predict import Observation
from autotuner.search import Proposal, SearchState, Strategy
from autotuner.store import ExperimentRecord, RunRecord, Store
from autotuner.tuning.events import (
    EngineReady,
    Event,
    ExperimentEnded,
    ExperimentStarted,
    LevelMeasured,
    LevelProgress,
    NotPredicted,
    PredictionTrouble,
    RunEnded,
    RunStarted,
)
from autotuner.tuning.forecast import Expected, Forecast
from autotuner.tuning.learn import observations, telling
from autotuner.tuning.points import operating_points, outcome
from autotuner.tuning.prepare import Prepared

Listener = Callable[[Event], None]


class Tuner:
    """Runs one task to its end.

    Args:
        forecast: what is expected of candidates; kept beside each launch, and learnt from.
        logs: folder for the engines' logs.
        listen: called with every event, in order, from the loop's own thread.
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
        listen: Listener = lambda event: None,
    ) -> None:
        self._prepared = prepared
        self._store = store
        self._launcher = launcher
        self._generator = generator
        self._strategy = strategy
        self._forecast = forecast
        self._logs = logs
        self._listen = listen
        self._told = 0

    def open_run(self, *, fresh: bool = False, again: bool = False) -> RunRecord:
        """The run to go on with: the newest of this task, or a new one.

        Experiments that were under way when an earlier call ended are taken back.

        Args:
            fresh: a new one in any case.
            again: a new one where nothing is left to launch in the newest.
        """
        prepared, task = self._prepared, self._prepared.task
        run = None if fresh else self._store.find_run(task.content_id)
        if run is None or (again and self._is_over(run)):
            return self._store.create_run(
                name=task.name,
                content_id=task.content_id,
                config=task.written(),
                model=prepared.model.name,
                engine=prepared.engine_name,
                engine_version=prepared.engine_version,
                device=prepared.device_name,
                plan=prepared.plan_record(),
            )
        self._store.interrupt_running(run.id)
        self._store.update_plan(run.id, config=task.written(), plan=prepared.plan_record())
        return run

    async def run(self, run: RunRecord) -> str:
        """Runs until the strategy stops; returns its reason.

        Cancelling stops the engine, takes the experiment under way back, and marks the run as
        interrupted.
        """
        finished = self._finished(run)
        self._listen(
            RunStarted(run.id, self._prepared.launches, len(finished), resumed=bool(finished))
        )
        began = time.monotonic()
        status, reason = "failed", "an unexpected error"
        try:
            status, reason = await self._until_stopped(run)
        except asyncio.CancelledError:
            status, reason = "interrupted", "interrupted by the user"
            raise
        finally:
            self._store.interrupt_running(run.id)
            self._store.set_run_status(
                run.id, status=status, stop_reason=reason, add_wall_s=time.monotonic() - began
            )
            self._store.add_event(run.id, "run_ended", {"status": status, "reason": reason})
            self._listen(RunEnded(run.id, status, reason))
        return reason

    def _is_over(self, run: RunRecord) -> bool:
        choice = self._strategy.propose(self._state(self._finished(run)))
        return not isinstance(choice, Proposal)

    async def _until_stopped(self, run: RunRecord) -> tuple[str, str]:
        self._store.set_run_status(run.id, status="running", stop_reason="", add_wall_s=0.0)
        while True:
            history = self._finished(run)
            choice = self._strategy.propose(self._state(history))
            if not isinstance(choice, Proposal):
                succeeded = any(experiment.status == "completed" for experiment in history)
                return ("completed" if succeeded else "failed"), choice.reason
            await self._experiment(run, len(history) + 1, choice)

    def _finished(self, run: RunRecord) -> list[ExperimentRecord]:
        records = self._store.experiments(run.id)
        return [record for record in records if record.status in ("completed", "failed")]

    def _state(self, history: list[ExperimentRecord]) -> SearchState:
        task = self._prepared.task
        spent_s = sum((e.startup_s or 0.0) + (e.measure_s or 0.0) for e in history)
        return SearchState(
            candidates=tuple(candidate.id for candidate in self._prepared.space.candidates),
            history=tuple(outcome(experiment) for experiment in history),
            objectives=task.optimization.objectives,
            budget=self._prepared.budget,
            spent_experiments=len(history),
            spent_minutes=spent_s / 60,
            spent_usd=spent_s / 3600 * self._prepared.price_usd_hour,
            seed=task.optimization.seed,
            levels=task.benchmark.concurrency,
            settings={c.id: c.settings() for c in self._prepared.space.candidates},
        )

    async def _experiment(self, run: RunRecord, index: int, proposal: Proposal) -> None:
        candidate_id = proposal.candidate_id
        spec = self._prepared.space.specs[candidate_id]
        candidate = next(c for c in self._prepared.space.candidates if c.id == candidate_id)
        log_path = self._logs / str(run.id) / f"{candidate_id}.log"
        record = self._store.begin_experiment(
            run.id,
            candidate_id=candidate_id,
            settings=candidate.settings(),
            command=spec.command(),
            selection_reason=proposal.reason,
            phase=proposal.phase,
            log_path=str(log_path),
        )
        self._listen(ExperimentStarted(index, candidate_id, candidate.settings(), proposal.reason))
        expected = self._expect(run, record, index)
        now_s = asyncio.get_running_loop().time  # simulated, where the loop's clock is
        began = now_s()
        startup_s: float | None = None
        failure: Failure | None
        measured: list[Measurement] = []
        try:
            engine = await self._launcher.launch(
                spec,
                log_path=log_path,
                ready_timeout_s=self._prepared.task.benchmark.ready_timeout_s,
            )
        except LaunchFailed as failed:
            failure, startup_s = failed.failure, now_s() - began
        else:
            startup_s = engine.startup_s
            self._listen(EngineReady(index, startup_s))
            async with engine:
                failure = await self._sweep(engine, record, index, expected, measured)
        seconds = now_s() - began
        self._store.finish_experiment(
            record.id,
            status="failed" if failure else "completed",
            failure=(failure.kind.value, failure.message, failure.log_tail) if failure else None,
            startup_s=startup_s,
            measure_s=seconds - startup_s,
            observations=() if failure else self._learn(run, candidate, expected, measured),
        )
        self._listen(ExperimentEnded(index, candidate_id, failure, seconds))

    def _expect(self, run: RunRecord, record: ExperimentRecord, index: int) -> Expected:
        """What is expected now, stored beside the experiment."""
        known = self._forecast.remembered(self._store.observations(), run.id)
        expected = self._forecast.expected([record.candidate_id], known)[record.candidate_id]
        self._store.add_predictions(
            record.id,
            base=expected.base,
            calibrated=expected.calibrated,
            unpredicted=expected.absent,
        )
        if expected.absent:
            self._listen(NotPredicted(index, expected.absent))
        for message in self._forecast.warnings[self._told :]:
            self._store.add_event(run.id, "prediction_trouble", {"message": message})
            self._listen(PredictionTrouble(message))
        self._told = len(self._forecast.warnings)
        return expected

    def _learn(
        self,
        run: RunRecord,
        candidate: Candidate,
        expected: Expected,
        measured: Sequence[Measurement],
    ) -> tuple[Observation, ...]:
        if not expected.base:
            return ()
        return observations(
            self._forecast.scenario(candidate.id),
            candidate,
            expected,
            operating_points(candidate.id, telling(measured), gpus=candidate.gpus),
            launch=uuid.uuid4().hex[:12],
            tool=measured[0].tool,
            source=f"run {run.id}",
            at=datetime.now(UTC),
        )

    async def _sweep(
        self,
        engine: RunningEngine,
        record: ExperimentRecord,
        index: int,
        expected: Expected,
        measured: list[Measurement],
    ) -> Failure | None:
        """Measures every level into `measured`; returns why the experiment failed, if it did."""
        benchmark = self._prepared.task.benchmark
        spec = self._prepared.space.specs[record.candidate_id]
        endpoint = Endpoint(engine.base_url, spec.model_name, spec.api_path)
        for repeat in range(benchmark.repeats):
            for concurrency in self._prepared.levels(record.candidate_id):
                measurement = await self._generator.run(
                    endpoint,
                    self._level(concurrency, repeat),
                    engine_alive=lambda: engine.exit_code() is None,
                    on_progress=partial(self._progress, index, concurrency),
                )
                self._store.add_measurement(record.id, measurement, repeat=repeat)
                self._listen(LevelMeasured(index, measurement, expected.at(concurrency)))
                measured.append(measurement)
                if engine.exit_code() is not None:
                    return engine.diagnose()
        if any(measurement.valid for measurement in measured):
            return None
        diagnosis = engine.diagnose()
        errors = "; ".join(f"{n} x {text}" for text, n in measured[-1].errors.items())
        return Failure(
            FailureKind.LOAD_ERRORS,
            f"requests failed at every load level: {errors or 'no request was completed'}",
            diagnosis.log_tail,
        )

    def _progress(self, index: int, concurrency: int, completed: int, wanted: int) -> None:
        self._listen(LevelProgress(index, concurrency, completed, wanted))

    def _level(self, concurrency: int, repeat: int) -> LevelPlan:
        benchmark = self._prepared.task.benchmark
        seed = self._prepared.task.optimization.seed
        return LevelPlan(
            lengths=self._prepared.workload,
            concurrency=concurrency,
            requests=max(benchmark.requests_per_level, concurrency),
            duration_s=benchmark.duration_per_level_s,
            warmup_requests=benchmark.warmup_requests,
            ci_width=benchmark.ci_width,
            request_timeout_s=benchmark.request_timeout_s,
            seed=seed * 1_000_003 + concurrency * 101 + repeat,
        )
