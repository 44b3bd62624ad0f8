"""Preparation of a launch by its launcher: an image that is fetched, resources that are reserved.

It is no part of the launch: neither does its time count, nor does a candidate fail by it.
"""

from __future__ import annotations

from collections.abc import Callable

from autotuner.engines import LaunchSpec
from autotuner.launch import Launcher, Preparation, Prepares
from autotuner.tuning.events import Event, Preparing


async def prepare_launch(
    launcher: Launcher, spec: LaunchSpec, listen: Callable[[Event], None]
) -> None:
    """Has the launcher do what a launch of `spec` needs first, if anything.

    Raises:
        LaunchError: it cannot be had.
    """

    def report(progress: Preparation) -> None:
        listen(Preparing(progress.what, progress.done_gib, progress.total_gib))

    if isinstance(launcher, Prepares):
        await launcher.prepare(spec, report)
