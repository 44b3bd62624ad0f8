"""One load level of a running engine: its plan, its progress, and the machine meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from autotuner.config import LoadLevel
from autotuner.launch import RunningEngine
from autotuner.launch.engine_log import LinesOfLog
from autotuner.launch.processes import this_machine
from autotuner.measure import Endpoint, LevelPlan, LoadGenerator, Measurement, StoppingRule
from autotuner.measure.energy_counters import Occupied
from autotuner.measure.level_watch import UNWATCHED, LevelWatcher
from autotuner.tuning.estimate import time_left_s
from autotuner.tuning.events import Event, LevelProgress, MachineBusy
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.running_launch import Launch

_LOOK_S = 0.2
"""Time over which the machine's load is looked at before the first launch."""


_AGAIN = 50
"""Added to the number of a sweep: prompts of a level that is measured again."""
_MEASURED_AGAIN = "measured again: the engine compiled something while it was measured first"


class LevelMeter:
    """Measures load levels as a task asks for them.

    Args:
        listen: called with the progress of a level.
        watcher: what is read of this machine meanwhile; nothing where left out.
    """

    def __init__(
        self,
        prepared: Prepared,
        generator: LoadGenerator,
        *,
        listen: Callable[[Event], None],
        watcher: LevelWatcher = UNWATCHED,
    ) -> None:
        self._prepared = prepared
        self._generator = generator
        self._listen = listen
        self._watcher = watcher

    async def measure(
        self, engine: RunningEngine, launch: Launch, load: LoadLevel, repeat: int
    ) -> Measurement:
        """One level, with what was seen of the machine while it ran.

        Where the engine compiled something meanwhile, the level is measured again, once: with
        prompts of its own, for a cache would know the first ones.

        Args:
            launch: the experiment that it is a level of.
            repeat: number of the sweep, from 0: each has prompts of its own.
        """
        measurement, has_compiled = await self._once(engine, launch, load, repeat)
        if not has_compiled or not measurement.valid or engine.exit_code() is not None:
            return measurement.model_copy(update={"compiling": has_compiled})
        again, has_compiled = await self._once(engine, launch, load, repeat + _AGAIN)
        note = "; ".join(filter(None, (again.note, _MEASURED_AGAIN)))
        return again.model_copy(update={"compiling": has_compiled, "note": note})

    async def _once(
        self, engine: RunningEngine, launch: Launch, load: LoadLevel, repeat: int
    ) -> tuple[Measurement, bool]:
        """One level, and whether the engine compiled something while it ran."""
        plan, began_s = self._plan(load, repeat), time.monotonic()
        compiling = LinesOfLog(engine.log_path, launch.spec.compiling)

        def progress(completed: int, wanted: int) -> None:
            left_s = time_left_s(plan, completed, wanted, time.monotonic() - began_s)
            self._listen(LevelProgress(launch.record.index, load, completed, wanted, left_s))

        progress(0, plan.stop.requests)
        with self._watcher.watched(self._occupied(engine, launch)) as watch:
            measurement = await self._generator.run(
                Endpoint(engine.base_url, launch.spec.model_name, launch.spec.api_path, engine),
                plan,
                engine_alive=lambda: engine.exit_code() is None,
                on_progress=progress,
            )
        measurement = watch.added_to(measurement)
        if engine.caches:
            measurement = measurement.model_copy(update={"caches": dict(engine.caches)})
        return measurement, compiling.has_appeared()

    def _occupied(self, engine: RunningEngine, launch: Launch) -> Occupied:
        return Occupied(
            launch.candidate.gpus,
            launch.devices,
            is_here=engine.handle.host == this_machine().host,
            is_alone=self._prepared.side_by_side == 1,
        )

    def _plan(self, load: LoadLevel, repeat: int) -> LevelPlan:
        benchmark = self._prepared.task.benchmark
        seed = self._prepared.task.optimization.seed
        return LevelPlan(
            lengths=self._prepared.workload,
            load=load,
            stop=StoppingRule(
                requests=max(benchmark.requests_per_level, load.at_once),
                duration_s=benchmark.duration_per_level_s,
                ci_width=benchmark.ci_width,
                slo_ms=tuple(self._prepared.task.slo_limits().items()),
            ),
            warmup_requests=benchmark.warmup_requests,
            request_timeout_s=benchmark.request_timeout_s,
            seed=seed * 1_000_003 + round(load.value * 101) + repeat,
        )


async def report_busy_machine(watcher: LevelWatcher, listen: Callable[[Event], None]) -> None:
    """Reports where others load the machine before anything is launched."""
    load = await watcher.look(_LOOK_S)
    if load is not None and load.busy:
        listen(
            MachineBusy(
                f"the machine is busy before anything is measured: {load.describe()}; levels "
                "that are measured so are marked, and later tasks do not learn from them"
            )
        )
