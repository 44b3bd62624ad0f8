"""v1's example tasks, and one to vary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "v1_tasks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def example(name: str) -> dict[str, Any]:
    """One of the examples."""
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return document


def v1_task(**changes: Any) -> dict[str, Any]:
    """The simple example, run locally, with other sections."""
    return example("simple") | {"deployment_mode": "local", "parameters": {}} | changes
