"""An engine as it is to be deployed: what every format is made of. Values only."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autotuner.catalog import Gpu
from autotuner.config.containers import DockerConfig
from autotuner.engines import CommandParts, DeployFile, Mount
from autotuner.engines.command_parts import bound
from autotuner.engines.docker_run import (
    ALL_ADDRESSES,
    FILES_FOLDER,
    HUB_FOLDERS,
    HUB_TOKEN,
    PORT_INSIDE,
)


@dataclass(frozen=True)
class DeployFileText:
    """A file of an export."""

    name: str
    text: str


@dataclass(frozen=True)
class EngineVariable:
    """An environment variable; without a value it is a secret, given by reference only."""

    name: str
    value: str | None


@dataclass(frozen=True)
class Provenance:
    """Where an export comes from.

    Attributes:
        point: the point by its name, `CANDIDATE@LOAD`.
        measured: whether its figures are of launches, or only predicted.
        lines: sentences for the head of a file, each on one line.
        words: of the command that makes it again, up to the format.
    """

    point: str
    measured: bool
    lines: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class DeployedEngine:
    """The engine of one point of a task, with all that was measured of how it is started.

    Attributes:
        name: a DNS label made of the model's name.
        served_name: that requests carry in `model`.
        version: of the engine; None where it was not recorded.
        image: with its tag; None where none is known, and `no_image` says why.
        wished_image: the image that was asked for by name.
        wished_program: the program that was asked for, as it was written.
        program: what starts the engine inside its image.
        variables: of the launch.
        gpus: that one replica occupies; 0 on a CPU.
        gpu: None where the catalog does not know it, and on a CPU.
        node_gpus: that one machine has at the most, by the task and the catalog; 0 where not known.
        cpus: CPUs that one replica occupies: its threads, else all of the machine; 0 on GPUs, and
            where the machine's are not known.
        node_cpus: of the machine that measured; 0 on GPUs, and where not known.
        in_container: whether it was measured in one.
        leaves_no_room: whether what the task had of GPUs or CPUs holds no replica beside those.
        mounts: files and folders of the machine that measured.
        settings: `group.field` -> value.
        tokens: mean input and output tokens of the requests that it was measured with.
        confined: how its container is, as `docker` of the task says it.
        checkpoint_gib: files of a hub's model, about; None where the catalog does not know it.
        notes: what a user has to know before it is started.
        role: in a pair, `decode` or `prefill`; empty otherwise.
        prefill: the engine that reads prompts for it; None where it does so itself.
    """

    name: str
    served_name: str
    parts: CommandParts
    version: str | None
    image: str | None
    no_image: str
    wished_image: str | None
    wished_program: str | None
    program: tuple[str, ...]
    variables: tuple[EngineVariable, ...]
    mounts: tuple[Mount, ...]
    gpus: int
    gpu: Gpu | None
    node_gpus: int
    cpus: int
    node_cpus: int
    in_container: bool
    leaves_no_room: bool
    replicas: int
    provenance: Provenance
    settings: Mapping[str, Any]
    tokens: tuple[int, int]
    confined: DockerConfig = field(default_factory=DockerConfig)
    checkpoint_gib: float | None = None
    notes: tuple[str, ...] = ()
    role: str = ""
    prefill: DeployedEngine | None = None

    @property
    def deploy(self) -> DeployFile:
        """Part of the engine's file about deploying it."""
        return self.parts.table.file.deploy

    @property
    def nodes(self) -> int:
        """Nodes that one replica is launched over, with a process on each; of a pair the most."""
        files = ((one.parts.table.file.nodes, one.parts.arguments) for one in self.pair)
        return max(1 if file is None else file.node_count(words) for file, words in files)

    @property
    def asks_for_a_key(self) -> bool:
        """Whether requests must carry a key, of one of its secrets."""
        return bool(self.deploy.api_key) and self.deploy.api_key in {v.name for v in self.variables}

    @property
    def ready_path(self) -> str:
        """Answers a probe, which has no key, once the model is loaded."""
        return self.deploy.live_path if self.asks_for_a_key else self.deploy.ready_path

    @property
    def model(self) -> str:
        """Path or hub id."""
        return self.parts.model

    @property
    def is_downloaded(self) -> bool:
        """Whether the engine fetches its model from a hub."""
        return self.parts.is_downloaded

    @property
    def variables_inside(self) -> tuple[EngineVariable, ...]:
        """The variables for a container: each name once, without folders of the machine that
        measured, and those of the hub, which the deployment has of its own."""
        own = HUB_FOLDERS | ({HUB_TOKEN} if self.is_downloaded else set())
        return tuple({v.name: v for v in self.variables if v.name not in own}.values())

    @property
    def secrets_inside(self) -> tuple[str, ...]:
        """Names of a container's secrets, that of the hub among them where it downloads."""
        own = [v.name for v in self.variables_inside if v.value is None]
        return (*own, *([HUB_TOKEN] if self.is_downloaded else []))

    @property
    def revision(self) -> str | None:
        """Revision of a hub's model that the command names."""
        row = self.parts.table.revision
        words = self.parts.arguments
        after = itertools.pairwise(words)
        return next((v for flag, v in after if row is not None and flag in row.flags), None)

    @property
    def files(self) -> tuple[DeployFileText, ...]:
        """Files that the command names."""
        return tuple(DeployFileText(name, text) for name, text in self.parts.files)

    @property
    def vendor(self) -> str:
        """Maker of the GPUs; NVIDIA where it is not known."""
        return self.gpu.vendor if self.gpu is not None else "nvidia"

    def arguments(self, host: str, port: int | str, folder: str = "") -> tuple[str, ...]:
        """The arguments of the launch.

        Args:
            folder: where its files lie; beside it where left out.
        """
        names = {name: f"{folder}/{name}" if folder else name for name, _ in self.parts.files}
        words = bound(self.parts.arguments, host, port)
        return tuple(names.get(word, word) for word in words)

    @property
    def pair(self) -> tuple[DeployedEngine, ...]:
        """Itself, and the engine that reads prompts for it where there is one."""
        return (self,) if self.prefill is None else (self, self.prefill)

    def inside(self, port: int = PORT_INSIDE) -> tuple[str, ...]:
        """The arguments inside a container."""
        return self.arguments(ALL_ADDRESSES, port, FILES_FOLDER)
