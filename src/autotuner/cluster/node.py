"""A launch's end on a node of the cluster: the engine, the load, and the counters of the node.

An instance is a Ray actor. What it does runs on an event loop of its own thread, on which nothing
of Ray's runs: a load generator stamps times there.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import os
import threading
import time
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

import autotuner
from autotuner.catalog.device import this_device
from autotuner.cluster.connection import nodes, ray_module
from autotuner.cluster.messages import (
    LAUNCH_ID,
    LaunchRequest,
    LevelProgressNews,
    LevelRequest,
    News,
    NodeFacts,
    NodeReply,
    Ready,
    Refused,
    missing_files,
)
from autotuner.errors import AutotunerError
from autotuner.launch import Failure, LaunchFailed, LocalEngine, LocalLauncher
from autotuner.launch.ports import free_port
from autotuner.launch.processes import this_machine
from autotuner.measure import Endpoint, Measurement, load_generator_named
from autotuner.measure.disturbance import read_counters
from autotuner.measure.energy_counters import Occupied, energy_counters
from autotuner.measure.level_watch import LevelWatcher
from autotuner.scratch_folder import ScratchFolder

T = TypeVar("T")
_OF_THE_NODE = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH"),
    *("VIRTUAL_ENV", "PYTHON*", "XDG_*", "CUDA_*", "NVIDIA_*", "HIP_*", "ROCR_*", "ROCM_*"),
)
"""Variables that mean something on their own machine alone: engines inherit the node's."""
_OF_RAY = "RAY_*"
"""Engines inherit none of these: one that finds a cluster may join it."""
_NEWS_POLL_S = 0.02
_NEWS_WAIT_S = 1.0
_LOG_BYTES = 1 << 20
SILENT_LOOKS = 8
"""Looks, one after the other, without a new heartbeat until an owner counts as gone."""


class LaunchNode:
    """Runs launches on a node, one after the other.

    Every message has the id of its launch: Ray keeps no order among those that wait together.

    Args:
        owner_silent_s: seconds without a heartbeat after which the owner counts as gone; None where
            Ray itself sees that, and none is given.
    """

    def __init__(self, owner_silent_s: float | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="engine", daemon=True).start()
        self._scratch = ScratchFolder("launches")
        self._launch_id = ""
        self._over: set[str] = set()
        self._log = self._scratch.path / "none.log"
        self._engine: LocalEngine | None = None
        self._work: set[asyncio.Task[Any]] = set()
        self._progress: LevelProgressNews | None = None
        self._heartbeats = 0
        self._watch: Future[None] | None = None
        if owner_silent_s is not None:
            watch = self._end_with_owner(owner_silent_s)
            self._watch = asyncio.run_coroutine_threadsafe(watch, self._loop)

    async def facts(self) -> NodeFacts:
        """The node."""
        import ray

        node = ray.get_runtime_context().get_node_id()
        devices = tuple(map(str, ray.get_gpu_ids()))
        cpus = next((own.resources.get("CPU", 0.0) for own in nodes() if own.id == node), 0.0)
        cpu = this_device()
        return NodeFacts(
            node,
            this_machine().host,
            autotuner.__version__,
            devices,
            cpus,
            processor=cpu.name,
            cores=cpu.cores,
            address=str(ray_module().util.get_node_ip_address()),
        )

    async def free_port(self) -> int:
        """A port of the node that is free now."""
        return free_port()

    async def launch(self, request: LaunchRequest) -> NodeReply[Ready | Failure | Refused]:
        """Starts an engine; returns when it serves, or why it does not."""
        if request.launch_id in self._over:
            return NodeReply(Refused("it was stopped before it began", ""), 0, None)
        self._launch_id, self._log = (
            request.launch_id,
            self._scratch.path / f"{request.launch_id}.log",
        )
        self._engine, self._progress = None, None
        self._heartbeats += 1
        reply = self._reply(await self._run(self._launch(request)))
        if not isinstance(reply.value, Ready):
            self._over.add(request.launch_id)
        return reply

    async def run_level(self, request: LevelRequest) -> NodeReply[Measurement | Refused]:
        """Runs a load level on the engine, and watches the node meanwhile."""
        if request.launch_id != self._launch_id or request.launch_id in self._over:
            return NodeReply(Refused("its launch is over", ""), 0, None)
        return self._reply(await self._run(self._level(request)))

    async def news(
        self, launch_id: str, log_position: int, progress: LevelProgressNews | None
    ) -> News:
        """Waits until something is new of a launch, for a second at the most.

        Args:
            launch_id: of the launch, which may be about to begin.
            log_position: bytes of the log that the owner has.
            progress: what it knows.
        """
        deadline_s = time.monotonic() + _NEWS_WAIT_S
        while True:
            if self._launch_id == launch_id:
                exit_code = self._exit_code()
                log = self._log_from(log_position)
                if log or self._progress != progress or exit_code is not None:
                    has_more = len(log) == _LOG_BYTES
                    return News(log, self._progress, None if has_more else exit_code)
            if time.monotonic() > deadline_s:
                return News(b"", progress, None)
            await asyncio.sleep(_NEWS_POLL_S)

    async def heartbeat(self) -> None:
        """Notes that the owner lives."""
        self._heartbeats += 1

    async def stop(self, launch_id: str) -> NodeReply[Refused | None]:
        """Ends a launch, whatever it is about; returns once nothing of its engine is left.

        One that has not begun, never does.
        """
        self._over.add(launch_id)
        if self._launch_id != launch_id:
            return NodeReply(None, 0, None)
        return self._reply(await self._run(self._stop(), is_work=False))

    async def end_engine(self, launch_id: str) -> None:
        """Ends an engine that another process of its launch has left; what is under way goes on,
        and sees it dead."""
        engine = self._engine
        if launch_id == self._launch_id and engine is not None:
            await self._run(engine.stop(), is_work=False)

    async def close(self) -> None:
        """Removes its files: it is about to be ended, which it does not see."""
        if self._watch is not None:
            self._watch.cancel()
        self._scratch.close()

    async def _launch(self, request: LaunchRequest) -> Ready | Failure | Refused:
        host = this_machine().host
        missing = missing_files(request.spec)
        if missing:
            return Refused(
                f"{missing[0]} is not on the node {host}",
                "put the model at the same path on every node (a shared folder, or the same "
                "image), or name one of a hub",
            )
        environment = {
            **engine_environment(request.environment, os.environ),
            LAUNCH_ID: request.launch_id,
        }
        launcher = LocalLauncher(environment=environment, caches=request.caches)
        facts = await self.facts()
        try:
            engine = await launcher.launch(
                request.spec,
                facts.devices,
                log_path=self._log,
                ready_timeout_s=request.ready_timeout_s,
            )
        except LaunchFailed as failed:
            return failed.failure
        except AutotunerError as error:
            remedy = f"{error.remedy} (programs lie at the same paths on every node)"
            return Refused(f"node {host}: {error.message}", remedy)
        self._engine = engine
        return Ready(engine.base_url, engine.startup_s, dict(engine.caches))

    async def _level(self, request: LevelRequest) -> Measurement | Refused:
        engine = self._engine
        assert engine is not None, "a level without an engine"  # noqa: S101
        facts = await self.facts()
        occupied = Occupied(
            request.gpus,
            facts.devices,
            is_here=not request.is_multi_node,
            is_alone=request.is_alone,
        )
        endpoint = Endpoint(engine.base_url, request.model_name, request.api_path)

        def progress(completed: int, wanted: int) -> None:
            self._progress = LevelProgressNews(request.number, completed, wanted)

        try:
            tool = load_generator_named(request.context.benchmark.tool)
            generator = tool.of(request.context)
            with LevelWatcher(read_counters, energy_counters).watched(occupied) as watch:
                measurement = await generator.run(
                    endpoint,
                    request.plan,
                    engine_alive=lambda: engine.exit_code() is None,
                    on_progress=progress,
                )
        except AutotunerError as error:
            return Refused(f"node {facts.host}: {error.message}", error.remedy)
        return watch.added_to(measurement)

    async def _stop(self) -> Refused | None:
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        try:
            if self._engine is not None:
                await self._engine.stop()
        except AutotunerError as error:
            return Refused(f"node {this_machine().host}: {error.message}", error.remedy)
        return None

    async def _end_with_owner(self, silent_s: float) -> None:
        """Ends what runs, and this process, where the owner gives no heartbeat any more: also
        while an engine loads, and between two launches.

        A machine that stood still, this process with it, makes one silent look of it: no heartbeat
        could be heard meanwhile.
        """
        silent_looks = 0
        while silent_looks < SILENT_LOOKS:
            heard = self._heartbeats
            await asyncio.sleep(silent_s / SILENT_LOOKS)
            silent_looks = silent_looks + 1 if self._heartbeats == heard else 0
        await self._stop()
        self._scratch.close()
        os._exit(0)

    async def _run(self, work: Coroutine[Any, Any, T], *, is_work: bool = True) -> T:
        """Runs `work` on the engine's loop.

        Args:
            is_work: whether stopping the launch cancels it.
        """

        async def registered() -> T:
            task = asyncio.create_task(work)
            if is_work:
                self._work.add(task)
                task.add_done_callback(self._work.discard)
            return await task

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(registered(), self._loop))

    def _reply(self, value: T) -> NodeReply[T]:
        exit_code = self._exit_code()
        with contextlib.suppress(FileNotFoundError):
            return NodeReply(value, self._log.stat().st_size, exit_code)
        return NodeReply(value, 0, exit_code)

    def _exit_code(self) -> int | None:
        return None if self._engine is None else self._engine.exit_code()

    def _log_from(self, position: int) -> bytes:
        try:
            with self._log.open("rb") as file:
                file.seek(position)
                return file.read(_LOG_BYTES)
        except FileNotFoundError:
            return b""


def engine_environment(owners: Mapping[str, str], nodes: Mapping[str, str]) -> dict[str, str]:
    """The variables that an engine on a node inherits: the owner's, with the node's own where they
    say something of their machine. Nothing else of the node's environment reaches it."""
    return {
        name: value
        for is_nodes, variables in ((False, owners), (True, nodes))
        for name, value in variables.items()
        if _is_of_the_node(name) is is_nodes and not fnmatch.fnmatchcase(name, _OF_RAY)
    }


def _is_of_the_node(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _OF_THE_NODE)
