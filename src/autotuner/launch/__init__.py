"""Starts engines and makes sure that none outlives the tuner.

In: a `LaunchSpec`. Out: a `RunningEngine`, or a classified `Failure`. Knows nothing of search.
"""

from autotuner.launch.local import LocalEngine, LocalLauncher
from autotuner.launch.protocol import (
    EngineHandle,
    Failure,
    HandleCallback,
    LaunchContext,
    Launcher,
    LaunchFailed,
    Preparation,
    Prepares,
    Reaped,
    RunningEngine,
    StopsWhenLeft,
)
from autotuner.launch.registry import launcher_named, reap

__all__ = [
    "EngineHandle",
    "Failure",
    "HandleCallback",
    "LaunchContext",
    "LaunchFailed",
    "Launcher",
    "LocalEngine",
    "LocalLauncher",
    "Preparation",
    "Prepares",
    "Reaped",
    "RunningEngine",
    "StopsWhenLeft",
    "launcher_named",
    "reap",
]
