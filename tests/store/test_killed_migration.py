"""A process that is killed while the schema is made leaves a home that the next one can use."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, inspect, make_url

from autotuner.store import Store
from autotuner.store.database import FILE_NAME, connected
from autotuner.store.upgrades import migrate

FORK = multiprocessing.get_context("fork")


def migrate_and_die(path: Path, statements: int) -> None:
    """Kills its own process before the statement of that number."""
    engine = connected(make_url(f"sqlite:///{path}"))
    left = iter(range(statements))

    @event.listens_for(engine, "before_cursor_execute")
    def _count(*_: Any) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    migrate(engine)


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a migration for each of its 313 statements, on a busy machine
def test_killed_before_any_statement_the_schema_is_whole_or_absent(tmp_path: Path) -> None:
    Store.open(tmp_path / "whole").close()
    whole = tables(create_engine(f"sqlite:///{tmp_path / 'whole' / FILE_NAME}"))
    kills = 0
    while True:
        home = tmp_path / str(kills)
        home.mkdir()
        child = FORK.Process(target=migrate_and_die, args=(home / FILE_NAME, kills))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        left = tables(create_engine(f"sqlite:///{home / FILE_NAME}"))
        assert left in (set(), whole), f"half a schema after {kills} statements"
        with Store.open(home) as store:
            assert store.tasks.all() == ()
        kills += 1
    assert kills > len(whole), "the children were not killed between statements"


def test_two_processes_may_make_one_home_at_once(tmp_path: Path) -> None:
    starting = FORK.Barrier(4)

    def begin() -> None:
        starting.wait()
        Store.open(tmp_path).close()

    children = [FORK.Process(target=begin) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 4
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as database:
        assert database.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_a_current_schema_is_only_looked_at(tmp_path: Path) -> None:
    """While another process writes, a reader is not kept waiting for its lock."""
    path = tmp_path / FILE_NAME
    Store.open(tmp_path).close()
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        engine = connected(make_url(f"sqlite:///{path}?timeout=0"))
        migrate(engine)
        engine.dispose()
