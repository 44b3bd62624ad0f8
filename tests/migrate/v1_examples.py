"""v1's example tasks, and one to vary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autotuner.migrate import Note, Translation, translate_task

FOLDER = Path(__file__).parents[2] / "examples" / "v1" / "tasks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def example(name: str) -> dict[str, Any]:
    """One of the examples."""
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return document


def v1_task(**changes: Any) -> dict[str, Any]:
    """The simple example, run locally, with other sections."""
    return example("simple") | {"deployment_mode": "local", "parameters": {}} | changes


def translated(**changes: Any) -> Translation:
    """The simple example with other sections, as a v2 task."""
    return translate_task(v1_task(**changes))


def note(translation: Translation, path: str) -> Note:
    """The first note of a place."""
    return next(note for note in translation.notes if note.path == path)
