"""Engines by name."""

from __future__ import annotations

from autotuner.config import nearest
from autotuner.engines.engine import Engine
from autotuner.engines.table import table_names
from autotuner.engines.tabled import TabledEngine
from autotuner.errors import EngineError

ENGINES: dict[str, Engine] = {name: TabledEngine(name) for name in table_names()}
DEFAULT_ENGINE = "llamacpp"


def engine_named(name: str) -> Engine:
    """The engine of that name.

    Raises:
        EngineError: no such engine; names the nearest.
    """
    if name not in ENGINES:
        raise EngineError(f"system.backend: {name!r} is unknown; {nearest(name, list(ENGINES))}")
    return ENGINES[name]
