"""Results of load generators, as the tools write them, for tests to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autotuner.verify import Point, read_points

DATA = Path(__file__).parent / "data" / "tools"


def stored(folder: Path, document: Any, name: str = "result.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = document if isinstance(document, str) else json.dumps(document)
    path.write_text(text, encoding="utf-8")
    return path


def only(path: Path) -> Point:
    (point,) = read_points(path).points
    return point


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def vllm(**changed: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DATA / "vllm-bench.json").read_text("utf-8"))
    return {k: v for k, v in {**document, **changed}.items() if v != "absent"}


def aiperf(**changed: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        (DATA / "aiperf" / "profile_export_aiperf.json").read_text("utf-8")
    )
    return {**document, **changed}
