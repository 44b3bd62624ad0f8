"""An engine on a node of the cluster, as its owner sees it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from autotuner.cluster import reaping
from autotuner.cluster.messages import (
    LaunchRequest,
    LevelProgressNews,
    LevelRequest,
    News,
    NodeFacts,
    NodeReply,
    Ready,
    Refused,
)
from autotuner.cluster.reservation import Reservation, answered
from autotuner.engines import LaunchSpec
from autotuner.errors import LaunchError, MeasureError
from autotuner.launch import Failure, LaunchFailed
from autotuner.launch.engine_log import judged
from autotuner.launch.protocol import (
    EngineHandle,
    HandleCallback,
    LaunchLost,
    Reaped,
    StopsWhenLeft,
)
from autotuner.measure import Measurement

T = TypeVar("T")
ProgressCallback = Callable[[int, int], None]
_SHUTDOWN_S = 1.0
"""Time within which the processes of a host that shuts down are asked to end, all of them."""


class RayEngine(StopsWhenLeft):
    """A live engine of a node; see `RunningEngine`. Its log is copied here as it grows.

    Attributes:
        base_url: the engine's address on its own node, where load is made too.
        ended_s: when its end was seen, on the monotonic clock.
        was_ready: whether it has served, or the process that it follows has.

    Args:
        give_back: called with the reservation of the launch once nothing of the engine is left on
            its node.
    """

    def __init__(
        self,
        spec: LaunchSpec,
        reservation: Reservation,
        launch_id: str,
        handle: EngineHandle,
        log_path: Path,
        *,
        give_back: Callable[[Reservation], None],
        on_gone: HandleCallback,
    ) -> None:
        self.handle = handle
        self.base_url = ""
        self.startup_s = 0.0
        self.log_path = log_path
        self._spec = spec
        self._reservation = reservation
        self._launch_id = launch_id
        self._give_back = give_back
        self._on_gone = on_gone
        self._exit_code: int | None = None
        self.was_ready = False
        self.ended_s = math.inf
        self._is_stopping = False
        self._has_stopped = False
        self._lost: LaunchLost | None = None
        self._log_bytes = 0
        self._progress: LevelProgressNews | None = None
        self._level = 0
        self._on_progress: ProgressCallback = lambda completed, wanted: None
        self._heard = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def start(self, request: LaunchRequest) -> None:
        """Starts the engine; returns when it serves.

        Raises:
            LaunchFailed, LaunchError, LaunchLost: as `Launcher.launch`.
        """
        self._listening = asyncio.create_task(self._listen())
        outcome: Ready | Failure | Refused = await self._answer(
            lambda: self._reservation.actor.launch.remote(request)
        )
        if isinstance(outcome, Refused):
            raise LaunchError(outcome.message, remedy=outcome.remedy)
        if isinstance(outcome, Failure):
            raise LaunchFailed(outcome)
        self.was_ready = not request.spec.is_follower
        self.base_url, self.startup_s = outcome.base_url, outcome.startup_s
        self.caches = outcome.caches

    async def run_level(self, request: LevelRequest, on_progress: ProgressCallback) -> Measurement:
        """Runs a load level on the engine's node.

        Raises:
            MeasureError: the load generator could not work there.
            LaunchLost: the node is gone.
        """
        self._level, self._on_progress = self._level + 1, on_progress
        asked = replace(request, launch_id=self._launch_id, number=self._level)
        outcome: Measurement | Refused = await self._answer(
            lambda: self._reservation.actor.run_level.remote(asked)
        )
        if isinstance(outcome, Refused):
            raise MeasureError(outcome.message, remedy=outcome.remedy)
        return outcome

    @property
    def gpus(self) -> int:
        """How many GPUs it occupies."""
        return self._spec.gpus

    @property
    def facts(self) -> NodeFacts:
        """Its node."""
        return self._reservation.facts

    @property
    def processes(self) -> tuple[RayEngine, ...]:
        """Its processes on nodes, the one that serves first; see `MultiNodeEngine`."""
        return (self,)

    @property
    def launch_id(self) -> str:
        """The id by which its node knows the launch."""
        return self._launch_id

    @property
    def node(self) -> str:
        """Ray's id of its node."""
        return self.facts.node

    @property
    def actor(self) -> Any:
        """The actor that runs it."""
        return self._reservation.actor

    @property
    def is_alone(self) -> bool:
        """Whether it has all CPUs of its node."""
        return self._reservation.demand.get("CPU", 0.0) >= self._reservation.facts.cpus

    def exit_code(self) -> int | None:
        """None while it lives; see `RunningEngine`."""
        if not self._has_stopped:
            if self._lost is not None:
                raise self._lost
            self._require_listening()
        return self._exit_code

    async def end_process(self) -> None:
        """Ends its process, as if it had ended itself: a level that is under way sees it dead.

        Raises:
            LaunchLost: its node is gone.
        """
        await answered(lambda: self._reservation.actor.end_engine.remote(self._launch_id))

    async def heard_last(self) -> None:
        """Waits until nothing more is heard of it: it has ended, or its node is gone."""
        if self._listening is not None:
            await asyncio.wait({self._listening})

    def diagnose(self) -> Failure:
        """Why the engine is dead or misbehaves, from its log and exit code."""
        return judged(
            self.log_path, self._spec, exit_code=self._exit_code, was_ready=self.was_ready
        )

    async def stop(self) -> None:
        """Ends the engine and all that it started.

        Raises:
            LaunchError: it cannot be ended.
        """
        if self._has_stopped:
            return
        self._is_stopping = True
        try:
            refused: Refused | None = await self._answer(
                lambda: self._reservation.actor.stop.remote(self._launch_id)
            )
        except LaunchLost:
            await self._clean_up()
            return
        except BaseException:
            # Without its actor the engine is ended by its supervisor.
            await asyncio.to_thread(self._reservation.release)
            raise
        finally:
            self._has_stopped = True
            if self._listening is not None:
                self._listening.cancel()
        if refused is not None:
            await asyncio.to_thread(self._reservation.release)
            raise LaunchError(refused.message, remedy=refused.remedy)
        self._on_gone(self.handle)
        self._give_back(self._reservation)

    async def _clean_up(self) -> None:
        """Ends what is left where the actor is gone; the node may be, too."""
        await asyncio.to_thread(self._reservation.release)
        if await asyncio.to_thread(reaping.reap, self.handle) is Reaped.GONE:
            self._on_gone(self.handle)

    async def _answer(self, ask: Callable[[], Awaitable[NodeReply[T]]]) -> T:
        """The node's answer, once the log has come as far as it had then."""
        reply = await answered(ask)
        while self._log_bytes < reply.log_bytes and self._listening is not None:
            if self._listening.done():
                break
            self._heard.clear()
            heard = asyncio.ensure_future(self._heard.wait())
            await asyncio.wait({self._listening, heard}, return_when=asyncio.FIRST_COMPLETED)
            heard.cancel()
        if reply.exit_code is not None and self._listening is not None:
            await asyncio.wait({self._listening})
        if self._lost is not None:
            raise self._lost
        if not self._is_stopping:
            self._require_listening()
        return reply.value

    def _require_listening(self) -> None:
        """Makes sure that the end of the engine would be seen.

        Raises:
            LaunchError: the log cannot be written; or what else has ended the listening.
        """
        listening = self._listening
        if listening is None or not listening.done() or listening.cancelled():
            return
        error = listening.exception()
        if isinstance(error, OSError):
            raise LaunchError(
                f"{self.log_path} cannot be written: {error.strerror or error}",
                remedy="make room on the disk, or choose another home",
            ) from error
        if error is not None:
            raise error

    async def _node_went_down(self) -> bool:
        """Whether an engine ended with its node: a host that shuts down asks both to end."""
        if self._is_stopping:
            return False
        await asyncio.sleep(_SHUTDOWN_S)
        return not (self._is_stopping or await self._reservation.is_alive())

    def _take(self, progress: LevelProgressNews | None) -> None:
        """Passes progress on; what the level before has left behind is none of this one's."""
        if progress is not None and progress != self._progress and progress.level == self._level:
            self._on_progress(progress.completed, progress.asked)
        self._progress = progress

    async def _listen(self) -> None:
        """Takes the news of the launch, until its engine has ended."""
        with self.log_path.open("wb") as log:
            while self._exit_code is None:
                try:
                    news: News = await answered(
                        lambda: self._reservation.actor.news.remote(
                            self._launch_id, self._log_bytes, self._progress
                        )
                    )
                except LaunchLost as lost:
                    self._lost = lost
                    return
                if news.exit_code is not None and await self._node_went_down():
                    self._lost = LaunchLost(f"node {self._reservation.facts.host} went down")
                    return
                if news.log:
                    log.write(news.log)
                    log.flush()
                    self._log_bytes += len(news.log)
                self._take(news.progress)
                self._exit_code = news.exit_code
                self.ended_s = math.inf if news.exit_code is None else time.monotonic()
                self._heard.set()
