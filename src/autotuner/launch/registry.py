"""Launchers by the names that tasks and handles have for them."""

from __future__ import annotations

import functools
import importlib

from autotuner.config.launchers import installed_launchers, launchers
from autotuner.errors import LaunchError
from autotuner.launch.protocol import EngineHandle, Launcher, Reaped


@functools.cache
def launcher_named(name: str) -> type[Launcher]:
    """The class of the launcher of that name.

    Raises:
        LaunchError: it is not installed; says which are.
    """
    place = launchers().get(name)
    if place is None:
        raise LaunchError(
            f"the launcher {name!r} is not installed here",
            remedy=f"install what has it; there are: {', '.join(installed_launchers())}",
        )
    module, _, attribute = place.partition(":")
    try:
        found: type[Launcher] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise LaunchError(
            f"the launcher {name!r} cannot be loaded from {place}: {error}",
            remedy="mend or uninstall the package that declares it",
        ) from None
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
