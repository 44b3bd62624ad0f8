"""Launchers by the names that tasks and handles have for them."""

from __future__ import annotations

from dataclasses import dataclass

from autotuner.config.extensions import LAUNCHERS
from autotuner.errors import LaunchError
from autotuner.launch.protocol import EngineHandle, Launcher, Reaped


@dataclass(frozen=True)
class LauncherState:
    """Whether a launcher can start engines from this machine now.

    Attributes:
        about: where engines run, in words; empty where they cannot, or where it is not described.
        problem, remedy: why they cannot, and what to do; empty where they can.
    """

    name: str
    about: str = ""
    problem: str = ""
    remedy: str = ""


def launcher_named(name: str) -> type[Launcher]:
    """The class of the launcher of that name.

    Raises:
        LaunchError: it is not installed; says which are.
    """
    found: type[Launcher] = LAUNCHERS.load(name)
    return found


def launcher_states() -> tuple[LauncherState, ...]:
    """Every launcher that a task may name, as it is now; asks daemons and looks for packages."""
    return tuple(map(launcher_state, LAUNCHERS))


def launcher_state(name: str) -> LauncherState:
    """The launcher of that name, as it is now."""
    try:
        describe = getattr(launcher_named(name), "describe_place", None)
        return LauncherState(name, about="" if describe is None else describe())
    except LaunchError as error:
        return LauncherState(name, problem=error.message, remedy=error.remedy)


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
