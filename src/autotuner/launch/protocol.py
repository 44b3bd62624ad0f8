"""The seam between the loop and whatever starts engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from autotuner.engines import FailureKind, LaunchSpec


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


class StopsWhenLeft(ABC):
    """What makes `async with` stop an engine; every `RunningEngine` may inherit it."""

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
    """A live engine; leaving its `async with` stops it, whatever happened inside."""

    base_url: str
    startup_s: float
    log_path: Path

    def exit_code(self) -> int | None:
        """None while it lives."""

    def diagnose(self) -> Failure:
        """Reads the log and classifies why the engine is dead or misbehaves."""

    async def stop(self) -> None:
        """Ends the engine and everything it started; returns once its port is free again."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Launcher(Protocol):
    """Starts one engine and returns when it serves.

    Example:
        how = {"devices": ("2", "3"), "log_path": path, "ready_timeout_s": 60}
        async with await launcher.launch(spec, **how) as engine:
            ...  # engine.base_url answers
    """

    async def launch(
        self,
        spec: LaunchSpec,
        *,
        devices: Sequence[str] | None = None,
        log_path: Path,
        ready_timeout_s: float,
    ) -> RunningEngine:
        """Starts `spec` on a free port.

        Args:
            devices: the GPUs of this machine that the engine may use, whatever any environment
                says; none where empty. None leaves it to the environment that it inherits.

        Raises:
            LaunchFailed: the engine died or was not ready in time (nothing is left running).
            LaunchError: the launcher could not try (program missing, log not writable).
        """
