"""An engine in a container, and how it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autotuner.engines import FailureKind, LaunchSpec
from autotuner.errors import LaunchError
from autotuner.http_client import BaseUrl
from autotuner.launch.container_guard import ContainerGuard
from autotuner.launch.container_spec import Binding
from autotuner.launch.container_watch import ContainerWatch
from autotuner.launch.cpu_time import count_as_ours, keep_as_it_is
from autotuner.launch.docker_daemon import (
    DockerDaemon,
    DockerRefusedError,
)
from autotuner.launch.docker_failures import DockerUnavailableError, why_no_container
from autotuner.launch.engine_log import judged
from autotuner.launch.ports import is_own
from autotuner.launch.processes import Process, process_of
from autotuner.launch.protocol import (
    EngineHandle,
    Failure,
    HandleCallback,
    LaunchFailed,
    LaunchLost,
    StopsWhenLeft,
)
from autotuner.launch.readiness import POLL_S, until_ready
from autotuner.launch.threaded import to_the_end

_REMOVED_WITHIN_S = 20.0
_ADDRESS_WITHIN_S = 5.0
_POLL_S = 0.05
_MODELS_PATH = "/v1/models"
_IN_CONTAINER = Path("/.dockerenv")
_GONE = 404
_NOT_RUNNABLE = re.compile(r"exec \S+: (?:no such file|exec format error|permission denied)")
"""The kernel's refusal of a program in a container, which is its only output then."""


class DockerEngine(StopsWhenLeft):
    """An engine in a container, and the supervisor beside it; see `RunningEngine`."""

    def __init__(
        self,
        spec: LaunchSpec,
        daemon: DockerDaemon,
        name: str,
        image: str,
        handle: EngineHandle,
        at: Binding,
        guard: ContainerGuard,
        log_path: Path,
        *,
        memory_gib: float | None,
        caches: Mapping[str, str],
        stop_grace_s: float,
        on_gone: HandleCallback,
    ) -> None:
        self.handle = handle
        self.base_url = ""
        self.startup_s = 0.0
        self.log_path = log_path
        self.caches = caches
        self._spec = spec
        self._daemon = daemon
        self._name = name
        self._image = image
        self._at = at
        self._guard = guard
        self._memory_gib = memory_gib
        self._stop_grace_s = stop_grace_s
        self._on_gone = on_gone
        self._watch: ContainerWatch | None = None
        self._process: Process | None = None
        self._was_ready = False
        self._is_gone = False

    def start(self) -> None:
        """Starts the container; blocks.

        Raises:
            LaunchError: the daemon cannot.
        """
        with explained(self._image):
            self._daemon.act(self._name, "start")
            self._watch = ContainerWatch(self._daemon, self._name, self.log_path.open("ab"))
            found, address = self._found()
        self._process = _process(found, self._daemon)
        if self._process is not None:
            count_as_ours(self._process)
        self.base_url = "" if address is None else str(address)

    def exit_code(self) -> int | None:
        """None while it lives; 128 + n where signal n ended it."""
        end = self._watch.end if self._watch is not None else None
        return None if end is None else end.exit_code

    async def until_known(self) -> None:
        """Waits, where its output has ended, until it is known whether the engine has."""
        if self._watch is not None:
            await asyncio.to_thread(self._watch.until_known)

    def diagnose(self) -> Failure:
        """Why the engine is dead or misbehaves, from its log and its container's end.

        Raises:
            LaunchLost: others have ended it, or its daemon is gone: that says nothing of it.
        """
        end = self._watch.end if self._watch is not None else None
        if end is not None and end.cause:
            raise LaunchLost(f"{end.cause} ({self._name})")
        exit_code = None if end is None else end.exit_code
        found = judged(self.log_path, self._spec, exit_code=exit_code, was_ready=self._was_ready)
        if end is not None and not self._was_ready:
            last = found.log_tail.rpartition("\n")[2]
            if _NOT_RUNNABLE.match(last):
                raise why_no_container(self._image, last)
        if end is None or not end.out_of_memory:
            return found
        limit = self._memory_gib
        of_what = f"its {limit:g} GiB" if limit else "the machine's"
        message = f"the kernel killed its container: memory ran out, {of_what}"
        return Failure(FailureKind.OUT_OF_MEMORY, message, found.log_tail)

    async def wait_ready(self, timeout_s: float) -> None:
        """Returns once its health and its list of models answer 200.

        Raises:
            LaunchFailed: the engine ended first, or the time is over.
        """
        if not self.base_url:
            raise LaunchFailed(await asyncio.to_thread(self._diagnosed_end))
        await until_ready(
            BaseUrl.parse(self.base_url),
            (self._spec.health_path, _MODELS_PATH),
            has_ended=lambda: self.exit_code() is not None,
            pause=lambda: asyncio.sleep(POLL_S),
            diagnose=self.diagnose,
            timeout_s=timeout_s,
        )
        self._was_ready = True

    async def stop(self) -> None:
        """Ends the engine and removes its container.

        Raises:
            LaunchError: the daemon does not answer, or cannot; the supervisor goes on trying.
        """
        if self._is_gone:
            return
        await to_the_end(self._end)
        self._is_gone = True
        self._on_gone(self.handle)

    def _found(self) -> tuple[Mapping[str, Any], BaseUrl | None]:
        """The container as the daemon describes it, and its address; None where it has ended.

        One that is just ending has no address for a moment before the daemon says that it ended.
        """
        deadline = time.monotonic() + _ADDRESS_WITHIN_S
        while True:
            found = self._daemon.container(self._name)
            if not found["State"]["Running"]:
                return found, None
            if (address := _address(found, self._at, self._daemon)) is not None:
                return found, address
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"the daemon has published no port of {self._name}",
                    remedy="leave docker.network out",
                )
            time.sleep(_POLL_S)

    def _diagnosed_end(self) -> Failure:
        if self._watch is not None:
            self._watch.wait(_REMOVED_WITHIN_S)
        return self.diagnose()

    def _end(self) -> None:
        if self._process is not None:
            keep_as_it_is(self._process)
        try:
            if self._watch is not None and self._watch.end is None:
                with contextlib.suppress(DockerRefusedError):  # it ended meanwhile
                    self._daemon.signal(self._name, signal.SIGTERM)
                self._watch.wait(self._stop_grace_s)
            if not removed(self._daemon, self._name):
                raise LaunchError(
                    f"the container {self._name} cannot be removed",
                    remedy=f"`docker rm -f {self._name}`",
                )
        except BaseException:
            self._guard.leave()
            raise
        if self._watch is not None:
            self._watch.wait(self._stop_grace_s)
        self._guard.gone()


@contextlib.contextmanager
def explained(image: str) -> Iterator[None]:
    """A daemon's refusal as an error with its remedy."""
    try:
        yield
    except DockerRefusedError as error:
        raise why_no_container(image, error.message) from None


def removed(daemon: DockerDaemon, name: str) -> bool:
    """Removes a container by force; whether nothing of it is left."""
    deadline = time.monotonic() + _REMOVED_WITHIN_S
    while time.monotonic() < deadline:
        try:
            daemon.remove(name, force=True)
        except DockerRefusedError as error:
            if error.status == _GONE:
                return True
            # Another removes it at this moment, or the kernel has not let go of it yet.
        except DockerUnavailableError:
            if time.monotonic() + _POLL_S > deadline:
                raise
        else:
            return True
        time.sleep(_POLL_S)
    return False


def _process(found: Mapping[str, Any], daemon: DockerDaemon) -> Process | None:
    """A container's first process; None where it is not among those that this process sees, as it
    is itself in a container."""
    pid = int(found["State"].get("Pid") or 0)
    with contextlib.suppress(OSError):
        if pid and daemon.is_here and found["Id"] in Path(f"/proc/{pid}/cgroup").read_text():
            return process_of(pid)
    return None


def _address(found: Mapping[str, Any], at: Binding, daemon: DockerDaemon) -> BaseUrl | None:
    """Where an engine answers: at its container's own address where this machine reaches it, which
    spares the daemon's proxy, else at the port that is published. None where it has none."""
    if not at.published_at:
        return BaseUrl("http", daemon.published_at, at.port)
    settings = found["NetworkSettings"]
    for network in (settings.get("Networks") or {}).values():
        address, gateway = network.get("IPAddress"), network.get("Gateway")
        is_near = (bool(gateway) and is_own(gateway)) or _IN_CONTAINER.exists()
        if address and daemon.is_here and is_near:
            return BaseUrl("http", address, at.port)
    bound = (settings.get("Ports") or {}).get(f"{at.port}/tcp") or []
    return BaseUrl("http", at.published_at, int(bound[0]["HostPort"])) if bound else None
