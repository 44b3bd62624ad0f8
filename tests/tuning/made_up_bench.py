"""Engines and loads made up in memory, and tuners of one task on one store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from made_up_predictor import MeanRatio

from autotuner.catalog import gpu_named
from autotuner.config import LoadLevel, parse_task
from autotuner.engines import FailureKind, LaunchSpec
from autotuner.launch import EngineHandle, Failure, LaunchFailed, StopsWhenLeft
from autotuner.measure import Distribution, Endpoint, LevelPlan, Measurement
from autotuner.measure.level_watch import UNWATCHED, LevelWatcher
from autotuner.predict import Predictor, Scenario
from autotuner.search import Strategy, strategy_named
from autotuner.store import Store
from autotuner.testing.fake_engine import install_fake_engine
from autotuner.tuning.events import Event
from autotuner.tuning.forecast import Forecast
from autotuner.tuning.loop import Tuner
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import TaskSummary

TASK: dict[str, Any] = {
    "version": 2,
    "name": "made up",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 8, "osl": 4},
    "scheduling": {"max_running_requests": [1, 2, 4]},
    "benchmark": {"concurrency": [1, 4]},
    "slo": {"ttft_ms": 50, "tpot_ms": 15},
    "optimization": {"strategy": "grid"},
}


class MadeUpEngine(StopsWhenLeft):
    """Lives until its load kills it."""

    startup_s = 0.5

    def __init__(self, slots: int, log_path: Path) -> None:
        self.base_url = f"http://made-up:{slots}"
        self.handle = EngineHandle("made-up", str(slots), "nowhere")
        self.log_path = log_path
        self.stopped = self.dead = False

    def exit_code(self) -> int | None:
        return 134 if self.dead else None

    def diagnose(self) -> Failure:
        kind = FailureKind.DIED_UNDER_LOAD if self.dead else FailureKind.LOAD_ERRORS
        return Failure(kind, "as made up", "last line")

    async def stop(self) -> None:
        self.stopped = True


class MadeUpClock:
    """Stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class MadeUpLauncher:
    """Keeps the engines; slots in `broken` never start."""

    def __init__(self, broken: tuple[int, ...] = (), clock: MadeUpClock | None = None) -> None:
        self.broken = broken
        self.clock = clock or MadeUpClock()
        self.engines: list[MadeUpEngine] = []

    async def launch(
        self,
        spec: LaunchSpec,
        devices: Sequence[str],
        *,
        log_path: Path,
        ready_timeout_s: float,
    ) -> MadeUpEngine:
        slots = int(spec.argv[spec.argv.index("--parallel") + 1])
        self.clock.now_s += MadeUpEngine.startup_s
        if slots in self.broken:
            raise LaunchFailed(Failure(FailureKind.OUT_OF_MEMORY, "too large", "alloc failed"))
        self.engines.append(MadeUpEngine(slots, log_path))
        return self.engines[-1]


def sample(mean: float) -> Distribution:
    return Distribution(
        count=8, mean=mean, std=0, min=mean, p50=mean, p90=mean, p95=mean, p99=mean, max=mean
    )


def level(concurrency: int, tok_s: float, tpot_ms: float, *, failed: int = 0) -> Measurement:
    return Measurement(
        load=LoadLevel.concurrency(concurrency),
        duration_s=1,
        requests_completed=8,
        requests_failed=failed,
        requests_short=0,
        ended_by="requests",
        valid=not failed,
        tok_s=tok_s,
        requests_s=tok_s / 4,
        input_tokens=64,
        output_tokens=32,
        ttft_ms=sample(20.0),
        tpot_ms=sample(tpot_ms),
        e2e_ms=sample(100.0),
        errors={"HTTP 503: busy": failed} if failed else {},
    )


Load = Callable[[int, int], Measurement | None]


def smooth(slots: int, concurrency: int) -> Measurement | None:
    """More slots: more throughput, less speed for each."""
    return level(concurrency, 100.0 * min(slots, concurrency), 5.0 * min(slots, concurrency))


class MadeUpLoad:
    """Measures by a function of slots and concurrency; None kills the engine."""

    def __init__(self, launcher: MadeUpLauncher, load: Load) -> None:
        self.launcher, self.load = launcher, load
        self.plans: list[LevelPlan] = []

    async def run(
        self,
        endpoint: Endpoint,
        plan: LevelPlan,
        *,
        engine_alive: Callable[[], bool],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Measurement:
        self.plans.append(plan)
        self.launcher.clock.now_s += 2.0
        found = self.load(int(endpoint.base_url.rpartition(":")[2]), int(plan.load.value))
        if found is None:
            self.launcher.engines[-1].dead = True
            return level(int(plan.load.value), 1.0, 1.0, failed=8)
        return found


def forecast(prepared: Prepared, predictor: Predictor | None) -> Forecast:
    """What `predictor` says; nothing where there is none."""
    levels = prepared.task.benchmark.levels
    if predictor is None:
        return Forecast((), levels, silent="nobody is asked")
    facts, cpu = prepared.model.facts, gpu_named("cpu")
    scenario = Scenario("made up", facts, "llamacpp", "1", cpu, "this one", isl=8, osl=4)
    return Forecast(
        ((scenario, prepared.space.candidates),),
        levels,
        choose=lambda scenario: (predictor, "it is the only one"),
        calibrate=MeanRatio,
    )


class Bench:
    """A store, and tuners of the same task on it. Benches with one engine prepare a task once."""

    _prepared: ClassVar[dict[str, Prepared]] = {}

    def __init__(self, folder: Path, store: Store, fake: Path) -> None:
        self.folder, self.store, self.fake = folder, store, fake
        self.events: list[Event] = []

    def prepared(self, changes: dict[str, Any] | None = None) -> Prepared:
        """The task, with some keys replaced."""
        task = TASK | {"engine_path": str(self.fake)} | (changes or {})
        task["optimization"] = {"baseline": "none", "confirm": 0} | task["optimization"]
        if repr(task) not in self._prepared:
            made = prepare(parse_task(task, source="task"), base=self.folder)
            self._prepared[repr(task)] = made
        return self._prepared[repr(task)]

    def tune(
        self,
        load: Load = smooth,
        launcher: MadeUpLauncher | None = None,
        changes: dict[str, Any] | None = None,
        predictor: Predictor | None = None,
        again: bool = False,
        strategy: Strategy | None = None,
        listen: Callable[[Event], None] = lambda event: None,
        watcher: LevelWatcher = UNWATCHED,
    ) -> tuple[TaskSummary, MadeUpLoad]:
        """Runs the task to its end; `changes` replace keys of it.

        Args:
            strategy: takes the place of the task's.
            listen: called with every event, which is among `events` then.
        """

        def heard(event: Event) -> None:
            self.events.append(event)
            listen(event)

        launcher = launcher or MadeUpLauncher()
        generator = MadeUpLoad(launcher, load)
        prepared = self.prepared(changes)
        tuner = Tuner(
            prepared,
            store=self.store,
            launcher=launcher,
            generator=generator,
            strategy=strategy or strategy_named(prepared.task.optimization.strategy),
            forecast=forecast(prepared, predictor),
            logs=self.folder / "logs",
            listen=heard,
            clock=launcher.clock,
            watcher=watcher,
        )
        run = tuner.open_task(again=again)
        try:
            asyncio.run(tuner.run(run))
        finally:
            assert all(engine.stopped for engine in launcher.engines)
        return summarise(self.store, self.store.tasks.get(run.id) or run), generator


@contextmanager
def opened(folder: Path, fake: Path | None = None) -> Iterator[Bench]:
    """A bench on a store of its own, and on an engine of its own unless one is given."""
    with Store.open(folder / "home") as store:
        yield Bench(folder, store, fake or install_fake_engine(folder / "bin"))
