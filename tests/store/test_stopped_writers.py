"""A process that is stopped in the middle of a write, on PostgreSQL."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from autotuner.errors import StoreUnavailableError
from autotuner.store import Store
from autotuner.store import database as store_database

WORDS = dict.fromkeys(("name", "content_id", "model", "engine", "engine_version", "device"), "x")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_rows_that_it_has_locked_are_free_for_who_takes_over(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_database, "_IDLE_TRANSACTION_MS", 200)
    with (
        closing(Store.open(tmp_path, database)) as stopped,
        closing(Store.open(tmp_path, database)) as other,
    ):
        run = stopped.tasks.create(**WORDS, config={}, plan={})
        lock = text("SELECT id FROM tasks_v2 WHERE id = :id FOR UPDATE")
        with pytest.raises(StoreUnavailableError), stopped.sessions.writing() as session:
            session.execute(lock, {"id": run.id})
            time.sleep(0.5)
            other.tasks.end(run.id, status="failed", reason="taken over", add_wall_s=0.0)
            session.execute(lock, {"id": run.id})
        assert stopped.tasks.get(run.id).stop_reason == "taken over"
