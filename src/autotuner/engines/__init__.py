"""Engines as tables: which flag says which field, and how a failed start is recognised.

In: a `Candidate`. Out: a `LaunchSpec`, the exact command line. Knows nothing of search or storage.
"""

from autotuner.engines.engine import MODEL, Engine, Installation
from autotuner.engines.registry import DEFAULT_ENGINE, ENGINES, engine_named
from autotuner.engines.rows import NOTHING, FlagRow, Pieces, checked_version
from autotuner.engines.spec import DEFAULT_PORT, PORT, FailureKind, FailurePattern, LaunchSpec
from autotuner.engines.table import FIELDS, EngineTable, MemoryUse, Saying, engine_table

__all__ = [
    "DEFAULT_ENGINE",
    "DEFAULT_PORT",
    "ENGINES",
    "FIELDS",
    "MODEL",
    "NOTHING",
    "PORT",
    "Engine",
    "EngineTable",
    "FailureKind",
    "FailurePattern",
    "FlagRow",
    "Installation",
    "LaunchSpec",
    "MemoryUse",
    "Pieces",
    "Saying",
    "checked_version",
    "engine_named",
    "engine_table",
]
