"""The seam between the loop and whatever starts engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from autotuner.config import Document
from autotuner.engines import FailureKind, LaunchSpec
from autotuner.launch.devices import NODE

if TYPE_CHECKING:
    from autotuner.landscapes import Landscape


@dataclass(frozen=True)
class EngineHandle:
    """The address of an engine for whoever has to end it once its owner is dead.

    Three texts, to be stored anywhere and read by any process; only the launcher of that kind
    understands `id`.

    Attributes:
        kind: the launcher that started the engine, by its name among the deployment modes.
        id: which of that launcher's engines it is; never given to another.
        host: the machine that it runs on.
    """

    kind: str
    id: str
    host: str

    def __str__(self) -> str:
        return f"{self.kind} engine {self.id} of {self.host}"


class Reaped(StrEnum):
    """Outcome of ending an engine."""

    GONE = "gone"
    """Nothing of it is left."""
    ALIVE = "alive"
    """It could not be ended."""
    ELSEWHERE = "elsewhere"
    """It can be seen from another machine only, or was one of this machine's before a restart."""


@dataclass(frozen=True)
class Failure:
    """Why a launch failed: its kind, a sentence, and the end of the engine's log."""

    kind: FailureKind
    message: str
    log_tail: str


class LaunchFailed(Exception):  # noqa: N818 - an outcome that search learns from, not an error
    """The engine did not come up. Expected in a search; carries the classified `failure`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure


class LaunchLost(Exception):  # noqa: N818 - nothing of the launch is at fault
    """The machine that an engine ran on, or was to run on, is gone. It says nothing of the engine:
    the launch counts as not made, and is made again."""


@dataclass(frozen=True)
class ClusterCapacity:
    """Capacity of a cluster for launches.

    Attributes:
        nodes: GPUs of each node that can take launches; 0 for one that has CPUs alone.
        on_cpus: how many engines on a CPU run at once.
    """

    nodes: tuple[int, ...]
    on_cpus: int

    @property
    def devices(self) -> tuple[str, ...]:
        """A name for each GPU, which says the node that it is of; see `Gpus`."""
        gpus = ((place, number) for place, most in enumerate(self.nodes) for number in range(most))
        return tuple(f"{number}{NODE}{place}" for place, number in gpus)

    def launches(self, gpus: int, nodes: int = 1) -> int:
        """How many engines on `gpus` GPUs run at once; 0 for those on a CPU.

        Args:
            nodes: that share the GPUs of one.
        """
        if not gpus:
            return self.on_cpus
        return sum(most // (gpus // nodes) for most in self.nodes) // nodes


class StopsWhenLeft(ABC):
    """Stops an engine when its `async with` is left; every `RunningEngine` may inherit it."""

    caches: Mapping[str, str] = MappingProxyType({})
    """As in `RunningEngine`."""

    @abstractmethod
    async def stop(self) -> None:
        """As in `RunningEngine`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


class RunningEngine(Protocol):
    """A live engine; leaving its `async with` stops it, whatever happened inside.

    Attributes:
        handle: by which others can end it.
        base_url: the address at which it answers (`http_client.BaseUrl`); health and load go there.
        startup_s: seconds from the launch until it answered.
        caches: variables that say where it keeps what it compiles, with the folders that they name;
            `page cache` with the share of its model that was in memory before the start.
    """

    handle: EngineHandle
    base_url: str
    startup_s: float
    log_path: Path
    caches: Mapping[str, str]

    def exit_code(self) -> int | None:
        """None while it lives.

        Raises:
            LaunchLost: the machine that it ran on is gone.
        """

    def diagnose(self) -> Failure:
        """Reads the log and classifies why the engine is dead or misbehaves.

        Raises:
            LaunchLost: it was ended from outside, or with its machine.
        """

    async def stop(self) -> None:
        """Ends the engine and everything it started; returns once its port is free again."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class EndsLater(Protocol):
    """A running engine whose end is seen a moment after requests to it have failed."""

    async def until_known(self) -> None:
        """Waits, where it may have ended, until `exit_code` says whether it has."""


HandleCallback = Callable[[EngineHandle], None]


@dataclass(frozen=True)
class LaunchContext:
    """Arguments that every launcher is made with.

    Attributes:
        environment: variables that engines inherit.
        on_started, on_gone: called with an engine's handle once it is started, and once all of it
            has ended. What the first raises ends the engine.
        landscape: the recorded launches of a replay; None otherwise.
        caches: folder for what engines compile, which is kept across launches; None leaves it to
            them.
        options: the task's block of the launcher's name; None where it has none.
        labels: asked at each launch for what identifies its task and lease to others.
    """

    environment: Mapping[str, str]
    on_started: HandleCallback = lambda handle: None
    on_gone: HandleCallback = lambda handle: None
    landscape: Landscape | None = None
    caches: Path | None = None
    options: Document | None = None
    labels: Callable[[], Mapping[str, str]] = dict


@dataclass(frozen=True)
class Preparation:
    """Progress of what a launch needs first, such as the download of an image, or resources of a
    cluster that others use.

    Attributes:
        what: in words, as "fetching vllm/vllm-openai:v0.9.1".
        done_gib, total_gib: both 0 while nothing is known, and where nothing is fetched.
    """

    what: str
    done_gib: float = 0.0
    total_gib: float = 0.0


@runtime_checkable
class Prepares(Protocol):
    """A launcher that has something to do before a launch can begin.

    It is no part of any launch: its time is not the launch's, and what goes wrong is an error of
    the launcher, which says nothing of a candidate.
    """

    async def prepare(self, spec: LaunchSpec, report: Callable[[Preparation], None]) -> None:
        """Fetches, or reserves for the next launch of it, what `spec` needs and is not there yet.

        Raises:
            LaunchError: it cannot be had.
        """


@runtime_checkable
class KeepsReservations(Protocol):
    """A launcher that keeps something from one launch to the next."""

    async def close(self) -> None:
        """Gives it all back: the task is over, and the next one has a launcher of its own."""


@asynccontextmanager
async def closed_when_left(launcher: Launcher) -> AsyncIterator[None]:
    """The launches of a task; leaving the block closes a launcher that keeps something."""
    try:
        yield
    finally:
        if isinstance(launcher, KeepsReservations):
            await launcher.close()


@runtime_checkable
class LaunchesOnCluster(Protocol):
    """Class of a launcher that places engines on the nodes of a cluster."""

    def connection(self, options: Document | None) -> AbstractContextManager[ClusterCapacity]:
        """A connection to the cluster that the task's block of the launcher's name means, with the
        capacity of that; leaving the block ends it, however far the task has come.

        Raises:
            LaunchError: it cannot be asked.
        """


class Launcher(Protocol):
    """Starts one engine and returns when it serves.

    Example:
        launched = launcher.launch(spec, ("2", "3"), log_path=path, ready_timeout_s=60)
        async with await launched as engine:
            ...  # engine.base_url answers
    """

    @classmethod
    def of(cls, context: LaunchContext) -> Self:
        """The launcher of a task."""

    @classmethod
    def reap(cls, handle: EngineHandle) -> Reaped:
        """Ends an engine, whoever started it, and all that it started; waits until it is gone.

        One that is gone already is `GONE`, and nothing that took its place is touched.
        """

    async def launch(
        self,
        spec: LaunchSpec,
        devices: Sequence[str],
        *,
        log_path: Path,
        ready_timeout_s: float,
    ) -> RunningEngine:
        """Starts `spec` at an address of its own.

        Args:
            devices: the GPUs that the engine may use, by index or unique name, whatever any
                environment says; none where empty.

        Raises:
            LaunchFailed: the engine died or was not ready in time (nothing is left running).
            LaunchError: the launcher could not try (program missing, log not writable).
            LaunchLost: the machine that it was to run on is gone (nothing is left running).
        """
