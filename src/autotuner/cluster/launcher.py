"""Starts engines on the nodes of a Ray cluster; see `Launcher`."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import autotuner
from autotuner.cluster import reaping
from autotuner.cluster.connection import (
    CLIENT,
    ClusterConnection,
    connected,
    connection,
    demand,
    nodes,
)
from autotuner.cluster.engine import RayEngine
from autotuner.cluster.load import RayLoadGenerator
from autotuner.cluster.messages import LaunchRequest
from autotuner.cluster.seat import Seat, reserved
from autotuner.config import Document, RayConfig
from autotuner.engines import LaunchSpec
from autotuner.errors import LaunchError
from autotuner.launch.engine_log import open_log
from autotuner.launch.protocol import (
    ClusterRoom,
    EngineHandle,
    HandleCallback,
    LaunchContext,
    LaunchLost,
    Preparation,
    Reaped,
)
from autotuner.measure.protocol import LoadContext

T = TypeVar("T")
_IDLE_S = 10.0
"""Time for which a place in the cluster is kept for the next launch."""
_NODE_BACK_S = 300.0
"""Time for which a launch waits for a node that fits, where there was one before."""
_LOOK_S = 2.0
_RESERVING = Preparation("reserving resources of the Ray cluster")
_OWNER_SILENT_S = 8.0
"""Where Ray sees the end of an owner late: behind a Ray Client server it waits for half a minute
whether the owner comes back."""


class RayLauncher:
    """An actor in a placement group for each launch, which runs the local launcher on its node.

    The actor and its place are kept for the next launch that needs as much: starting a process of
    Ray's takes longer than all else that a launch costs.

    Args:
        config: the cluster, and what a launch reserves of it.
        environment, on_started, on_gone, caches: as in `LaunchContext`.
    """

    def __init__(
        self,
        config: RayConfig,
        *,
        environment: Mapping[str, str],
        on_started: HandleCallback = lambda handle: None,
        on_gone: HandleCallback = lambda handle: None,
        caches: Path | None = None,
    ) -> None:
        self._config = config
        self._environment = environment
        self._on_started = on_started
        self._on_gone = on_gone
        self._caches = caches
        self._idle: list[Seat] = []
        self._prepared: list[tuple[LaunchSpec, Seat]] = []
        self._fitted: set[int] = set()
        self._lock = threading.Lock()

    @classmethod
    def describe_place(cls) -> str:
        """Where engines run, in words; the cluster is each task's own to name."""
        return f"nodes of a cluster of Ray {importlib.metadata.version('ray')}, which a task names"

    @classmethod
    def of(cls, context: LaunchContext) -> Self:
        """The launcher of a task."""
        return cls(
            _config(context.options),
            environment=context.environment,
            on_started=context.on_started,
            on_gone=context.on_gone,
            caches=context.caches,
        )

    @classmethod
    def reap(cls, handle: EngineHandle) -> Reaped:
        """Ends what is left of an engine; see `Launcher.reap`."""
        return reaping.reap(handle)

    @classmethod
    def connection(cls, options: Document | None) -> AbstractContextManager[ClusterRoom]:
        """A connection to a cluster; see `LaunchesOnCluster`."""
        return connection(_config(options))

    @classmethod
    def load_generator(cls, context: LoadContext) -> RayLoadGenerator:
        """The load generator that runs beside the engines."""
        return RayLoadGenerator(context)

    async def prepare(self, spec: LaunchSpec, report: Callable[[Preparation], None]) -> None:
        """Reserves a place for the next launch of `spec`, however long others use the cluster.

        Raises:
            LaunchError: no cluster answers, or no node of it could ever take the launch.
        """
        await asyncio.to_thread(connected, self._config.address)
        with contextlib.suppress(LaunchLost):  # then the launch is lost, if the cluster stays so
            seat = await self._seat(spec, waiting=lambda: report(_RESERVING))
            with self._lock:
                self._prepared.append((spec, seat))

    async def launch(
        self,
        spec: LaunchSpec,
        devices: Sequence[str],
        *,
        log_path: Path,
        ready_timeout_s: float,
    ) -> RayEngine:
        """Starts `spec` in the place that was prepared for it, or waits for one; see
        `Launcher.launch`.

        Which GPUs it gets, Ray says: `devices` of this machine take no part.
        """
        open_log(log_path).close()
        there = await asyncio.to_thread(connected, self._config.address)
        seat = self._prepared_for(spec) or await self._seat(spec)
        mark = seat.next_mark()
        engine = RayEngine(
            spec,
            seat,
            mark,
            reaping.handle_of(mark, seat.facts.node, there.address),
            log_path,
            give_back=self._take_back,
            on_gone=self._on_gone,
        )
        try:
            self._on_started(engine.handle)
            await engine.start(self._request(spec, mark, there, ready_timeout_s))
        except BaseException:
            await engine.stop()
            raise
        return engine

    async def close(self) -> None:
        """Gives its places back."""
        with self._lock:
            places = [*self._idle, *(seat for _, seat in self._prepared)]
            self._idle, self._prepared = [], []
        for place in places:
            await asyncio.to_thread(_release_if_there, place)

    def _request(
        self, spec: LaunchSpec, mark: str, there: ClusterConnection, ready_timeout_s: float
    ) -> LaunchRequest:
        behind_client = there.asked.startswith(CLIENT)
        return LaunchRequest(
            mark,
            spec,
            dict(self._environment),
            self._caches,
            ready_timeout_s,
            owner_silent_s=_OWNER_SILENT_S if behind_client else None,
        )

    def _prepared_for(self, spec: LaunchSpec) -> Seat | None:
        with self._lock:
            for place, (prepared, seat) in enumerate(self._prepared):
                if prepared == spec:
                    del self._prepared[place]
                    return seat
        return None

    async def _seat(self, spec: LaunchSpec, *, waiting: Callable[[], None] = lambda: None) -> Seat:
        """A place for a launch: a kept one where it is as large, else a new one.

        Args:
            waiting: called every few seconds until there is one.
        """
        patience = Patience(_NODE_BACK_S if spec.gpus in self._fitted else 0.0)

        def fits() -> dict[str, float] | None:
            return patience.tried(lambda: demand(self._config, spec.gpus, nodes()))

        while (wanted := await asyncio.to_thread(fits)) is None:
            waiting()
            await asyncio.sleep(_LOOK_S)
        self._fitted.add(spec.gpus)
        patience = Patience(_NODE_BACK_S)
        with self._lock:
            kept = next((seat for seat in self._idle if seat.demand == wanted), None)
            if kept is not None:
                self._idle.remove(kept)
                others = []
            else:
                # What they hold may be all the room that there is.
                others, self._idle = self._idle, []
        await asyncio.to_thread(_release_all, others)
        if kept is not None:
            is_alive = False
            try:
                if is_alive := await kept.is_alive():
                    return kept
            finally:
                if not is_alive:
                    await asyncio.to_thread(kept.release)
        name = f"launch-{uuid.uuid4().hex[:12]}"
        seat = await reserved(name, wanted, spec.gpus, fits, waiting=waiting)
        if seat.facts.version != autotuner.__version__:
            await asyncio.to_thread(seat.release)
            raise LaunchError(
                f"node {seat.facts.host} has version {seat.facts.version} of inference-autotuner, "
                f"and this is {autotuner.__version__}",
                remedy="install the same version on every node",
            )
        return seat

    def _take_back(self, seat: Seat) -> None:
        """Keeps a place for a while."""
        with self._lock:
            self._idle.append(seat)
        timer = threading.Timer(_IDLE_S, self._release_idle, (seat, seat.launches))
        timer.daemon = True
        timer.start()

    def _release_idle(self, seat: Seat, launches: int) -> None:
        with self._lock:
            if seat not in self._idle or seat.launches != launches:
                return
            self._idle.remove(seat)
        _release_if_there(seat)


@dataclass
class Patience:
    """Waits for room that was there once: a node that was lost may come back.

    Attributes:
        most_s: how long a refusal may last; 0 where there never was room.
    """

    most_s: float
    clock: Callable[[], float] = time.monotonic
    _since_s: float | None = None

    def tried(self, ask: Callable[[], T]) -> T | None:
        """The answer of `ask`; None where it is refused, but may not be later.

        Raises:
            LaunchError: it has been refused for too long.
        """
        try:
            found = ask()
        except LaunchError:
            now_s = self.clock()
            self._since_s = now_s if self._since_s is None else self._since_s
            if now_s - self._since_s >= self.most_s:
                raise
            return None
        self._since_s = None
        return found


def _release_all(seats: Sequence[Seat]) -> None:
    for seat in seats:
        seat.release()


def _release_if_there(seat: Seat) -> None:
    with contextlib.suppress(Exception):  # the cluster may be gone, and the place with it
        seat.release()


def _config(options: Document | None) -> RayConfig:
    return options if isinstance(options, RayConfig) else RayConfig()
