"""Tasks on models that lie in `tests/space/models`, and what becomes of their candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotuner.config import Candidate, parse_task
from autotuner.errors import ConfigError
from autotuner.tuning.prepare import prepare

MODELS = Path(__file__).parent / "models"


def tried(
    model: str,
    engine: str,
    gpu: str,
    gpus: int,
    groups: dict[str, Any],
    *,
    isl: int = 2048,
    osl: int = 512,
    version: str | None = None,
) -> tuple[list[Candidate], dict[str, int]]:
    """The candidates that can work, and the reasons why others cannot.

    Args:
        model: a folder of `tests/space/models`, else a name of the catalog.
    """
    lies_here = (MODELS / model).is_dir()
    document = {
        "version": 2,
        "name": "t",
        "model": {"path": str(MODELS / model)} if lies_here else {"id": model},
        "system": {"backend": engine, "gpu_type": gpu, "total_gpus": gpus}
        | ({} if version is None else {"backend_version": version}),
        **groups,
    }
    document["runtime"] = {"isl": isl, "osl": osl} | groups.get("runtime", {})
    try:
        space = prepare(parse_task(document), base=Path()).space
    except ConfigError as error:
        return [], {problem.message: 1 for problem in error.problems}
    return list(space.candidates), space.excluded


def widths(candidates: list[Candidate]) -> list[int | None]:
    """Their tensor parallelism."""
    return [candidate.parallel.tensor_parallel for candidate in candidates]
