"""Answers kept on disk between processes: JSON files in one folder, together of bounded size.

aiconfigurator's outcomes between processes, by the content of what was asked.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from autotuner.catalog import known_model
from autotuner.config import content_id
from autotuner.predict.aiconfigurator.answers import Answer, NoRoom, Outcome, Refusal
from autotuner.predict.aiconfigurator.installation import known_names
from autotuner.predict.aiconfigurator.questions import Layout

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


Asked = tuple[Layout, bool, int]
"""Layout, whether the checkpoint decides its formats, batch."""

_SHARED = (
    *("model_path", "system_name", "backend_name", "backend_version"),
    *("isl", "osl", "prefix"),
)
_KINDS: Mapping[str, type[Answer | NoRoom | Refusal]] = {
    kind.__name__: kind for kind in (Answer, NoRoom, Refusal)
}


class OutcomeCache:
    """Earlier answers, in one file for each predictor and scenario."""

    def __init__(self, folder: Path) -> None:
        self._files = PredictionCache(folder)

    def read(self, predictor: str, wanted: Iterable[Asked]) -> dict[Asked, Outcome]:
        """Those of `wanted` that are kept. `predictor`: its name, versions among it."""
        found: dict[Asked, Outcome] = {}
        for file, rows in _by_file(predictor, wanted).items():
            kept = self._files.read(file, _outcome)
            found |= {asked: kept[key] for key, asked in rows.items() if key in kept}
        return found

    def add(self, predictor: str, outcomes: Mapping[Asked, Outcome]) -> None:
        """Keeps `outcomes` beside what is kept."""
        for file, rows in _by_file(predictor, outcomes).items():
            kept = self._files.read(file, _outcome)
            kept |= {key: outcomes[asked] for key, asked in rows.items()}
            self._files.write(file, {key: _written(outcome) for key, outcome in kept.items()})


def _by_file(predictor: str, wanted: Iterable[Asked]) -> dict[str, dict[str, Asked]]:
    """File name -> entry -> what is asked."""
    names: dict[tuple[Layout, bool], tuple[str, str]] = {}
    files: dict[str, dict[str, Asked]] = {}
    for layout, decides, batch in wanted:
        if (layout, decides) not in names:
            names[layout, decides] = _names(predictor, layout, decides)
        file, entry = names[layout, decides]
        files.setdefault(file, {})[f"{entry}:{batch}"] = (layout, decides, batch)
    return files


def _names(predictor: str, layout: Layout, decides: bool) -> tuple[str, str]:
    written = dataclasses.asdict(layout)
    shared = [predictor, *(written.pop(name) for name in _SHARED)]
    if layout.model_path not in known_names():
        known = known_model(layout.model_path)
        shared.append(dict(known.config or {}) if known else None)
    return content_id(shared, 16), content_id([written, decides], 16)


def _written(outcome: Outcome) -> dict[str, Any]:
    return {"kind": type(outcome).__name__} | dataclasses.asdict(outcome)


def _outcome(written: Any) -> Outcome:
    return _KINDS[written.pop("kind")](**written)
