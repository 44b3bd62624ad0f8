"""The log of a launch: a file that is new with every launch."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from autotuner.errors import LaunchError


def open_log(path: Path) -> IO[str]:
    """Opens an empty log, its folder made where it is missing.

    Raises:
        LaunchError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise LaunchError(
            f"the log {path} cannot be written: {error.strerror}",
            remedy="free some space, or choose another --home",
        ) from None
