"""Starts engines and makes sure that none outlives the tuner.

In: a `LaunchSpec`. Out: a `RunningEngine`, or a classified `Failure`. Knows nothing of search.
"""

from autotuner.launch.local import LocalEngine, LocalLauncher
from autotuner.launch.protocol import Failure, Launcher, LaunchFailed, RunningEngine, StopsWhenLeft

__all__ = [
    "Failure",
    "LaunchFailed",
    "Launcher",
    "LocalEngine",
    "LocalLauncher",
    "RunningEngine",
    "StopsWhenLeft",
]
