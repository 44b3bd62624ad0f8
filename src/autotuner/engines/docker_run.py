"""The `docker run` of an engine: how a machine starts by hand what a daemon was asked to start.

Pure but for links of a model, which are followed where it lies.
"""

from __future__ import annotations

import csv
import functools
import io
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autotuner.config.containers import BRIDGE, HOST, SCRATCH, SCRATCH_OPTION, DockerConfig
from autotuner.config.secret_values import holds_secret, looks_secret
from autotuner.engines.command_parts import CommandParts, bound, command_parts
from autotuner.engines.containers import at_version, own_image
from autotuner.engines.mounts import mounts_of
from autotuner.engines.spec import DEFAULT_HOST, DEFAULT_PORT, Mount
from autotuner.errors import ConfigError, EngineError

PORT_INSIDE = 8000
"""Port of an engine inside its container."""
ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - inside a container, whose ports are published apart
FILES_FOLDER = "/etc/autotuner"
"""Where a container finds the files that a command names."""
HUB_TOKEN = "HF_TOKEN"  # noqa: S105 - a variable's name
HUB_CACHE = "/models/hub"
"""Where a container keeps models that it downloads."""
HUB_FOLDERS = frozenset({"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE"})
"""Variables that say where models are kept; on the machine that measured, a folder of its own."""
_CACHE_VOLUME = "autotuner-models"
_MOST_KEPT = 4096


@dataclass(frozen=True)
class DockerRun:
    """An engine in a container, as `docker run` starts it.

    Attributes:
        program: words that start it in the image.
        arguments: with the placeholders of its address.
        variables: name -> value; None where the shell's own is passed on.
        files: names of the files that the arguments name; they lie in the working folder.
        gpus: that it takes; 0 on a CPU.
        is_downloaded: whether it fetches its model from a hub.
        options: how it is confined; their image and mounts are not read.
    """

    image: str
    program: tuple[str, ...]
    arguments: tuple[str, ...]
    variables: tuple[tuple[str, str | None], ...]
    files: tuple[str, ...]
    mounts: tuple[Mount, ...]
    gpus: int
    is_downloaded: bool
    options: DockerConfig

    def fragments(self) -> Iterator[str]:
        """The command in parts, each of which may stand on a line of its own."""
        yield "docker run --rm"
        yield from self._confinement()
        yield f"--shm-size {mib_text(self.options.shm_gib)}"
        if self.gpus:
            yield f"--gpus {self.gpus} --ulimit memlock=-1 --ulimit stack=67108864"
        named = dict.fromkeys(self.options.environment)
        for name, value in {**named, **dict(self.variables)}.items():
            yield f"--env {shlex.quote(name if value is None else f'{name}={value}')}"
        for mount in self.mounts:
            yield _mount_option(mount)
        for file in self.files:
            yield f'--volume "$PWD/{file}:{FILES_FOLDER}/{file}:ro"'
        if self.is_downloaded:
            yield f"--env HF_HOME={HUB_CACHE} --env {HUB_TOKEN}"
            yield f"--volume {_CACHE_VOLUME}:{HUB_CACHE}"
        # Without the image's own entry point, so that the program is what was measured.
        yield f"--entrypoint '' {shlex.quote(self.image)} {shlex.join(self._words())}"

    def _confinement(self) -> Iterator[str]:
        options = self.options
        if options.network != HOST:
            yield f"--publish {DEFAULT_HOST}:{DEFAULT_PORT}:{PORT_INSIDE}"
        if options.network != BRIDGE:
            yield f"--network {shlex.quote(options.network)}"
        if options.user:
            yield f"--user {shlex.quote(options.user)}"
        if options.read_only:
            yield f"--read-only --tmpfs {SCRATCH}:{SCRATCH_OPTION}"
        if options.memory_gib is not None:
            limit = mib_text(options.memory_gib)
            yield f"--memory {limit} --memory-swap {limit}"

    def _words(self) -> tuple[str, ...]:
        is_of_host = self.options.network == HOST
        address = (DEFAULT_HOST, DEFAULT_PORT) if is_of_host else (ALL_ADDRESSES, PORT_INSIDE)
        places = {name: f"{FILES_FOLDER}/{name}" for name in self.files}
        words = bound(self.arguments, *address)
        return (*self.program, *(places.get(word, word) for word in words))


def docker_line(
    command: str,
    options: DockerConfig,
    *,
    version: str | None,
    gpus: int,
    draft_model: str = "",
) -> str:
    """The line for a POSIX shell that starts a recorded command in its container; where it cannot
    be made, the command with a comment that names its image.

    Args:
        version: of the engine; None where it was not recorded.
        draft_model: that the command names beside its model.
    """
    parts = _parts(command)
    image = None if parts is None else image_of(parts, options, version)
    if parts is None or parts.left_out or image is None:
        return f"{command}  # in a container of {image or options.image or 'its engine'}"
    own = HUB_FOLDERS | ({HUB_TOKEN} if parts.is_downloaded else set())
    run = DockerRun(
        image=image,
        program=parts.program,
        arguments=parts.arguments,
        variables=tuple(
            (name, None if looks_secret(name) or holds_secret(value) else value)
            for name, value in parts.env
            if name not in own
        ),
        files=tuple(name for name, _ in parts.files),
        mounts=mounts_inside((parts.model, draft_model), options),
        gpus=gpus,
        is_downloaded=parts.is_downloaded,
        options=options,
    )
    written = [
        f"printf %s {shlex.quote(text)} > {shlex.quote(name)} && " for name, text in parts.files
    ]
    return "".join((*written, " ".join(run.fragments())))


def image_of(parts: CommandParts, options: DockerConfig, version: str | None) -> str | None:
    """The image of a launch in a container; None where it is not known."""
    return at_version(options.image or own_image(parts.table.file), version)


def mounts_inside(
    models: Iterable[str], options: DockerConfig, *, is_here: bool = True
) -> tuple[Mount, ...]:
    """Models that a command reads by their paths, with their shards and the files that links in
    them lead to, and what a task mounts beside.

    Args:
        is_here: whether the models may be on this machine; links are followed there alone.
    """
    beside = tuple(Mount(source, target) for source, target in options.mounted())
    targets = {mount.target for mount in beside}
    paths = dict.fromkeys(path for path in models if path.startswith("/"))
    own = mounts_of(map(Path, paths)) if is_here else tuple(Mount(path, path) for path in paths)
    return (*(mount for mount in own if mount.target not in targets), *beside)


@functools.lru_cache(_MOST_KEPT)
def _parts(command: str) -> CommandParts | None:
    """The command's parts; None where it starts no engine that is known. Lists ask for the same
    commands at each of their refreshes."""
    try:
        return command_parts(command)
    except (ConfigError, EngineError):
        return None


def _mount_option(mount: Mount) -> str:
    """The option that mounts a path read-only; of `--volume` colons part the value."""
    if not mount.has_colon:
        return f"--volume {shlex.quote(f'{mount.source}:{mount.target}:ro')}"
    row = io.StringIO()
    fields = ("type=bind", f"source={mount.source}", f"target={mount.target}", "readonly")
    csv.writer(row, lineterminator="").writerow(fields)
    return f"--mount {shlex.quote(row.getvalue())}"


def mib_text(gib: float) -> str:
    """An amount of memory as Docker's tools read it, in MiB."""
    return f"{int(gib * 1024)}m"
