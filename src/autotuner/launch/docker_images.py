"""Has a daemon fetch the image of an engine, before anything is launched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from autotuner.launch.docker_daemon import DockerDaemon, DockerRefusedError
from autotuner.launch.docker_failures import ImageError, other_architecture, why_no_image
from autotuner.launch.protocol import Preparation
from autotuner.launch.threaded import Interruption

_GIB = 2**30


def ensure_image(
    daemon: DockerDaemon,
    image: str,
    *,
    pull: Literal["missing", "always", "never"],
    architecture: str,
    report: Callable[[Preparation], None],
    interruption: Interruption,
) -> None:
    """Has the daemon have an image that its machine can run; blocks.

    Args:
        architecture: of the daemon's machine, as images have it.
        interruption: of a download, which the daemon then gives up.

    Raises:
        ImageError: it cannot be had, or is for other machines.
    """
    found = daemon.image(image)
    if pull == "always" or (found is None and pull != "never"):
        _fetch(daemon, image, report, interruption)
        found = daemon.image(image)
    if found is None:
        raise ImageError(
            f"the image {image} is not on the daemon's machine, and docker.pull is {pull}",
            remedy=f"`docker pull {image}`, or say docker.pull: missing",
        )
    theirs = str(found.get("Architecture") or architecture)
    if theirs != architecture:
        raise other_architecture(image, theirs, architecture)


def _fetch(
    daemon: DockerDaemon,
    image: str,
    report: Callable[[Preparation], None],
    interruption: Interruption,
) -> None:
    what = f"fetching {image}"
    report(Preparation(what))
    layers: dict[str, tuple[int, int]] = {}
    try:
        for line in daemon.pull(image, interruption):
            detail = line.get("progressDetail") or {}
            if line.get("status") == "Downloading" and detail.get("total"):
                layers[line.get("id", "")] = (detail.get("current", 0), detail["total"])
                done, total = (sum(column) for column in zip(*layers.values(), strict=True))
                report(Preparation(what, done / _GIB, total / _GIB))
    except DockerRefusedError as error:
        raise why_no_image(image, error.message) from None
