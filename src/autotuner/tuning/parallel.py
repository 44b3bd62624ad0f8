"""Experiments under way at once, each on GPUs of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from autotuner.engines import LaunchSpec
from autotuner.launch.devices import Gpus


@dataclass(frozen=True)
class _Flight:
    candidate_id: str
    began_s: float | None
    gpus: tuple[str, ...]


class ParallelExperiments:
    """Starts experiments as far as there is room; leaving its block ends those under way.

    Args:
        most: how many at once.
        gpus: those to share out; None limits no experiment to any.
    """

    def __init__(self, most: int, gpus: Gpus | None) -> None:
        self._most = most
        self._gpus = gpus
        self._tasks: dict[asyncio.Task[None], _Flight] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def full(self) -> bool:
        """Whether no other experiment may start, however small it is."""
        return len(self._tasks) >= self._most

    @property
    def under_way(self) -> dict[str, float | None]:
        """Candidate id -> when its experiment began; None while it is being prepared."""
        return {flight.candidate_id: flight.began_s for flight in self._tasks.values()}

    def begin(self, candidate_id: str, began_s: float) -> None:
        """Notes when the experiment of a candidate began."""
        for task, flight in self._tasks.items():
            if flight.candidate_id == candidate_id:
                self._tasks[task] = replace(flight, began_s=began_s)

    def start(
        self,
        candidate_id: str,
        spec: LaunchSpec,
        experiment: Callable[[tuple[str, ...] | None], Coroutine[Any, Any, None]],
    ) -> bool:
        """Starts an experiment on the GPUs that `spec` needs; False where too few are free.

        Where nothing else is under way it starts in any case, on all of them: whether it fits is
        then its own affair.
        """
        given = None
        if self._gpus is not None:
            given = self._gpus.place(spec.gpus, spec.nodes)
            if given is None and self._tasks:
                return False
            given = self._gpus.names if given is None else given
            self._gpus = self._gpus.taken(given)
        task = asyncio.create_task(experiment(given))
        self._tasks[task] = _Flight(candidate_id, None, given or ())
        return True

    async def landed(self) -> None:
        """Waits until one has ended, or more; raises what went wrong in it."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            ended = self._tasks.pop(task)
            self._gpus = self._gpus and self._gpus.freed(ended.gpus)
        for task in done:
            task.result()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
