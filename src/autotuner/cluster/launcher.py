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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

import autotuner
from autotuner.cluster import reaping
from autotuner.cluster.connection import (
    CLIENT,
    connected,
    connection,
    demand,
    nodes,
)
from autotuner.cluster.engine import RayEngine
from autotuner.cluster.load import RayLoadGenerator
from autotuner.cluster.messages import LaunchRequest
from autotuner.cluster.multi_node_engine import MultiNodeEngine
from autotuner.cluster.reservation import Reservation, reserved
from autotuner.config import Document, RayConfig
from autotuner.engines import LaunchSpec
from autotuner.errors import LaunchError
from autotuner.launch.engine_log import open_log
from autotuner.launch.protocol import (
    ClusterCapacity,
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
"""Time for which a reservation is kept for the next launch."""
_NODE_BACK_S = 300.0
"""Time for which a launch waits for a node that fits, where there was one before."""
_LOOK_S = 2.0
_RESERVING = Preparation("reserving resources of the Ray cluster")
_OWNER_SILENT_S = 8.0
"""Where Ray sees the end of an owner late: behind a Ray Client server it waits for half a minute
whether the owner comes back."""


class RayLauncher:
    """An actor in a placement group for each launch, which runs the local launcher on its node.

    Actor and reservation are kept for the next launch that needs as much: starting a process of
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
        self._idle: list[Reservation] = []
        self._prepared: list[tuple[LaunchSpec, Reservation]] = []
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
    def connection(cls, options: Document | None) -> AbstractContextManager[ClusterCapacity]:
        """A connection to a cluster; see `LaunchesOnCluster`."""
        return connection(_config(options))

    @classmethod
    def load_generator(cls, context: LoadContext) -> RayLoadGenerator:
        """The load generator that runs beside the engines."""
        return RayLoadGenerator(context)

    async def prepare(self, spec: LaunchSpec, report: Callable[[Preparation], None]) -> None:
        """Reserves what the next launch of `spec` needs, however long others use the cluster.

        Raises:
            LaunchError: no cluster answers, or no node of it could ever take the launch.
        """
        await asyncio.to_thread(connected, self._config.address)
        with contextlib.suppress(LaunchLost):  # then the launch is lost, if the cluster stays so
            reservation = await self._reservation(spec, waiting=lambda: report(_RESERVING))
            with self._lock:
                self._prepared.append((spec, reservation))

    async def launch(
        self,
        spec: LaunchSpec,
        devices: Sequence[str],
        *,
        log_path: Path,
        ready_timeout_s: float,
    ) -> RayEngine | MultiNodeEngine:
        """Starts `spec` in the reservation that was prepared for it, or waits for one; see
        `Launcher.launch`.

        Which GPUs it gets, Ray says: `devices` of this machine take no part.
        """
        open_log(log_path).close()
        there = await asyncio.to_thread(connected, self._config.address)
        reservation = self._prepared_for(spec) or await self._reservation(spec)
        engine = self._engine(spec, reservation, there.address, log_path)
        try:
            for process in engine.processes:
                self._on_started(process.handle)
            await engine.start(
                LaunchRequest(
                    engine.processes[0].launch_id,
                    spec,
                    dict(self._environment),
                    self._caches,
                    ready_timeout_s,
                )
            )
        except BaseException:
            await engine.stop()
            raise
        return engine

    def _engine(
        self, spec: LaunchSpec, reservation: Reservation, address: str, log_path: Path
    ) -> RayEngine | MultiNodeEngine:
        """The engine of a launch, which is yet to be started."""
        parts, left = reservation.parts, list[Reservation]()

        def take_back(part: Reservation) -> None:
            left.append(part)
            if len(left) == len(parts):
                self._take_back(reservation)

        processes = []
        for rank, part in enumerate(parts):
            launch_id = part.next_launch_id()
            process = RayEngine(
                replace(spec, gpus=spec.gpus // spec.nodes),
                part,
                launch_id,
                reaping.handle_of(launch_id, part.facts.node, address),
                log_path.with_suffix(f".node{rank}.log") if rank else log_path,
                give_back=take_back,
                on_gone=self._on_gone,
            )
            processes.append(process)
        return processes[0] if spec.nodes == 1 else MultiNodeEngine(processes, reservation)

    async def close(self) -> None:
        """Gives its reservations back."""
        with self._lock:
            kept = [*self._idle, *(reservation for _, reservation in self._prepared)]
            self._idle, self._prepared = [], []
        for reservation in kept:
            await asyncio.to_thread(_release_if_there, reservation)

    def _prepared_for(self, spec: LaunchSpec) -> Reservation | None:
        with self._lock:
            for number, (prepared, reservation) in enumerate(self._prepared):
                if prepared == spec:
                    del self._prepared[number]
                    return reservation
        return None

    async def _reservation(
        self, spec: LaunchSpec, *, waiting: Callable[[], None] = lambda: None
    ) -> Reservation:
        """A reservation for a launch: a kept one where it is as large, else a new one.

        Args:
            waiting: called every few seconds until there is one.
        """
        deadline = RetryDeadline(_NODE_BACK_S if spec.gpus in self._fitted else 0.0)

        def fits() -> dict[str, float] | None:
            return deadline.tried(lambda: demand(self._config, spec.gpus, nodes(), spec.nodes))

        while (wanted := await asyncio.to_thread(fits)) is None:
            waiting()
            await asyncio.sleep(_LOOK_S)
        self._fitted.add(spec.gpus)
        deadline = RetryDeadline(_NODE_BACK_S)
        with self._lock:
            kept = next((one for one in self._idle if one.fits(wanted, spec.nodes)), None)
            if kept is not None:
                self._idle.remove(kept)
                others = []
            else:
                # What they hold may be all that there is.
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
        reservation = await reserved(
            name,
            wanted,
            spec.gpus // spec.nodes,
            fits,
            node_count=spec.nodes,
            waiting=waiting,
            owner_silent_s=_OWNER_SILENT_S if self._config.address.startswith(CLIENT) else None,
        )
        there = (one.facts for one in reservation.parts)
        other = next((one for one in there if one.version != autotuner.__version__), None)
        if other is not None:
            await asyncio.to_thread(reservation.release)
            raise LaunchError(
                f"node {other.host} has version {other.version} of "
                f"inference-autotuner, and this is {autotuner.__version__}",
                remedy="install the same version on every node",
            )
        return reservation

    def _take_back(self, reservation: Reservation) -> None:
        """Keeps a reservation for a while."""
        with self._lock:
            self._idle.append(reservation)
        timer = threading.Timer(_IDLE_S, self._release_idle, (reservation, reservation.launches))
        timer.daemon = True
        timer.start()

    def _release_idle(self, reservation: Reservation, launches: int) -> None:
        with self._lock:
            if reservation not in self._idle or reservation.launches != launches:
                return
            self._idle.remove(reservation)
        _release_if_there(reservation)


@dataclass
class RetryDeadline:
    """Limit of retrying what was possible once: a node that was lost may come back.

    Attributes:
        most_s: how long a refusal may last; 0 where it never was.
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


def _release_all(reservations: Sequence[Reservation]) -> None:
    for reservation in reservations:
        reservation.release()


def _release_if_there(reservation: Reservation) -> None:
    with contextlib.suppress(Exception):  # the cluster may be gone, and the reservation with it
        reservation.release()


def _config(options: Document | None) -> RayConfig:
    return options if isinstance(options, RayConfig) else RayConfig()
