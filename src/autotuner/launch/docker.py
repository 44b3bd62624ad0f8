"""Starts engines in containers of a Docker daemon, each with a supervisor beside it."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from autotuner.config.containers import DockerConfig
from autotuner.engines import LaunchSpec, engine_table
from autotuner.errors import LaunchError
from autotuner.launch.caches import caches_of, make_folder, make_folders
from autotuner.launch.container_engine import DockerEngine, explained, removed
from autotuner.launch.container_guard import ContainerGuard
from autotuner.launch.container_spec import (
    FILES,
    LABEL,
    Folder,
    binding,
    container_request,
    hub_folder,
    inherited,
    leaves_files_of_root,
)
from autotuner.launch.docker_daemon import LOOK_S, DaemonFacts, DockerDaemon, DockerRefusedError
from autotuner.launch.docker_images import ensure_image
from autotuner.launch.engine_log import open_log, write_files, write_head
from autotuner.launch.page_cache import page_cache_of
from autotuner.launch.ports import LOOPBACK, free_port, tried_on_ports
from autotuner.launch.processes import Process, is_gone, process_of, this_machine
from autotuner.launch.protocol import (
    EngineHandle,
    HandleCallback,
    LaunchContext,
    Preparation,
    Reaped,
)
from autotuner.launch.threaded import to_the_end, until_cancelled

KIND = "docker"
"""Its name among the deployment modes."""
_STOP_GRACE_S = 5.0
_OWNER = f"{LABEL}.owner"


class DockerLauncher:
    """A container for each engine, its port on the loopback alone, log to a file.

    Args:
        daemon: the one that Docker's own tools would use where left out.
        stop_grace_s: from SIGTERM to SIGKILL.
        environment: what engines may inherit; this process's where left out.
    """

    def __init__(
        self,
        *,
        daemon: DockerDaemon | None = None,
        options: DockerConfig | None = None,
        stop_grace_s: float = _STOP_GRACE_S,
        on_started: HandleCallback = lambda handle: None,
        on_gone: HandleCallback = lambda handle: None,
        environment: Mapping[str, str] | None = None,
        caches: Path | None = None,
        labels: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.daemon = DockerDaemon.here() if daemon is None else daemon
        self._options = DockerConfig() if options is None else options
        self._stop_grace_s = stop_grace_s
        self._on_started = on_started
        self._on_gone = on_gone
        self._environment = os.environ if environment is None else environment
        self._caches = caches
        self._labels = labels
        self._facts: DaemonFacts | None = None
        self._fetched: set[str] = set()

    @classmethod
    def describe_place(cls) -> str:
        """Where engines run, in words.

        Raises:
            LaunchError: no daemon answers.
        """
        daemon = DockerDaemon.here(wait_s=LOOK_S)
        facts = daemon.facts()
        gpus = "with" if facts.runs_nvidia else "without"
        return (
            f"containers of Docker {facts.version} on {facts.host} ({facts.cpus} cores, "
            f"{facts.memory_gib:.0f} GiB, {gpus} a runtime for NVIDIA's GPUs), at {daemon.address}"
        )

    @classmethod
    def of(cls, context: LaunchContext) -> Self:
        """The launcher of a task, with the options of its block `docker`."""
        options = context.options
        return cls(
            options=options if isinstance(options, DockerConfig) else None,
            on_started=context.on_started,
            on_gone=context.on_gone,
            environment=context.environment,
            caches=context.caches,
            labels=context.labels,
        )

    @classmethod
    def reap(cls, handle: EngineHandle) -> Reaped:
        """Removes a container, whoever started it; see `Launcher.reap`.

        A handle's `id` is the container's name, which is never given again, the daemon and its
        address.

        Raises:
            LaunchError: the handle is not one of this launcher's, or its daemon does not answer.
        """
        name, daemon_id, address = container_of(handle)
        daemon = DockerDaemon(address)
        try:
            # A worker in a container has another host name at each start, and the same daemon.
            is_same = daemon.facts().id == daemon_id
        except LaunchError:
            if address.startswith("unix:") and handle.host != this_machine().host:
                return Reaped.ELSEWHERE
            raise
        if not is_same:
            return Reaped.ELSEWHERE
        return Reaped.GONE if removed(daemon, name) else Reaped.ALIVE

    async def prepare(self, spec: LaunchSpec, report: Callable[[Preparation], None]) -> None:
        """Fetches the image where the daemon lacks it, and removes what dead owners left.

        Raises:
            LaunchError: no daemon answers, or the image cannot be had.
        """
        image, loop = _image_of(spec), asyncio.get_running_loop()

        def report_here(progress: Preparation) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(report, progress)

        facts = await to_the_end(self._known_facts)
        if image not in self._fetched:
            pull = self._options.pull
            await until_cancelled(
                lambda interruption: ensure_image(
                    self.daemon,
                    image,
                    pull=pull,
                    architecture=facts.architecture,
                    report=report_here,
                    interruption=interruption,
                )
            )
            self._fetched.add(image)

    async def launch(
        self,
        spec: LaunchSpec,
        devices: Sequence[str],
        *,
        log_path: Path,
        ready_timeout_s: float,
    ) -> DockerEngine:
        """Starts `spec` in a container of its own; see `Launcher.launch`."""
        open_log(log_path).close()
        image = _image_of(spec)
        await self.prepare(spec, lambda progress: None)
        return await tried_on_ports(
            lambda: self._try(spec, devices, image, log_path, ready_timeout_s)
        )

    async def _try(
        self,
        spec: LaunchSpec,
        devices: Sequence[str],
        image: str,
        log_path: Path,
        ready_timeout_s: float,
    ) -> DockerEngine:
        began = time.monotonic()
        engine = await to_the_end(
            lambda: self._created(spec, devices, image, log_path), undo=DockerEngine.stop
        )
        try:
            self._on_started(engine.handle)
            await to_the_end(engine.start)
            await engine.wait_ready(ready_timeout_s)
        except BaseException:
            await engine.stop()
            raise
        engine.startup_s = time.monotonic() - began
        return engine

    def _created(
        self, spec: LaunchSpec, devices: Sequence[str], image: str, log_path: Path
    ) -> DockerEngine:
        """A container that is not started yet."""
        daemon, options = self.daemon, self._options
        name = f"autotuner-{spec.engine}-{uuid.uuid4().hex[:16]}"
        at = binding(
            options.network,
            published_at=daemon.published_at,
            free_port=free_port(),
            loopback=LOOPBACK,
        )
        environment = inherited(spec.engine, self._environment, options.environment)
        caches = caches_of(spec, self._environment, self._caches)
        folders = [
            *self._cache_folders(spec.engine, caches, image),
            *self._hub_folders(spec, environment),
        ]
        if spec.files and daemon.is_here:
            folders.append(Folder(str(write_files(spec, log_path).absolute()), FILES))
        request = container_request(
            spec,
            devices,
            image=image,
            options=options,
            at=at,
            environment={**environment, **caches},
            labels=self._own_labels(name),
            folders=folders,
        )
        # The files of another machine's daemon are in that machine's memory.
        caches_then = caches | (page_cache_of(spec) if daemon.is_here else {})
        with open_log(log_path) as log:
            command = spec.command(at.port, host=at.host)
            write_head(log, command, caches_then, f"in a container of {image}")
        guard = ContainerGuard.over(name, daemon.address)
        try:
            with explained(image):
                try:
                    daemon.create(name, request)
                except DockerRefusedError:
                    guard.gone()
                    raise
                guard.created()
                if devices:
                    _require_devices(daemon, name)
                if spec.files and not daemon.is_here:
                    daemon.put_files(name, "/", _archive(spec))
        except BaseException:
            # A daemon that did not answer may make the container yet: its supervisor waits for it.
            guard.leave()
            raise
        facts = self._known_facts()
        host = this_machine().host if daemon.is_here else facts.host
        handle = EngineHandle(KIND, f"{name} {facts.id} {daemon.address}", host)
        return DockerEngine(
            spec,
            daemon,
            name,
            image,
            handle,
            at,
            guard,
            log_path,
            memory_gib=options.memory_gib,
            caches=caches_then,
            stop_grace_s=self._stop_grace_s,
            on_gone=self._on_gone,
        )

    def _known_facts(self) -> DaemonFacts:
        """The daemon, asked once; the first time what dead owners left there is removed."""
        if self._facts is None:
            self._facts = self.daemon.facts()
            _sweep(self.daemon)
        return self._facts

    def _own_labels(self, name: str) -> dict[str, str]:
        here, me = this_machine(), process_of(os.getpid())
        own = {f"{LABEL}.{key}": value for key, value in self._labels().items()}
        owner = f"{here.host} {here.boot} {me.pid} {me.started}"
        return {LABEL: "engine", f"{LABEL}.handle": name, _OWNER: owner, **own}

    def _cache_folders(self, engine: str, caches: Mapping[str, str], image: str) -> list[Folder]:
        """Where engines keep what they compile: at the same paths as here, or in volumes of the
        daemon, where that is remote or would have root write into a user's folders."""
        if caches and self.daemon.is_here and not self._leaves_files_of_root(image):
            make_folders(caches, self._caches)
            return [Folder(place, place, writable=True) for place in caches.values()]
        return [
            Folder(f"{LABEL}-{engine}-{Path(place).name}", place, writable=True, is_volume=True)
            for place in caches.values()
        ]

    def _leaves_files_of_root(self, image: str) -> bool:
        found = self.daemon.image(image) or {}
        return leaves_files_of_root(
            self._options.user or str((found.get("Config") or {}).get("User") or ""),
            own_uid=os.getuid(),
            is_rootless=self._known_facts().is_rootless,
        )

    def _hub_folders(self, spec: LaunchSpec, environment: dict[str, str]) -> list[Folder]:
        """The hub's cache, where the engine fetches its model by itself."""
        if engine_table(spec.engine).model_format != "folder":
            return []
        variables, cache = hub_folder(self._environment, is_here=self.daemon.is_here)
        environment |= variables
        if self.daemon.is_here:
            make_folder(Path(cache.source), is_ours=True)
        return [cache]


def _image_of(spec: LaunchSpec) -> str:
    if spec.image is None:
        raise LaunchError(
            f"no container image of {spec.engine} is known", remedy="say docker.image"
        )
    return spec.image


class NamedContainer(NamedTuple):
    """A container that a handle names, with the id of its daemon and how that is reached."""

    name: str
    daemon_id: str
    address: str


def container_of(handle: EngineHandle) -> NamedContainer:
    """The container of a handle.

    Raises:
        LaunchError: the handle is not one of this launcher's.
    """
    parts = handle.id.split(" ", 2)
    if handle.kind != KIND or len(parts) != 3 or not all(parts):
        raise LaunchError(f"{handle}: that is no handle of the launcher {KIND!r}")
    return NamedContainer(*parts)


def _sweep(daemon: DockerDaemon) -> None:
    """Removes the containers whose owners were processes of this machine and have ended."""
    here = this_machine()
    for found in daemon.containers(stopped=True, label=LABEL):
        owner = (found["Config"].get("Labels") or {}).get(_OWNER, "").split()
        if len(owner) != 4 or not (owner[2] + owner[3]).isdecimal() or not here.boot:
            continue
        host, boot, pid, started = owner
        if (host, boot) == (here.host, here.boot) and is_gone(Process(int(pid), int(started))):
            removed(daemon, found["Id"])


def _require_devices(daemon: DockerDaemon, name: str) -> None:
    """Makes sure that the GPUs are among what a container gets: Podman leaves them out silently."""
    given = daemon.container(name).get("HostConfig") or {}
    if not (given.get("DeviceRequests") or given.get("Devices")):
        raise LaunchError(
            f"the service at {daemon.address} makes containers without the GPUs that it is asked "
            "for, as Podman does",
            remedy="use a Docker daemon (DOCKER_HOST), or say deployment_mode: local",
        )


def _archive(spec: LaunchSpec) -> bytes:
    """The files of a launch, to be unpacked at the root of a container."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in spec.files:
            member = tarfile.TarInfo(f"{FILES.lstrip('/')}/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()
