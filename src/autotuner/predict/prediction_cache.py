"""Answers kept on disk between processes: JSON files in one folder, together of bounded size."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
LIMIT_BYTES = 64 << 20


class PredictionCache:
    """Entries by name, in files by the content that they share.

    A file that cannot be read is logged and written anew; what cannot be written is logged and left
    out. Neither is an error: a cache only saves time.

    Args:
        limit_bytes: of all files together; the ones used longest ago go first.
    """

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    def read(self, name: str, decode: Callable[[Any], T]) -> dict[str, T]:
        """The entries of a file; none where it is not there or damaged."""
        path = self._path(name)
        try:
            written = json.loads(path.read_text(encoding="utf-8"))
            found = {key: decode(value) for key, value in written.items()}
            os.utime(path)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            _LOG.warning("the cached predictions in %s are damaged and made anew: %s", path, error)
            return {}
        return found

    def write(self, name: str, entries: Mapping[str, Any]) -> None:
        """Puts `entries` in place of the file, aside and then renamed, and keeps to the limit."""
        path = self._path(name)
        aside = path.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(entries, separators=(",", ":")), encoding="utf-8")
            aside.replace(path)
            self._keep_to_limit()
        except OSError as error:
            _LOG.warning("predictions are not cached in %s: %s", self._folder, error)
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _keep_to_limit(self) -> None:
        files = [(path, path.stat()) for path in self._folder.glob("*.json")]
        files.sort(key=lambda file: file[1].st_mtime)
        excess = sum(stat.st_size for _, stat in files) - self._limit_bytes
        for path, stat in files:
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= stat.st_size
