"""Messages between a launch's owner and its node; every one goes through pickle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from autotuner.engines import LaunchSpec
from autotuner.measure import LevelPlan
from autotuner.measure.protocol import LoadContext

T = TypeVar("T", covariant=True)
LAUNCH_ID = "AUTOTUNER_LAUNCH"
"""Variable that an engine and all that it starts inherit: the launch that they are of."""


@dataclass(frozen=True)
class NodeFacts:
    """A node as a launch meets it.

    Attributes:
        node: Ray's id of it.
        version: of this package there.
        devices: the GPUs that Ray has given the launch.
        cpus: all that the node has, as Ray counts them.
        processor, cores: of its CPU, and how many of it a process there may use.
        address: at which other nodes reach it.
    """

    node: str
    host: str
    version: str
    devices: tuple[str, ...]
    cpus: float
    processor: str
    cores: int
    address: str = ""


@dataclass(frozen=True)
class LaunchRequest:
    """An engine to start on a node.

    Attributes:
        launch_id: for `LAUNCH_ID`.
        environment: the owner's variables that engines inherit.
        caches: folder on the node for what engines compile; None leaves it to them.
    """

    launch_id: str
    spec: LaunchSpec
    environment: Mapping[str, str]
    caches: Path | None
    ready_timeout_s: float


@dataclass(frozen=True)
class LevelRequest:
    """A load level to run on a node.

    Attributes:
        context: of the load generator, with the tool that makes the load.
        is_alone: whether nothing else is launched on the node meanwhile.
        is_multi_node: whether parts of the engine run on other nodes.
        launch_id: of its launch. number: of the level among those of it.
    """

    context: LoadContext
    model_name: str
    api_path: str
    plan: LevelPlan
    gpus: int
    is_alone: bool
    launch_id: str = ""
    number: int = 0
    is_multi_node: bool = False


@dataclass(frozen=True)
class LevelProgressNews:
    """Requests that are completed, and asked for; `level` as in `LevelRequest.number`."""

    level: int
    completed: int
    asked: int


@dataclass(frozen=True)
class Ready:
    """An engine that serves on its node."""

    base_url: str
    startup_s: float
    caches: Mapping[str, str]


@dataclass(frozen=True)
class Refused:
    """An error of the launcher or of the load generator on the node."""

    message: str
    remedy: str


@dataclass(frozen=True)
class NodeReply(Generic[T]):
    """Answer of a node.

    Attributes:
        log_bytes: length of the engine's log by now.
        exit_code: of the engine; None while it lives.
    """

    value: T
    log_bytes: int
    exit_code: int | None


@dataclass(frozen=True)
class News:
    """Anything new of a launch since its owner asked last.

    Attributes:
        log: appended to the engine's log.
        progress: of a level; None before the first.
        exit_code: of the engine; None while it lives, or more of its log is to come.
    """

    log: bytes
    progress: LevelProgressNews | None
    exit_code: int | None


def missing_files(spec: LaunchSpec) -> Sequence[str]:
    """The model's files and folders that are not on this machine."""
    return [mount.source for mount in spec.mounts if not Path(mount.source).exists()]
