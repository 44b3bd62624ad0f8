"""A number that a row had is never another's: tables that are there are remade with their rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url, text

from autotuner.errors import NotFoundError
from autotuner.store import Store
from autotuner.store.database import connected
from autotuner.store.upgrades import migrate
from autotuner.store.v1 import V1Presets, V1Tasks, V1Transitions

BEFORE, AFTER = "0008", "0009"
ROWS = (
    """INSERT INTO tasks_v2 (id, name, content_id, config, config_version, model, engine,
    engine_version, device, plan, status, stop_reason, created_at, wall_s, v1_task_id)
    VALUES (3, 'a:b', 'c', '{"version": 2}', 2, 'm', 'llamacpp', '1', 'cpu', '{}',
    'completed', '', '2026-01-02 03:04:05', 1.5, 4)""",
    """INSERT INTO experiments_v2 (id, task_id, idx, candidate_id, settings, command,
    status, selection_reason, phase, log_path, started_at)
    VALUES (7, 3, 1, 'a', '{}', 'c', 'completed', 'r', 'grid', 'l', '2026-01-02 03:04:05')""",
    """INSERT INTO measurements (id, experiment_id, concurrency, repeat, valid, tok_s, payload)
    VALUES (9, 7, 1, 0, true, 1.0, '{}')""",
    """INSERT INTO events (id, task_id, at, kind, payload)
    VALUES (5, 3, '2026-01-02 03:04:05', 'level_progress', '{"completed": 1}')""",
    """INSERT INTO events (id, task_id, at, kind, payload)
    VALUES (6, 3, '2026-01-02 03:04:06', 'level_progress', '{"completed": 2}')""",
    """INSERT INTO tasks (id, task_name, model_config, base_runtime, parameters,
    optimization_config, benchmark_config) VALUES (4, 't', '{}', 'vllm', '{}', '{}', '{}')""",
    """INSERT INTO experiments (id, task_id, experiment_id, parameters)
    VALUES (8, 4, 1, '{}')""",
    "UPDATE tasks SET best_experiment_id = 8 WHERE id = 4",
)
COUNTED = ("tasks_v2", "experiments_v2", "measurements", "tasks", "experiments")


@pytest.fixture
def engine(tmp_path: Path, empty_database: str | None) -> Engine:
    url = make_url(empty_database or f"sqlite:///{tmp_path / 'autotuner.db'}")
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return connected(url)


def asked(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_rows_that_are_there_and_what_refers_to_them_stay(engine: Engine) -> None:
    migrate(engine, BEFORE)
    with engine.begin() as connection:
        for statement in ROWS:
            connection.execute(text(statement))
    kept = {table: asked(engine, f"SELECT * FROM {table}") for table in COUNTED}  # noqa: S608
    for revision in (AFTER, BEFORE, AFTER):
        migrate(engine, revision)
        for table, rows in kept.items():
            assert asked(engine, f"SELECT * FROM {table}") == rows, (revision, table)  # noqa: S608
        assert asked(engine, "SELECT id FROM events") == [(6,)], "of progress the newest"
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM tasks_v2 WHERE id = 3"))
    for table in ("experiments_v2", "measurements", "events"):
        assert asked(engine, f"SELECT * FROM {table}") == [], "they go with their task"  # noqa: S608
    engine.dispose()


def test_every_table_and_index_of_sqlite_is_as_before_but_for_its_numbers(tmp_path: Path) -> None:
    engine = connected(make_url(f"sqlite:///{tmp_path / 'autotuner.db'}"))
    query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    migrate(engine, BEFORE)
    before = dict(asked(engine, query))
    migrate(engine, AFTER)
    after = dict(asked(engine, query))
    assert set(after) - set(before) == {
        *("ix_events_at", "ix_events_task_id_kind", "ix_idempotency_keys_created_at")
    }
    for name, sql in before.items():
        assert _plain(after[name]) == _plain(sql), name
    migrate(engine, BEFORE)
    assert {n: _plain(s) for n, s in asked(engine, query)} == {
        n: _plain(s) for n, s in before.items()
    }
    engine.dispose()


def test_every_table_of_sqlite_that_numbers_its_rows_does_so_for_good(tmp_path: Path) -> None:
    """Also after later migrations: a table that is remade in one has to say it again."""
    engine = connected(make_url(f"sqlite:///{tmp_path / 'autotuner.db'}"))
    migrate(engine)
    after = dict(asked(engine, "SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    numbered = {name for name, sql in after.items() if "AUTOINCREMENT" in sql}
    by_number = {name for name, sql in after.items() if re.search(r"[\s(]\"?id\"? INTEGER", sql)}
    assert numbered == by_number
    assert len(numbered) >= 11
    engine.dispose()


def test_events_that_outlive_their_tasks_keep_their_numbers(engine: Engine) -> None:
    """Also where the newest of them are gone, and on the way back."""
    migrate(engine, "0015")
    with engine.begin() as connection:
        connection.execute(text(ROWS[0]))
        for _ in range(3):
            connection.execute(text(EVENT))
        connection.execute(text("DELETE FROM events WHERE id > 1"))
    numbers = [1]
    for revision in ("0016", "0015", "0016"):
        migrate(engine, revision)
        with engine.begin() as connection:
            connection.execute(text(EVENT))
        numbers = [*numbers, max(numbers[-1] + 1, 4)]
        assert [row[0] for row in asked(engine, "SELECT id FROM events ORDER BY id")] == numbers
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM tasks_v2"))
    assert len(asked(engine, "SELECT id FROM events")) == 4, "they stay"
    migrate(engine, "0015")
    assert asked(engine, "SELECT id FROM events") == [], "nothing would let them refer to nothing"
    engine.dispose()


EVENT = """INSERT INTO events (task_id, at, kind, payload)
    VALUES (3, '2026-01-02 03:04:05', 'asked', '{}')"""


def _plain(sql: str) -> str:
    return " ".join(sql.replace(" AUTOINCREMENT", "").replace('"', "").split())


V1 = {
    "task_name": "t",
    "model_config": {},
    "base_runtime": "vllm",
    "parameters": {},
    "optimization_config": {},
    "benchmark_config": {},
}


def _v2_task(store: Store) -> tuple[int, Callable[[], Any]]:
    made = store.tasks.create(
        name="t", content_id="c", config={}, model="m", engine="e", engine_version="1",
        device="cpu", plan={}, status="pending",
    )  # fmt: skip
    return made.id, lambda: store.tasks.delete(made.id)


def _v1_task(store: Store) -> tuple[int, Callable[[], Any]]:
    made = V1Tasks(store.sessions).create(V1)
    assert made is not None
    return made.id, lambda: V1Transitions(store.sessions).delete(made.id)


def _preset(store: Store) -> tuple[int, Callable[[], Any]]:
    made = V1Presets(store.sessions).create({"name": "p", "parameters": {"a": [1]}})
    assert made is not None
    return made.id, lambda: V1Presets(store.sessions).delete(made.id)


@pytest.mark.parametrize("make", [_v2_task, _v1_task, _preset])
def test_the_number_of_what_is_deleted_is_not_given_again(
    make: Callable[[Store], tuple[int, Callable[[], Any]]], tmp_path: Path, database: str | None
) -> None:
    with Store.open(tmp_path, database) as store:
        numbers = []
        for _ in range(3):
            number, delete = make(store)
            numbers.append(number)
            delete()
        assert numbers == sorted(set(numbers))


def test_what_is_not_there_is_shown_as_such(tmp_path: Path, database: str | None) -> None:
    with Store.open(tmp_path, database) as store:
        for ask in (
            lambda: store.tasks.delete(7),
            lambda: store.tasks.act(7, "start"),
            lambda: store.tasks.change(7, {"name": "n"}),
            lambda: V1Transitions(store.sessions).delete(7),
            lambda: V1Transitions(store.sessions).cancel(7),
        ):
            with pytest.raises(NotFoundError, match="7"):
                ask()
