"""Where engines keep what they compile: in folders of the tuner's that outlive a launch.

What makes a first launch slow and a second one fast is the same for all launches so, whoever else
uses the machine. A folder that the user's environment or the task names stays that.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autotuner.engines import LaunchSpec
from autotuner.errors import LaunchError


def caches_of(
    spec: LaunchSpec, environment: Mapping[str, str], folder: Path | None
) -> dict[str, str]:
    """Variable of each cache of an engine -> the folder that it names in this launch.

    Args:
        environment: variables that the engine inherits.
        folder: where those are kept that nobody names; None leaves them to the engine.
    """
    named = {**environment, **dict(spec.env)}
    kept = {} if folder is None else {k: str(folder / spec.engine / v) for k, v in spec.caches}
    return {
        variable: value
        for variable, _ in spec.caches
        if (value := named.get(variable) or kept.get(variable, ""))
    }


def make_folders(caches: Mapping[str, str], folder: Path | None) -> None:
    """Makes the folders that are not there yet.

    Raises:
        LaunchError: one of the tuner's own cannot be made. One that the user names may be another
            machine's, and is left to the engine.
    """
    for place in map(Path, caches.values()):
        make_folder(place, is_ours=folder is not None and place.is_relative_to(folder))


def make_folder(place: Path, *, is_ours: bool) -> None:
    """Makes a folder for engines, if it is not there yet; see `make_folders`."""
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if is_ours:
            raise LaunchError(
                f"{place}: the folder for what engines compile cannot be made: "
                f"{error.strerror or error}",
                remedy="free it, or set AUTOTUNER_HOME to a folder that can be written",
            ) from None
