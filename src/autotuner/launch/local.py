"""Starts engines as processes of this machine, each behind a supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from autotuner.engines import LaunchSpec
from autotuner.errors import LaunchError
from autotuner.http_client import BaseUrl
from autotuner.launch import supervisor
from autotuner.launch.caches import caches_of, make_folders
from autotuner.launch.devices import limited_to
from autotuner.launch.engine_log import judged, open_log, write_files, write_head
from autotuner.launch.page_cache import page_cache_of
from autotuner.launch.ports import LOOPBACK, free_port, is_free, tried_on_ports
from autotuner.launch.processes import Process, end_session, process_of, this_machine
from autotuner.launch.protocol import (
    EngineHandle,
    Failure,
    HandleCallback,
    LaunchContext,
    Reaped,
    StopsWhenLeft,
)
from autotuner.launch.readiness import POLL_S, until_ready

KIND = "local"
"""Its name among the deployment modes."""
_PORT_FREE_POLL_S = 0.02
_STOP_GRACE_S = 5.0
SIGNALLED_S = 0.1
"""From a signal to an engine to the same signal to this process, as where a scheduler takes a job
away: work then ends by cancellation, and what the engine did says nothing of its candidate."""
_SUPERVISOR_MARGIN_S = 5.0


class LocalLauncher:
    """Own session and process group, a free loopback port, log to a file.

    Args:
        stop_grace_s: from SIGTERM to SIGKILL.
        on_started, on_gone: as in `LaunchContext`.
        environment: what engines inherit; this process's where left out. Which GPUs it names does
            not count: `launch` is given them.
        caches: folder for what engines compile; None leaves it to them.
    """

    def __init__(
        self,
        *,
        stop_grace_s: float = _STOP_GRACE_S,
        on_started: HandleCallback = lambda handle: None,
        on_gone: HandleCallback = lambda handle: None,
        environment: Mapping[str, str] | None = None,
        caches: Path | None = None,
    ) -> None:
        self._caches = caches
        self._stop_grace_s = stop_grace_s
        self._on_started = on_started
        self._on_gone = on_gone
        self._environment = environment

    @classmethod
    def describe_place(cls) -> str:
        """Where engines run, in words."""
        return "processes of this machine"

    @classmethod
    def of(cls, context: LaunchContext) -> Self:
        """The launcher of a task, with the environment and the callbacks of `context`."""
        return cls(
            on_started=context.on_started,
            on_gone=context.on_gone,
            environment=context.environment,
            caches=context.caches,
        )

    @classmethod
    def reap(cls, handle: EngineHandle) -> Reaped:
        """Ends what is left of an engine's session; see `Launcher.reap`.

        A handle's `id` is the process id of the engine's supervisor, the moment at which that
        started, and the boot of its machine: none of the three alone names one process.

        Raises:
            LaunchError: the handle is not one of this launcher's.
        """
        leader, boot = _supervisor_of(handle)
        here = this_machine()
        if not here.boot or (handle.host, boot) != (here.host, here.boot):
            return Reaped.ELSEWHERE
        is_over = end_session(leader, within_s=_STOP_GRACE_S + _SUPERVISOR_MARGIN_S)
        return Reaped.GONE if is_over else Reaped.ALIVE

    async def launch(
        self,
        spec: LaunchSpec,
        devices: Sequence[str],
        *,
        log_path: Path,
        ready_timeout_s: float,
    ) -> LocalEngine:
        """Starts `spec`; see `Launcher.launch`. A port that is taken meanwhile costs a new try."""
        if shutil.which(spec.argv[0]) is None:
            raise LaunchError(
                f"the program {spec.argv[0]!r} is not there or cannot be run",
                remedy="check engine_path",
            )
        inherited = self._inherited()
        caches = caches_of(spec, inherited, self._caches)
        make_folders(caches, self._caches)
        environment = limited_to({**inherited, **dict(spec.env), **caches}, devices)
        caches |= await asyncio.to_thread(page_cache_of, spec)
        return await tried_on_ports(
            lambda: self._try(spec, environment, caches, log_path, ready_timeout_s)
        )

    async def _try(
        self,
        spec: LaunchSpec,
        environment: Mapping[str, str],
        caches: Mapping[str, str],
        log_path: Path,
        ready_timeout_s: float,
    ) -> LocalEngine:
        port = free_port()
        began = time.monotonic()
        with open_log(log_path) as log:
            folder = write_files(spec, log_path)
            write_head(log, spec.command(port, host=LOOPBACK), caches)
            spawning = asyncio.ensure_future(
                asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", supervisor.__file__, str(self._stop_grace_s)),
                    *spec.argv_for(port, host=LOOPBACK, folder=str(folder)),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                )
            )
            try:
                process = await asyncio.shield(spawning)
            except asyncio.CancelledError:
                # Left to itself, asyncio would kill the supervisor before that has ended the rest.
                await self._engine(spec, await spawning, port, log_path).stop()
                raise
            except OSError as error:
                raise LaunchError(f"no process can be started: {error.strerror}") from None
        engine = self._engine(spec, process, port, log_path)
        engine.caches = caches
        try:
            self._on_started(engine.handle)
            if not spec.is_follower:
                await engine.wait_ready(ready_timeout_s)
        except BaseException:
            await engine.stop()
            raise
        engine.startup_s = time.monotonic() - began
        return engine

    def _engine(
        self, spec: LaunchSpec, process: asyncio.subprocess.Process, port: int, log_path: Path
    ) -> LocalEngine:
        return LocalEngine(
            spec, process, port, log_path, stop_grace_s=self._stop_grace_s, on_gone=self._on_gone
        )

    def _inherited(self) -> Mapping[str, str]:
        return os.environ if self._environment is None else self._environment


class LocalEngine(StopsWhenLeft):
    """A live engine and its supervisor; see `RunningEngine`."""

    def __init__(
        self,
        spec: LaunchSpec,
        process: asyncio.subprocess.Process,
        port: int,
        log_path: Path,
        *,
        stop_grace_s: float,
        on_gone: HandleCallback,
    ) -> None:
        self.handle = _handle_of(process.pid)
        self.base_url = str(BaseUrl("http", LOOPBACK, port))
        self.startup_s = 0.0
        self.log_path = log_path
        self._spec = spec
        self._process = process
        self._port = port
        self._stop_grace_s = stop_grace_s
        self._was_ready = False
        self._on_gone = on_gone

    def exit_code(self) -> int | None:
        """None while it lives; 128 + n where signal n ended it."""
        return self._process.returncode

    def diagnose(self) -> Failure:
        """Why the engine is dead or misbehaves, from its log and exit code."""
        return judged(
            self.log_path, self._spec, exit_code=self.exit_code(), was_ready=self._was_ready
        )

    async def wait_ready(self, timeout_s: float) -> None:
        """Returns once the health endpoint answers 200.

        Raises:
            LaunchFailed: the engine ended first, or the time is over.
        """
        ended = asyncio.ensure_future(self._process.wait())

        async def pause() -> None:
            await asyncio.wait({ended}, timeout=POLL_S)
            if ended.done():
                await asyncio.sleep(SIGNALLED_S)

        try:
            await until_ready(
                BaseUrl.parse(self.base_url),
                (self._spec.health_path,),
                has_ended=lambda: ended.done() or self.exit_code() is not None,
                pause=pause,
                diagnose=self.diagnose,
                timeout_s=timeout_s,
            )
            self._was_ready = True
        finally:
            ended.cancel()

    async def stop(self) -> None:
        """Ends the engine's whole process group and returns once its port is free.

        Raises:
            LaunchError: something still listens on the port.
        """
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(self._stop_grace_s + _SUPERVISOR_MARGIN_S):
                await self._process.wait()
        except TimeoutError:
            # Its death takes the engine along (PR_SET_PDEATHSIG).
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        deadline = time.monotonic() + _SUPERVISOR_MARGIN_S
        while not is_free(self._port):
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"port {self._port} is still in use after the engine was stopped",
                    remedy="see which process listens there, and end it",
                )
            await asyncio.sleep(_PORT_FREE_POLL_S)
        self._on_gone(self.handle)


def _handle_of(pid: int) -> EngineHandle:
    here = this_machine()
    return EngineHandle(KIND, f"{pid}:{process_of(pid).started}:{here.boot}", here.host)


def _supervisor_of(handle: EngineHandle) -> tuple[Process, str]:
    """The process that a handle names, and the boot of its machine."""
    parts = handle.id.split(":", 2)
    if handle.kind != KIND or len(parts) != 3 or not (parts[0] + parts[1]).isdecimal():
        raise LaunchError(f"{handle}: that is no handle of the launcher {KIND!r}")
    pid, started, boot = parts
    return Process(int(pid), int(started)), boot
