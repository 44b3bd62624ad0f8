"""A process that is killed while the schema is made leaves a home that the next one can use."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, inspect, make_url

from autotuner.store import Store
from autotuner.store.database import FILE_NAME, connected
from autotuner.store.upgrades import migrate

FORK = multiprocessing.get_context("fork")


def migrate_watched(path: Path, before_statement: Callable[[int], None]) -> None:
    """Makes the schema, and calls `before_statement` with the number of each statement."""
    engine, number = connected(make_url(f"sqlite:///{path}")), iter(range(10_000))

    @event.listens_for(engine, "before_cursor_execute")
    def _count(*_: Any) -> None:
        before_statement(next(number))

    migrate(engine)


def exit_code_of(target: Callable[..., None], *given: Any) -> int | None:
    """Runs it in a process of its own, to its end."""
    child = FORK.Process(target=target, args=given)
    child.start()
    child.join()
    return child.exitcode


def migrate_and_die(path: Path, statements: int) -> None:
    """Kills its own process before the statement of that number."""

    def die(number: int) -> None:
        if number == statements:
            os.kill(os.getpid(), signal.SIGKILL)

    migrate_watched(path, die)


def migrate_and_keep(path: Path, folder: Path) -> None:
    """Keeps what a process that is killed before a statement leaves, for every statement.

    Another process copies: to close a file of the database would give up this one's locks.
    """

    def keep(number: int) -> None:
        copied = exit_code_of(shutil.copytree, path.parent, folder / str(number))
        assert copied == 0

    migrate_watched(path, keep)


def tables(home: Path) -> set[str]:
    """The tables that the next process finds, once it has undone what was not finished."""
    engine = create_engine(f"sqlite:///{home / FILE_NAME}")
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The tables of a schema."""
    home = tmp_path_factory.mktemp("whole")
    Store.open(home).close()
    return tables(home)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_before_any_statement_the_schema_is_whole_or_absent(
    tmp_path: Path, whole: set[str]
) -> None:
    (tmp_path / "made").mkdir()
    killed = tmp_path / "killed"
    assert exit_code_of(migrate_and_keep, tmp_path / "made" / FILE_NAME, killed) == 0
    homes = sorted(killed.iterdir(), key=lambda home: int(home.name))
    assert len(homes) > len(whole), "nothing was kept between statements"
    opened = set()
    for home in homes:
        assert tables(home) in (set(), whole), f"half a schema after {home.name} statements"
        # What comes of the same file is the same.
        if (content := (home / FILE_NAME).read_bytes()) not in opened:
            opened.add(content)
            with Store.open(home) as store:
                assert store.tasks.all() == ()
            assert tables(home) == whole


@pytest.mark.parametrize("statements", [12, 150])
def test_a_home_whose_first_process_was_killed_is_used(
    statements: int, tmp_path: Path, whole: set[str]
) -> None:
    code = exit_code_of(migrate_and_die, tmp_path / FILE_NAME, statements)
    assert code == -signal.SIGKILL
    with Store.open(tmp_path) as store:
        assert store.tasks.all() == ()
    assert tables(tmp_path) == whole


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
