"""Launchers by the names that tasks and handles have for them."""

from __future__ import annotations

from autotuner.config.extensions import LAUNCHERS
from autotuner.errors import LaunchError
from autotuner.launch.protocol import EngineHandle, Launcher, Reaped


def launcher_named(name: str) -> type[Launcher]:
    """The class of the launcher of that name.

    Raises:
        LaunchError: it is not installed; says which are.
    """
    found: type[Launcher] = LAUNCHERS.load(name)
    return found


def reap(handle: EngineHandle) -> Reaped:
    """Ends an engine by the launcher that has started it; see `Launcher.reap`.

    Raises:
        LaunchError: that launcher is not installed here, or the handle is not one of its own.
    """
    try:
        return launcher_named(handle.kind).reap(handle)
    except LaunchError as error:
        raise LaunchError(
            f"the {handle} cannot be ended: {error.message}", remedy=error.remedy
        ) from None
