"""Odd rows, odd files and busy writers: all is moved or kept, or a message says what is wrong."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from moves import OBSERVER, changed, compared, content, moved, sha256, undone
from v1_database import built

from autotuner.errors import MigrationError
from autotuner.migrate.database import UnitChoice, opened, preview
from autotuner.store import Store
from autotuner.store.v1 import V1Presets, V1Tasks

ODD = {
    "json": ("UPDATE tasks SET metadata = '{bad' WHERE id = 1", 1),
    "nan": ("UPDATE experiments SET metrics = '{\"mean_ttft\": NaN}' WHERE id = 1", 1),
    "status": ("UPDATE tasks SET status = 'BOGUS' WHERE id = 1", 1),
    "lower case": ("UPDATE tasks SET status = 'completed' WHERE id = 1", 0),
    "dangling": ("UPDATE tasks SET best_experiment_id = 9999 WHERE id = 1", 1),
    "zone": ("UPDATE tasks SET created_at = '2025-11-02T10:20:30+02:00' WHERE id = 1", 0),
    "time": ("UPDATE tasks SET created_at = 'yesterday' WHERE id = 1", 1),
    "bytes": ("UPDATE tasks SET description = x'00ff' WHERE id = 1", 1),
    "infinite": ("UPDATE experiments SET objective_score = 9e999 WHERE id = 1", 0),
    "not a number": ("UPDATE experiments SET objective_score = 'NaN' WHERE id = 1", 1),
    "orphan": ("UPDATE experiments SET task_id = 777 WHERE id = 1", 0),
    "no task": ("UPDATE tasks SET model_config = '{}' WHERE id = 1", 0),
    "raw": ("UPDATE experiments SET metrics = '{\"raw_results\": [1, {}]}' WHERE id = 1", 0),
    "extra column": ("ALTER TABLE tasks ADD COLUMN favourite TEXT DEFAULT 'yes'", 2),
    "older": ("ALTER TABLE tasks DROP COLUMN metadata", 0),
    "no presets": ("DROP TABLE parameter_presets", 0),
    "another table": ("CREATE TABLE notes AS SELECT 1 AS a, x'ff' AS b", 0),
    "huge": ("UPDATE tasks SET total_experiments = 1e300 WHERE id = 1", 1),
    "list": ("UPDATE experiments SET parameters = '[1]' WHERE id = 1", 0),
    "surrogate": (
        'UPDATE tasks SET model_config = \'{"id_or_path": "a\\ud800\\u0000b"}\' WHERE id = 1',
        0,
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_rows_are_kept_and_nothing_is_lost(name: str, tmp_path: Path, store: Store) -> None:
    source = built(tmp_path / "odd.db", tasks=2, experiments=2)
    statement, kept = ODD[name]
    changed(source, statement)
    before = sha256(source)
    report = moved(source, store)
    assert report.kept_cells >= kept
    assert compared(source, store).differences == []
    assert sha256(source) == before
    undone(store)
    assert content(store)["migrated_rows"] == []


@pytest.mark.parametrize(
    ("metrics", "unmeasured"),
    [
        (
            '{"mean_ttft": 0.05}',
            {"it has no raw results: there is nothing of single load levels to convert": 1},
        ),
        ('{"raw_results": [1, {}]}', {"it is no measurement: it is no mapping": 1}),
        ('{"raw_results": []}', {"its raw results are empty": 1}),
        ("{}", {}),
    ],
)
def test_metrics_that_become_no_measurement_are_counted_with_the_reason(
    metrics: str, unmeasured: dict[str, int], tmp_path: Path
) -> None:
    source = built(tmp_path / "v1.db", tasks=1, experiments=2)
    changed(source, "UPDATE experiments SET metrics = ? WHERE status = 'SUCCESS'", metrics)
    with opened(source) as v1:
        assert preview(v1, UnitChoice(), OBSERVER).to_json()["unmeasured"] == unmeasured


def test_a_log_that_is_not_written_back_is_read_and_left(source: Path, store: Store) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("UPDATE tasks SET task_name = 'in the log' WHERE id = 1")
        connection.commit()
        beside = sorted(source.parent.glob("v1.db*"))
        before = [sha256(path) for path in beside if not path.name.endswith("-shm")]
        moved(source, store)
        assert sorted(source.parent.glob("v1.db*")) == beside
        assert [sha256(p) for p in beside if not p.name.endswith("-shm")] == before
    assert V1Tasks(store.sessions).named("in the log") is not None


def test_a_source_that_is_being_written_is_read_as_it_was(source: Path, store: Store) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE tasks SET task_name = 'not yet' WHERE id = 1")
        moved(source, store)
        connection.rollback()
    assert V1Tasks(store.sessions).named("not yet") is None
    assert compared(source, store).differences == []


def test_no_database_of_version_1_is_named(tmp_path: Path, source: Path) -> None:
    other = tmp_path / "other.db"
    changed(other, "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT)")
    with pytest.raises(MigrationError, match=r"no database of version 1: it lacks tasks\."):
        _open(other)
    Store.open(tmp_path / "ours").close()
    with pytest.raises(MigrationError, match="is a database of version 2"):
        _open(tmp_path / "ours" / "autotuner.db")
    for name, raw, words in (
        ("text", b"{}", "is no SQLite file"),
        ("empty", b"", "is empty"),
        ("cut", source.read_bytes()[: 3 * 4096], "is damaged"),
        (
            "spoilt",
            source.read_bytes()[:8192] + b"\xa5" * 8192 + source.read_bytes()[16384:],
            "is damaged",
        ),
    ):
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(MigrationError, match=words):
            _open(tmp_path / name)
    with pytest.raises(MigrationError, match="cannot be read: No such file"):
        _open(tmp_path / "nowhere")
    with pytest.raises(MigrationError, match="cannot be read: Is a directory"):
        _open(tmp_path)


def _open(path: Path) -> None:
    with opened(path) as v1, pytest.MonkeyPatch.context():
        list(v1.tasks())


def test_names_that_are_there_twice_are_numbered(source: Path, store: Store) -> None:
    for table, column in (("tasks", "task_name"), ("parameter_presets", "name")):
        changed(source, f"DROP INDEX ix_{table}_{column}")
        changed(source, f"UPDATE {table} SET {column} = 'same' WHERE id < 4")  # noqa: S608
    moved(source, store)
    assert compared(source, store).differences == []
    names = {task.task_name for task in V1Tasks(store.sessions).page(skip=0, limit=99, status=None)}
    assert names > {"same", "same (2)", "same (3)"}
    assert [p.name for p in V1Presets(store.sessions).all()] == ["same", "same (2)", "same (3)"]
    assert [row[0] for row in content(store)["profiles"]] == ["same", "same-2"]


@pytest.mark.parametrize("name", ["a?mode=rw&b.db", "a#b.db", "a%20b.db", "a b ü.db", "file:v1.db"])
def test_a_source_may_have_any_name(name: str, source: Path, store: Store) -> None:
    odd = source.rename(source.with_name(name))
    before = sha256(odd)
    assert moved(odd, store).units["tasks"] == {"moved": 12}
    assert compared(odd, store).differences == []
    assert sha256(odd) == before
    assert [path.name for path in odd.parent.glob("*") if path.name.startswith(name)] == [name]


def test_a_source_that_is_written_all_the_time_is_one_moment_of_it(
    source: Path, store: Store
) -> None:
    """Each commit writes the same value into two tables."""
    ended, written = threading.Event(), list[str]()

    def write() -> None:
        value = str(len(written))
        with closing(sqlite3.connect(source, timeout=30)) as connection:
            connection.execute("UPDATE tasks SET description = ?", (value,))
            connection.execute("UPDATE parameter_presets SET description = ?", (value,))
            connection.commit()
        written.append(value)

    def write_on() -> None:
        while not ended.wait(0.12):
            write()

    write()
    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        for _ in range(3):
            moved(source, store)
            tasks = V1Tasks(store.sessions).page(skip=0, limit=99, status=None)
            texts = {one.description for one in (*tasks, *V1Presets(store.sessions).all())}
            assert len(texts) == 1, texts
    finally:
        ended.set()
        writer.join()
    assert len(written) > 1
