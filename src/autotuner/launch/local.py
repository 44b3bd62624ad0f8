"""Starts engines as processes of this machine, each behind a warden."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autotuner.engines import FailureKind, LaunchSpec
from autotuner.errors import LaunchError
from autotuner.http_client import BaseUrl
from autotuner.launch import warden
from autotuner.launch.devices import limited_to
from autotuner.launch.failures import JUDGED_LINES, classify, read_tail
from autotuner.launch.health import answers_ok
from autotuner.launch.log import open_log
from autotuner.launch.ports import LOOPBACK, free_port, is_free
from autotuner.launch.protocol import Failure, LaunchFailed, StopsWhenLeft

Told = Callable[[int], None]
_PORT_TRIES = 3
_HEALTH_POLL_S = 0.02
_PORT_FREE_POLL_S = 0.02
_WARDEN_MARGIN_S = 5.0


class LocalLauncher:
    """Own session and process group, a free loopback port, log to a file.

    Args:
        stop_grace_s: from SIGTERM to SIGKILL.
        on_started, on_gone: called with the id of an engine's warden, which leads the session in
            which the engine runs, once it is started and once all of it has ended.
        environment: what engines inherit; this process's where left out.
    """

    def __init__(
        self,
        *,
        stop_grace_s: float = 5.0,
        on_started: Told = lambda pid: None,
        on_gone: Told = lambda pid: None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._stop_grace_s = stop_grace_s
        self._on_started = on_started
        self._on_gone = on_gone
        self._environment = environment

    async def launch(
        self,
        spec: LaunchSpec,
        *,
        devices: Sequence[str] | None = None,
        log_path: Path,
        ready_timeout_s: float,
    ) -> LocalEngine:
        """Starts `spec`; see `Launcher.launch`. A port that is taken meanwhile costs a new try."""
        if shutil.which(spec.argv[0]) is None:
            raise LaunchError(
                f"the program {spec.argv[0]!r} is not there or cannot be run",
                remedy="check engine_path",
            )
        environment = limited_to({**self._inherited(), **dict(spec.env)}, devices)
        for _ in range(_PORT_TRIES - 1):
            try:
                return await self._try(spec, environment, log_path, ready_timeout_s)
            except LaunchFailed as failed:
                if failed.failure.kind is not FailureKind.PORT_TAKEN:
                    raise
        return await self._try(spec, environment, log_path, ready_timeout_s)

    async def _try(
        self,
        spec: LaunchSpec,
        environment: Mapping[str, str],
        log_path: Path,
        ready_timeout_s: float,
    ) -> LocalEngine:
        port = free_port()
        began = time.monotonic()
        folder = log_path.with_suffix(".files")
        with open_log(log_path) as log:
            _write_files(spec, folder)
            log.write(f"$ {spec.command(port)}\n")
            log.flush()
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", warden.__file__, str(self._stop_grace_s)),
                    *spec.argv_for(port, str(folder)),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise LaunchError(f"no process can be started: {error.strerror}") from None
        engine = LocalEngine(
            spec, process, port, log_path, stop_grace_s=self._stop_grace_s, on_gone=self._on_gone
        )
        try:
            self._on_started(process.pid)
            await engine.wait_ready(ready_timeout_s)
        except BaseException:
            await engine.stop()
            raise
        engine.startup_s = time.monotonic() - began
        return engine

    def _inherited(self) -> Mapping[str, str]:
        return os.environ if self._environment is None else self._environment


class LocalEngine(StopsWhenLeft):
    """A live engine and its warden; see `RunningEngine`."""

    def __init__(
        self,
        spec: LaunchSpec,
        process: asyncio.subprocess.Process,
        port: int,
        log_path: Path,
        *,
        stop_grace_s: float,
        on_gone: Told,
    ) -> None:
        self.base_url = f"http://{LOOPBACK}:{port}"
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
        return classify(
            read_tail(self.log_path, JUDGED_LINES),
            self._spec.failure_patterns,
            exit_code=self.exit_code(),
            was_ready=self._was_ready,
        )

    async def wait_ready(self, timeout_s: float) -> None:
        """Returns once the health endpoint answers 200.

        Raises:
            LaunchFailed: the engine ended first, or the time is over.
        """
        deadline = time.monotonic() + timeout_s
        ended = asyncio.ensure_future(self._process.wait())
        base = BaseUrl.parse(self.base_url)
        try:
            while time.monotonic() < deadline:
                healthy = await answers_ok(base, self._spec.health_path)
                if healthy and self.exit_code() is None:
                    self._was_ready = True
                    return
                await asyncio.wait({ended}, timeout=_HEALTH_POLL_S)
                if ended.done():
                    raise LaunchFailed(self.diagnose())
        finally:
            ended.cancel()
        failure = self.diagnose()
        message = f"{failure.message} ({timeout_s:g} s)"
        raise LaunchFailed(Failure(failure.kind, message, failure.log_tail))

    async def stop(self) -> None:
        """Ends the engine's whole process group and returns once its port is free.

        Raises:
            LaunchError: something still listens on the port.
        """
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(self._stop_grace_s + _WARDEN_MARGIN_S):
                await self._process.wait()
        except TimeoutError:
            # Its death takes the engine along (PR_SET_PDEATHSIG).
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        deadline = time.monotonic() + _WARDEN_MARGIN_S
        while not is_free(self._port):
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"port {self._port} is still in use after the engine was stopped",
                    remedy="see which process listens there, and end it",
                )
            await asyncio.sleep(_PORT_FREE_POLL_S)
        self._on_gone(self._process.pid)


def _write_files(spec: LaunchSpec, folder: Path) -> None:
    for name, text in spec.files:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
