"""Starts engines and makes sure that none outlives the tuner.

In: a `LaunchSpec`. Out: a `RunningEngine`, or a classified `Failure`. Knows nothing of search.
"""

from autotuner.launch.local import LocalEngine, LocalLauncher
from autotuner.launch.protocol import (
    ClusterCapacity,
    EngineHandle,
    Failure,
    HandleCallback,
    LaunchContext,
    Launcher,
    LaunchFailed,
    LaunchLost,
    Preparation,
    Prepares,
    Reaped,
    RunningEngine,
    StopsWhenLeft,
)
from autotuner.launch.registry import (
    LauncherState,
    launcher_named,
    launcher_state,
    launcher_states,
    reap,
)

__all__ = [
    "ClusterCapacity",
    "EngineHandle",
    "Failure",
    "HandleCallback",
    "LaunchContext",
    "LaunchFailed",
    "LaunchLost",
    "Launcher",
    "LauncherState",
    "LocalEngine",
    "LocalLauncher",
    "Preparation",
    "Prepares",
    "Reaped",
    "RunningEngine",
    "StopsWhenLeft",
    "launcher_named",
    "launcher_state",
    "launcher_states",
    "reap",
]
