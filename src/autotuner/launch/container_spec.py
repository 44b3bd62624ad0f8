"""The request by which a daemon makes the container of an engine. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.catalog import hub_cache
from autotuner.config.containers import HOST, SCRATCH, SCRATCH_OPTION, DockerConfig
from autotuner.engines import LaunchSpec, engine_table
from autotuner.errors import LaunchError
from autotuner.launch.devices import VISIBLE

PORT = 8000
"""Port of an engine in a container of its own network."""
FILES = "/autotuner/files"
"""Folder in a container with the files of a launch."""
LABEL = "inference-autotuner"
"""Begins the labels of our containers; alone it is on all of them."""
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - of the container; the daemon publishes it on the loopback
_NO_GPUS = "void"
"""Value of the variable below that gives a container none, whatever its image asks for."""
_VISIBLE_IN_CONTAINER = "NVIDIA_VISIBLE_DEVICES"
_READ_BY_ENGINES = (
    *("HF_*", "HUGGINGFACE_*", "TRANSFORMERS_*", "TOKENIZERS_*", "SAFETENSORS_*"),
    *("NCCL_*", "UCX_*", "GLOO_*", "OMP_*", "TORCH_*", "PYTORCH_*", "FLASHINFER_*", "TRITON_*"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "TZ"),
)
_PLACES = ("*_HOME", "*_CACHE", "*_DIR", "*_PATH", "*_ROOT", "*_BASE", "*_FILE", *VISIBLE)
"""Variables that name a place of this machine, or its GPUs, mean nothing in a container."""

_LOG = {"Type": "json-file", "Config": {"max-size": "64m", "max-file": "2"}}
"""Whatever driver a daemon has by default: there are some from which no log can be read."""
_HUB_HOME = "/tmp/huggingface"  # noqa: S108 - of the container
"""Home of the hub's library, beside its models; the user's own has a token in it."""


@dataclass(frozen=True)
class Folder:
    """A file or folder that a container sees.

    Attributes:
        source: its full path on the daemon's machine, or the name of a volume there.
        is_volume: whether it is one.
    """

    source: str
    target: str
    writable: bool = False
    is_volume: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the daemon's API has it."""
        kind = "volume" if self.is_volume else "bind"
        return {
            "Type": kind,
            "Source": self.source,
            "Target": self.target,
            "ReadOnly": not self.writable,
        }


@dataclass(frozen=True)
class Binding:
    """Where an engine listens, and where that is published.

    Attributes:
        port: of the engine; on a network of containers each has its own.
        published_at: address of the daemon's machine; empty where the network needs none.
    """

    host: str
    port: int
    published_at: str = ""


def binding(network: str, *, published_at: str, free_port: int, loopback: str) -> Binding:
    """Where an engine in `network` listens; `free_port` is one of this machine's.

    Raises:
        LaunchError: it would listen on the loopback of another machine.
    """
    if network == HOST and published_at != loopback:
        raise LaunchError(
            "docker.network: 'host' cannot be used with the daemon of another machine: the engine "
            "would answer on that machine's loopback alone",
            remedy="leave docker.network out: the daemon then publishes the engine's port at "
            f"{published_at}; or tune on that machine",
        )
    if network == HOST:
        return Binding(loopback, free_port)
    return Binding(_EVERYWHERE, PORT, published_at)


def inherited(
    engine: str, environment: Mapping[str, str], named: Sequence[str] = ()
) -> dict[str, str]:
    """The variables of this environment that mean something in a container.

    Args:
        named: names of others that are wanted.
    """
    patterns = (*_READ_BY_ENGINES, *engine_table(engine).file.environment)
    return {
        name: value
        for name, value in environment.items()
        if name in named or (_matches(name, patterns) and not _matches(name, _PLACES))
    }


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def leaves_files_of_root(user: str, *, own_uid: int, is_rootless: bool) -> bool:
    """Whether a container would leave files in a mounted folder that its owner cannot remove.

    Args:
        user: that the container runs as; root where empty.
        own_uid: of the user whose folder it is.
        is_rootless: whether the daemon is.
    """
    is_root = user.partition(":")[0] in ("", "0", "root")
    return is_root and own_uid != 0 and not is_rootless


def container_request(
    spec: LaunchSpec,
    devices: Sequence[str],
    *,
    image: str,
    options: DockerConfig,
    at: Binding,
    environment: Mapping[str, str],
    labels: Mapping[str, str],
    folders: Sequence[Folder] = (),
) -> dict[str, Any]:
    """The body of the request that makes the container.

    Args:
        devices: the GPUs that it gets, by index or unique name; none where empty.
        environment: variables in the container, beside those of `spec`.
        labels: readable by everybody who may use the daemon; nothing secret.
        folders: what it sees beside what `spec` and `options` mount.
    """
    words = spec.argv_for(at.port, host=at.host, folder=FILES)
    variables = {**environment, **dict(spec.env)}
    for name in VISIBLE:  # GPUs are numbered anew in a container
        variables.pop(name, None)
    if not devices:
        variables[_VISIBLE_IN_CONTAINER] = _NO_GPUS
    given = [Folder(mount.source, mount.target) for mount in spec.mounts]
    given += [Folder(source, target) for source, target in options.mounted()]
    port = f"{at.port}/tcp"
    return {
        "Image": image,
        "Entrypoint": [words[0]],
        "Cmd": list(words[1:]),
        "Env": [f"{name}={value}" for name, value in sorted(variables.items())],
        "Labels": dict(labels),
        "User": options.user or "",
        "ExposedPorts": {port: {}} if at.published_at else {},
        "HostConfig": {
            "NetworkMode": options.network,
            "PortBindings": (
                {port: [{"HostIp": at.published_at, "HostPort": ""}]} if at.published_at else {}
            ),
            "Mounts": [folder.to_json() for folder in _once(*given, *folders)],
            "ShmSize": int(options.shm_gib * 2**30),
            "ReadonlyRootfs": options.read_only,
            "LogConfig": _LOG,
            "SecurityOpt": ["no-new-privileges"],
            "RestartPolicy": {"Name": "no"},
            **_memory(options.memory_gib),
            **_scratch(options),
            **_gpus(devices),
        },
    }


def _once(*folders: Folder) -> list[Folder]:
    """One for each target: the first."""
    return list({folder.target: folder for folder in reversed(folders)}.values())


def _scratch(options: DockerConfig) -> dict[str, Any]:
    """A folder that can be written where the root cannot."""
    return {"Tmpfs": {SCRATCH: SCRATCH_OPTION}} if options.read_only else {}


def _memory(gib: float | None) -> dict[str, Any]:
    """A limit without swap beyond it, which would hide that memory ran out."""
    if gib is None:
        return {}
    limit = int(gib * 2**30)
    return {"Memory": limit, "MemorySwap": limit}


def _gpus(devices: Sequence[str]) -> dict[str, Any]:
    """The GPUs, as `--gpus device=…` gives them."""
    if not devices:
        return {}
    return {
        "DeviceRequests": [
            {"Driver": "nvidia", "DeviceIDs": list(devices), "Capabilities": [["gpu"]]}
        ],
    }


def hub_folder(
    environment: Mapping[str, str], *, is_here: bool
) -> tuple[Mapping[str, str], Folder]:
    """Variables of the hub's library in a container, and its cache of models there: the user's own,
    or a volume where the daemon is elsewhere.

    Args:
        environment: of the user, whose variables say where the cache is.
    """
    place = str(hub_cache(environment))
    variables = {"HF_HUB_CACHE": place, "HF_HOME": _HUB_HOME}
    source = place if is_here else f"{LABEL}-huggingface"
    return variables, Folder(source, place, writable=True, is_volume=not is_here)
