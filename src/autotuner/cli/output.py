"""Text for people on a terminal, one JSON document for scripts; never both on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotuner.errors import AutotunerError

if TYPE_CHECKING:
    from rich.console import Console


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON document on stdout."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")
    sys.stdout.flush()


def out() -> Console:
    """The console for results."""
    from rich.console import Console

    return Console(highlight=False)


def err() -> Console:
    """The console for progress and warnings: stderr, so that stdout stays clean."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def duration_text(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `1 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@contextmanager
def refuse_unwritable(path: Path, remedy: str = "give another place") -> Iterator[None]:
    """Makes the folder of `path`; what keeps it from being written is the user's to act on.

    Raises:
        AutotunerError: the folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise AutotunerError(f"{path} cannot be written: {error.strerror}", remedy=remedy) from None
