"""How engines run in containers: the block `docker` of a task."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict, ValidationInfo

from autotuner.config.document import STORED, Bool, Document

VERSION = "{version}"
"""Stands for the engine's version in `DockerConfig.image`."""
BRIDGE, HOST = "bridge", "host"
"""Networks that every daemon has: one of containers, and the machine's own."""
SCRATCH, SCRATCH_OPTION = "/tmp", "exec"  # noqa: S108 - of the container
"""Folder in memory that can be written where the root cannot. Engines compile there, and load what
they compiled, which a daemon forbids in such a folder unless it is asked."""
_REFERENCE = re.compile(
    r"[a-zA-Z0-9][\w.-]*(:[0-9]+)?(/[\w][\w.-]*)*"
    r"(:[\w{][\w.{}-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:{_REGISTRY}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?",
    re.ASCII,
)
_USER = re.compile(r"[\w.-]+(:[\w.-]+)?")
_NETWORK = re.compile(r"[a-zA-Z0-9][\w.-]*")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")
_Gib = Annotated[float, Strict(), Field(gt=0, le=65536, allow_inf_nan=False)]
"""More than any machine has; a daemon counts in bytes, and refuses what does not fit there."""


def is_image(text: str) -> bool:
    """Whether a text names an image, as daemons and clusters read it."""
    return _IMAGE.fullmatch(text) is not None


def image_remedy(text: str) -> str:
    """Remedy for a text that names no image."""
    return "write its name in small letters" if is_image(text.lower()) else "give REPOSITORY:TAG"


def _is_reference(text: str, info: ValidationInfo) -> str:
    last, named = text.rpartition("/")[2], text.replace(VERSION, "0")
    is_one = _REFERENCE.fullmatch(text) and (info.context == STORED or is_image(named))
    if not is_one or not (":" in last or "@" in last):
        is_capital = is_image(named.lower()) and not is_image(named)
        lower = "; names of images have small letters alone" if is_capital else ""
        raise ValueError(
            f"{text!r} is no image with its tag; write it like vllm/vllm-openai:v0.9.1, or with "
            f"{VERSION} for the engine's version{lower}"
        )
    return text


def _is_mount(text: str) -> str:
    source, _, target = text.removesuffix(":ro").partition(":")  # they all are read-only
    if ":" in target or not all(_is_full(path) for path in (source, target)):
        raise ValueError(
            f"{text!r} is no mount; write /SOURCE:/TARGET, two full paths without '..' and ':'"
        )
    return f"{_plain(source)}:{_plain(target)}"


def _have_own_targets(mounts: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    targets = [mount.partition(":")[2] for mount in mounts]
    twice = next((target for target in targets if targets.count(target) > 1), None)
    if twice is not None and info.context != STORED:
        raise ValueError(f"several have the target {twice!r}; give each its own")
    return mounts


def _is_full(path: str) -> bool:
    return path.startswith("/") and path.isprintable() and ".." not in path.split("/")


def _plain(path: str) -> str:
    """A full path in the one spelling by which two can be compared."""
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def _like(pattern: re.Pattern[str], noun: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"{text!r} is no {noun}")
        return text

    return AfterValidator(check)


class DockerConfig(Document):
    """How `deployment_mode: docker` starts engines. All of it may be left out."""

    image: Annotated[str, AfterValidator(_is_reference)] | None = None
    """Image with its tag or digest; `{version}` stands for `system.backend_version`. The engine's
    own image in that version, where left out."""
    pull: Literal["missing", "always", "never"] = "missing"
    """When the daemon fetches the image: where it lacks it, once in every task, or never."""
    shm_gib: _Gib = 16.0
    """Size of /dev/shm, GiB; engines on several GPUs need some. It is taken as it is used."""
    memory_gib: _Gib | None = None
    """Limit of the container's memory, GiB; none where left out."""
    user: Annotated[str, _like(_USER, "user; write UID, UID:GID or a name")] | None = None
    """The engine's user, as UID, UID:GID or a name in the image; the image's where left out."""
    read_only: Bool = False
    """Whether the container's root cannot be written; /tmp still can."""
    network: Annotated[str, _like(_NETWORK, "name of a network")] = BRIDGE
    """The daemon's network that the engine is in: `bridge` publishes it on the loopback alone,
    `host` shares this machine's; a name is that of a network of yours."""
    mounts: Annotated[
        tuple[Annotated[str, AfterValidator(_is_mount)], ...], AfterValidator(_have_own_targets)
    ] = ()
    """Files and folders beside the model that the engine may read, as /SOURCE:/TARGET."""
    environment: tuple[Annotated[str, _like(_VARIABLE, "name of a variable")], ...] = Field(
        default=()
    )
    """Names of variables of this environment that the engine sees beside those that it reads."""

    def mounted(self) -> tuple[tuple[str, str], ...]:
        """Source and target of each of `mounts`."""
        return tuple((text.partition(":")[0], text.partition(":")[2]) for text in self.mounts)


def docker_options(config: Mapping[str, Any]) -> DockerConfig | None:
    """The options of a stored task's containers; None where its engines are in none."""
    if config.get("deployment_mode") != "docker":
        return None
    return DockerConfig.model_validate(config.get("docker") or {}, context=STORED)
