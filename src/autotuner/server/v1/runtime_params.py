"""`/api/runtime-params/`: the flags that each engine takes, from its flag table."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response

from autotuner.engines import engine_table, v1_engines
from autotuner.server.v1.routing import answer, not_found, v1_part

router = v1_part("/runtime-params")

_SEARCHED = ("parallel.", "memory.", "scheduling.", "attention.", "quantization.")


@router.get("/")
def list_runtime_params() -> Response:
    """Runtime -> the names of its parameters, as `parameters` of a task has them."""
    return answer({name: _told(name) for name in runtimes()})


@router.get("/{runtime}")
def get_runtime_params(runtime: str) -> Response:
    """One runtime's parameters."""
    return answer({"runtime": runtime, **_told(_known(runtime))})


@router.get("/{runtime}/commonly-tuned")
def get_commonly_tuned(runtime: str) -> Response:
    """Those that decide speed: of layout, memory, scheduling, attention and number formats."""
    found = [row for row in _rows(_known(runtime)) if row["field"].startswith(_SEARCHED)]
    return answer({"runtime": runtime, "count": len(found), "parameters": found})


def runtimes() -> dict[str, str]:
    """v1's name of a runtime -> engine."""
    first: dict[str, str] = {}
    for word, name in v1_engines().items():
        first.setdefault(name, word)
    return {word: name for name, word in first.items()}


def _known(runtime: str) -> str:
    if runtime not in runtimes():
        raise not_found(f"Runtime (known: {', '.join(runtimes())})")
    return runtime


def _told(runtime: str) -> dict[str, Any]:
    rows = _rows(runtime)
    return {"count": len(rows), "parameters": rows}


def _rows(runtime: str) -> list[dict[str, str]]:
    table = engine_table(runtimes()[runtime])
    found: dict[str, dict[str, str]] = {}
    for path, rows in table.rows.items():
        for row in rows:
            for flag in (*row.flags, *filter(None, (row.negated,))):
                name = flag.lstrip("-")
                found.setdefault(name, {"name": name, "field": path, "note": row.note})
    return list(found.values())
