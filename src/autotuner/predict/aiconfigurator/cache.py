"""aiconfigurator's outcomes between processes, by the content of what was asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autotuner.catalog import known_model
from autotuner.config import content_id
from autotuner.predict.aiconfigurator.answers import Answer, NoRoom, Outcome, Refusal
from autotuner.predict.aiconfigurator.installation import known_names
from autotuner.predict.aiconfigurator.questions import Layout
from autotuner.predict.prediction_cache import PredictionCache

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
