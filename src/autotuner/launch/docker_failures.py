"""Why a daemon could not start a container, with the remedy. Pure.

None of it says anything of the candidate that was to be launched: each is an error of the launcher,
which search never learns from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autotuner.errors import LaunchError


class DockerUnavailableError(LaunchError):
    """There is no Docker daemon, or it does not answer."""


class ImageError(LaunchError):
    """An image that is not there, cannot be fetched, or is of another architecture."""


@dataclass(frozen=True)
class _Row:
    """A message of a daemon or registry, and what it means; `{0}` is the pattern's first group."""

    pattern: str
    text: str
    remedy: str


_GENERAL = (
    _Row(
        r"no space left on device",
        "the daemon's disk is full",
        "free some: `docker system df` says what takes it, `docker image prune -a` removes images "
        "that no container uses",
    ),
)
_OF_IMAGES = (
    *_GENERAL,
    _Row(
        r"manifest (?:for \S+ )?(?:unknown|not found)|manifest unknown|name unknown|\bnot found$",
        "its registry has no such image or tag",
        "check docker.image and system.backend_version; the tags are listed where the image is "
        "published",
    ),
    _Row(
        r"no matching manifest for ([\w/]+)",
        "its registry has it for other machines, and not for {0}",
        "name an image for this architecture in docker.image",
    ),
    _Row(
        r"pull access denied|unauthorized|authentication required|denied: |forbidden"
        r"|no basic auth credentials",
        "its registry does not give it to this user",
        "log in with `docker login`, or check the name",
    ),
    _Row(
        r"toomanyrequests|rate limit",
        "its registry has had too many requests",
        "log in with `docker login`, or try again later",
    ),
    _Row(
        r"server gave HTTP response to HTTPS client",
        "its registry speaks no TLS",
        "name it among insecure-registries in the daemon's daemon.json, and restart the daemon",
    ),
    _Row(
        r"x509: ",
        "the daemon does not trust its registry's certificate",
        "put the certificate that signed it into /etc/docker/certs.d/HOST/ca.crt on the daemon's "
        "machine",
    ),
    _Row(
        r"unexpected (?:HTTP )?status(?: from \S+ request to \S+)?: 5\d\d",
        "its registry fails",
        "try again later, or fetch the image by other means (`docker load`)",
    ),
    _Row(
        r"layer verification failed|unexpected commit digest",
        "it arrived damaged",
        "try again; see that no proxy changes what is fetched",
    ),
    _Row(
        r"no such host|connection refused|i/o timeout|timeout|network is unreachable|"
        r"server misbehaving|EOF|connection reset",
        "its registry cannot be reached",
        "check the network, or fetch the image once by other means (`docker load`) and say "
        "docker.pull: never",
    ),
)
_OF_CONTAINERS = (
    *_GENERAL,
    _Row(
        r"could not select device driver|failed to discover GPU vendor|unresolvable CDI devices"
        r"|unknown or invalid runtime name|unknown runtime specified"
        r"|nvidia-container-(?:cli|runtime)\S*: .*(?:not found|no such file)",
        "the daemon cannot give GPUs to containers",
        "install the NVIDIA Container Toolkit on its machine and restart the daemon",
    ),
    _Row(
        r"nvidia-container-cli: (.+?)(?:: unknown)?$",
        "the daemon cannot give it these GPUs: {0}",
        "compare the devices of the task with `nvidia-smi -L` on the daemon's machine",
    ),
    _Row(
        r"port is already allocated|address already in use|cannot assign requested address",
        "the address for its port is taken, or is none of the daemon's machine",
        "end what listens there, or name another docker.network",
    ),
    _Row(
        r"exec format error",
        "the image is of another architecture",
        "name an image for this architecture in docker.image",
    ),
    _Row(
        r"bind source path does not exist: (\S+)",
        "{0} is not on the daemon's machine",
        "mounts are of the machine that the daemon runs on: put the files there, under this path",
    ),
    _Row(
        r"invalid mount config|error mounting|duplicate mount point",
        "one of its mounts cannot be made",
        "check docker.mounts: its targets are paths in the container that the system leaves free",
    ),
    _Row(
        r"invalid network mode",
        "docker.network is no network",
        "name one that `docker network ls` lists, or leave docker.network out",
    ),
    _Row(
        r"uids and gids must be in range",
        "docker.user is no user",
        "say docker.user as UID or UID:GID",
    ),
    _Row(
        r"network (\S+) not found",
        "the daemon has no network {0}",
        "make it with `docker network create`, or leave docker.network out",
    ),
    _Row(
        r"unable to find (user|group) (\S+?):",
        "the image has no {0} of that name",
        "say docker.user as a number",
    ),
    _Row(
        r"exec: \"?([^\"]+?)\"?: (?:executable file not found|stat |no such file|permission denied)"
        r"|exec (\S+): (?:no such file|permission denied)",
        "the image has no program {0}, or it cannot be run",
        "check docker.image, and engine_path, which names the program in the image",
    ),
    _Row(
        r"minimum memory limit allowed is (\S+)",
        "docker.memory_gib is too small: {0} is the least",
        "say as much as the engine and its model take, or leave docker.memory_gib out",
    ),
    _Row(
        r"container name \S+ is already in use",
        "its name is taken",
        "say the same again: another name is chosen",
    ),
)


def why_no_image(image: str, message: str) -> ImageError:
    """The error of an image that was to be fetched."""
    text, remedy = _meaning(_OF_IMAGES, message)
    return ImageError(
        f"the image {image} cannot be fetched: {text}",
        remedy=remedy or "try `docker pull` by hand",
    )


def why_no_container(image: str, message: str) -> LaunchError:
    """The error of a container that was to be made or started."""
    text, remedy = _meaning(_OF_CONTAINERS, message)
    return LaunchError(
        f"no container of {image} can be started: {text}",
        remedy=remedy or "the daemon's log has more, as `journalctl -u docker`",
    )


def other_architecture(image: str, architecture: str, wanted: str) -> ImageError:
    """The error of an image for other machines. Emulation would make its figures worthless."""
    return ImageError(
        f"the image {image} is for {architecture}, and the daemon's machine is {wanted}",
        remedy="name an image for this architecture in docker.image, or remove the local one so "
        "that the right one is fetched",
    )


def _meaning(rows: Sequence[_Row], message: str) -> tuple[str, str]:
    """Meaning of a message, and the remedy; the message itself and none where it is not known."""
    last = message.strip().splitlines()[-1] if message.strip() else "it does not say why"
    for row in rows:
        found = re.search(row.pattern, message, re.IGNORECASE)
        if found is not None:
            groups = [group for group in found.groups() if group is not None]
            return f"{row.text.format(*groups)} ({last[:200]})", row.remedy
    return last[:300], ""
