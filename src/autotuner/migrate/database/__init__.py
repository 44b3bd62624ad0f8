"""A database of version 1, moved into a store of ours, compared with it, and undone.

In: a SQLite file, which is only read. Out: rows of version 1's tables as they were, tasks,
experiments, measurements, observations and profiles, and an account of all that is elsewhere.
What a row becomes is decided by pure functions; `source` reads, `move` writes by `store.v1.moving`.
"""

from autotuner.migrate.database.choice import UnitChoice
from autotuner.migrate.database.move import move, preview, require_chosen
from autotuner.migrate.database.observed import Observer
from autotuner.migrate.database.report import Report
from autotuner.migrate.database.snapshot import sha256_of
from autotuner.migrate.database.source import V1Source, opened
from autotuner.migrate.runtimes import engine_named

__all__ = [
    "Observer",
    "Report",
    "UnitChoice",
    "V1Source",
    "engine_named",
    "move",
    "opened",
    "preview",
    "require_chosen",
    "sha256_of",
]
