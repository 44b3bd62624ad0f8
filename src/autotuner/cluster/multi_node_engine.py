"""An engine with a process on each of several nodes, which meet on the first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from autotuner.cluster.engine import RayEngine
from autotuner.cluster.messages import LaunchRequest
from autotuner.cluster.reservation import Reservation
from autotuner.engines import FailureKind
from autotuner.launch import Failure, LaunchFailed
from autotuner.launch.protocol import LaunchLost, StopsWhenLeft

_FOLLOWS = (
    *(FailureKind.DIED_LOADING, FailureKind.DIED_UNDER_LOAD),
    *(FailureKind.NOT_READY, FailureKind.LOAD_ERRORS),
)
"""Kinds of failure that the end of another process may have caused."""
_FOLLOW_S = 5.0
"""Time within which processes end after another one, and a node that is lost is known as such."""


class MultiNodeEngine(StopsWhenLeft):
    """The processes of an engine as one; it lives while all of them do. See `RunningEngine`.

    Attributes:
        processes: by rank; the first one serves.
        handle, log_path, base_url, startup_s, caches: of the first.

    Args:
        reservation: of all of them.
    """

    def __init__(self, processes: Sequence[RayEngine], reservation: Reservation) -> None:
        self.processes = tuple(processes)
        self._serving, self._followers = self.processes[0], self.processes[1:]
        self._reservation = reservation
        self.handle = self._serving.handle
        self.base_url = ""
        self.startup_s = 0.0
        self.log_path = self._serving.log_path

    async def start(self, request: LaunchRequest) -> None:
        """Starts all processes; returns when the first one serves.

        Raises:
            LaunchFailed, LaunchError, LaunchLost: as `Launcher.launch`, of any of them.
        """
        head, port = self._serving.facts.address, await self._reservation.free_port()

        def of_rank(rank: int) -> LaunchRequest:
            process = self.processes[rank]
            spec = request.spec.on_node(rank, process.facts.address, head, port)
            return replace(request, spec=spec, launch_id=process.launch_id)

        tasks = [asyncio.create_task(self._serving.start(of_rank(0)))]
        tasks += [
            asyncio.create_task(self._follow(follower, of_rank(rank)))
            for rank, follower in enumerate(self._followers, start=1)
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not _is_well(tasks[0]):
                await self._raise_failure(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for follower in self._followers:
            follower.was_ready = True
        serving = self._serving
        self.base_url, self.startup_s = serving.base_url, serving.startup_s
        self.caches = serving.caches

    async def _raise_failure(self, starting: Sequence[asyncio.Task[None]]) -> NoReturn:
        """Raises why a start failed, once the other processes have followed the one that ended.

        Raises:
            LaunchFailed, LaunchError, LaunchLost: as `start`.
        """
        await asyncio.wait(starting, timeout=_FOLLOW_S)
        ended = [
            (process, task.exception())
            for process, task in zip(self.processes, starting, strict=True)
            if task.done() and not task.cancelled()
        ]
        other = next((e for _, e in ended if e and not isinstance(e, LaunchFailed)), None)
        if other is not None:
            raise other
        if not await self._reservation.is_alive():
            raise LaunchLost("a node of several went down")
        failures = [(p, e.failure) for p, e in ended if isinstance(e, LaunchFailed)]
        raise LaunchFailed(_own_fault(failures))

    def exit_code(self) -> int | None:
        """None while all of it lives; see `RunningEngine`."""
        codes = [process.exit_code() for process in self.processes]
        return next((code for code in codes if code is not None), None)

    def diagnose(self) -> Failure:
        """Why one of its processes is dead or it misbehaves; see `RunningEngine`."""
        return self._cause() or self._serving.diagnose()

    async def stop(self) -> None:
        """Ends all processes, and what they started.

        Raises:
            LaunchError: one cannot be ended.
        """
        stops = [process.stop() for process in self.processes]
        for ended in await asyncio.gather(*stops, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    async def _follow(self, follower: RayEngine, request: LaunchRequest) -> None:
        """Starts a process that serves nothing, and ends only with it.

        Raises:
            LaunchFailed, LaunchLost: it has ended; its node is gone.
        """
        await follower.start(request)
        await follower.heard_last()
        follower.exit_code()
        raise LaunchFailed(follower.diagnose())

    def _cause(self) -> Failure | None:
        """Why those that have ended did; None where none has."""
        ended = [one for one in self.processes if one.exit_code() is not None]
        in_order = sorted(ended, key=lambda one: one.ended_s)
        return _own_fault([(one, one.diagnose()) for one in in_order]) if ended else None


def _is_well(starting: asyncio.Task[None]) -> bool:
    return starting.done() and starting.exception() is None


def _own_fault(failures: Sequence[tuple[RayEngine, Failure]]) -> Failure:
    """The first failure that no other process may have caused, else the first; with its node."""
    own = [one for one in failures if one[1].kind not in _FOLLOWS] or failures
    process, failure = own[0]
    return replace(failure, message=f"on node {process.facts.host}: {failure.message}")
