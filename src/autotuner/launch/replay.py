"""Launches rows of a recorded table instead of engines.

Starting takes as long as it was recorded to take, on the clock of the event loop: on a
`SimulatedTimeLoop` no time at all.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Self, TypeVar, TypeVarTuple

from autotuner.engines import FailureKind, LaunchSpec
from autotuner.errors import LaunchError
from autotuner.landscapes import Landscape, RecordedLaunch, ReplaySpec, true_outcome
from autotuner.launch.engine_log import open_log
from autotuner.launch.processes import this_machine
from autotuner.launch.protocol import (
    EngineHandle,
    Failure,
    LaunchContext,
    LaunchFailed,
    Reaped,
    StopsWhenLeft,
)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
KIND = "replay"
"""Its name among the deployment modes."""
SCHEME = "replay:"
"""Beginning of a replayed engine's base URL; the id of its recorded launch follows."""
STARTUP_S = 240.0
"""Start of an engine where the table has none: loading and warming up a large model takes
minutes."""


class ReplayLauncher:
    """Starts nothing: a launch succeeds or fails as it is recorded.

    Args:
        startup_s: of a launch whose start was not recorded.
    """

    def __init__(self, landscape: Landscape, *, startup_s: float = STARTUP_S) -> None:
        self._landscape = landscape
        self._startup_s = startup_s

    @classmethod
    def describe_place(cls) -> str:
        """Where engines run, in words."""
        return "recorded launches; nothing is started"

    @classmethod
    def of(cls, context: LaunchContext) -> Self:
        """The launcher of a task that replays the landscape of `context`."""
        if context.landscape is None:
            raise LaunchError(
                "there is no recorded table to replay", remedy="name it in replay.landscape"
            )
        return cls(context.landscape)

    @classmethod
    def reap(cls, handle: EngineHandle) -> Reaped:
        """Nothing runs, and nothing is left."""
        return Reaped.GONE

    async def launch(
        self,
        spec: LaunchSpec,
        devices: Sequence[str],
        *,
        log_path: Path,
        ready_timeout_s: float,
    ) -> ReplayedEngine:
        """Gives the recorded launch that `spec` names; see `Launcher.launch`. It uses no device.

        A recorded start has been waited for once: `ready_timeout_s` does not end it.
        """
        launch = self._recorded(spec)
        outcome = true_outcome(launch)
        story = f"launch {launch.id} of {self._landscape.name} is replayed: no engine is started"
        with open_log(log_path) as log:
            log.write(f"$ {spec.command()}\n{story}\n")
            if outcome.failure_kind is not None:
                story = f"{outcome.failure_kind.replace('_', ' ')}, as recorded"
                log.write(f"{story}\n")
        startup_s = self._startup_s if launch.startup_s is None else launch.startup_s
        await asyncio.sleep(startup_s)
        if outcome.failure_kind is not None:
            raise LaunchFailed(Failure(FailureKind(outcome.failure_kind), story, story))
        return ReplayedEngine(launch, startup_s, log_path, story)

    def _recorded(self, spec: LaunchSpec) -> RecordedLaunch:
        try:
            return self._landscape.launch(spec.recorded if isinstance(spec, ReplaySpec) else "")
        except KeyError:
            raise LaunchError(
                f"{self._landscape.name} has no launch that is {spec.command()}",
                remedy="a replay launches what its table records",
            ) from None


class ReplayedEngine(StopsWhenLeft):
    """Stands for an engine that served once; see `RunningEngine`. It never dies."""

    def __init__(
        self, launch: RecordedLaunch, startup_s: float, log_path: Path, story: str
    ) -> None:
        self.handle = EngineHandle(KIND, launch.id, this_machine().host)
        self.base_url = f"{SCHEME}{launch.id}"
        self.startup_s = startup_s
        self.log_path = log_path
        self._story = story

    def exit_code(self) -> int | None:
        """None: it lives."""
        return None

    def diagnose(self) -> Failure:
        """All that is known of it is what is recorded."""
        return Failure(FailureKind.LOAD_ERRORS, "every load level failed, as recorded", self._story)

    async def stop(self) -> None:
        """Nothing runs."""


class SimulatedTimeLoop(asyncio.SelectorEventLoop):
    """Event loop on which waiting takes no time: its clock jumps to the moment waited for.

    What sleeps for 240 seconds wakes at once, 240 s later by `loop.time()`, and what runs side by
    side keeps its order. Work in a thread takes no simulated time: the clock stands until it is
    done, however busy the machine. Signals and sockets are seen as on any other loop. Give it to
    `asyncio.Runner(loop_factory=SimulatedTimeLoop)`; its time begins at 0.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._in_threads = 0
        super().__init__(_SkippingSelector(self._skip, lambda: self._in_threads > 0))

    def time(self) -> float:
        """Simulated seconds since the loop was made."""
        return self._now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As on any other loop; see the class."""
        found = super().run_in_executor(executor, func, *args)
        self._in_threads += 1
        found.add_done_callback(self._landed)
        return found

    def _landed(self, _: asyncio.Future[Any]) -> None:
        self._in_threads -= 1

    def _skip(self, seconds: float) -> None:
        self._now_s += seconds


class _SkippingSelector(selectors.DefaultSelector):
    """Selector that reports the time that it would have waited instead of waiting.

    Args:
        stands: whether the clock stands.
    """

    def __init__(self, skip: Callable[[float], None], stands: Callable[[], bool]) -> None:
        super().__init__()
        self._skip, self._stands = skip, stands

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Events that are ready now; where there is no time to skip, it waits for one."""
        waits = timeout is None or (timeout > 0 and self._stands())
        ready = super().select(None if waits else 0)
        if timeout and not waits and not ready:
            self._skip(timeout)
        return ready
