"""A database of version 1 is moved, compared, taken back, and moved again."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from v1_database import built, insert

from autotuner.errors import MigrationError, StoreError
from autotuner.migrate.database import Observer, Report, UnitChoice, move, opened, preview
from autotuner.migrate.database.comparison import MovedComparison
from autotuner.migrate.database.verify import verify
from autotuner.store import Store
from autotuner.store.schema import TaskRow
from autotuner.store.v1 import V1Experiments, V1Presets, V1Tasks

OBSERVER = Observer.of(Path("/nonexistent"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return built(tmp_path / "v1.db", tasks=12, experiments=5)


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path / "home", database) as opened_store:
        yield opened_store


def moved(source: Path, store: Store, **choice: Any) -> Report:
    with opened(source) as v1:
        return move(v1, store, UnitChoice(**choice), OBSERVER)[1]


def compared(source: Path, store: Store, **choice: Any) -> MovedComparison:
    with opened(source) as v1:
        return verify(v1, store, UnitChoice(**choice))


def undone(store: Store, *, force: bool = False) -> int:
    newest = store.migrations.all()[0]
    return sum(step.removed for step in store.migrations.undo(newest.id, force=force))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def changed(source: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(statement, values)
        connection.commit()


def test_everything_is_moved_and_nothing_differs(source: Path, store: Store) -> None:
    before = sha256(source)
    report = moved(source, store)
    assert report.units["tasks"] == {"moved": 12}
    assert report.untranslated == [
        "preset 3 'nothing known': it becomes no profile: none of its parameters sets a field"
    ]
    found = compared(source, store)
    assert found.differences == []
    assert found.found["converted"] > 500
    assert sha256(source) == before
    assert [path.name for path in source.parent.glob("v1.db*")] == ["v1.db"]


def test_a_preview_counts_what_is_moved_then(source: Path, store: Store) -> None:
    with opened(source) as v1:
        foreseen = preview(v1, UnitChoice(), OBSERVER).to_json()
    assert store.migrations.all() == ()
    assert moved(source, store).to_json() == foreseen


def test_version_1_answers_as_before(source: Path, store: Store) -> None:
    moved(source, store)
    tasks = V1Tasks(store.sessions).page(skip=0, limit=100, status=None)
    with closing(sqlite3.connect(source)) as connection:
        rows = connection.execute("SELECT id, task_name, status, best_experiment_id FROM tasks")
        assert {(t.id, t.task_name, t.status, t.best_experiment_id) for t in tasks} == set(rows)
    found = V1Experiments(store.sessions).of_task(1)
    assert sorted(one.experiment_id for one in found) == [1, 2, 3, 4, 5]
    first = next(one for one in found if one.experiment_id == 1)
    assert first.metrics["raw_results"][0]["stats"]["ttft"]["mean"] > 0
    assert V1Presets(store.sessions).all()[0].name == "Memory Efficient"


def test_tasks_of_version_2_have_their_results(source: Path, store: Store) -> None:
    moved(source, store)
    tasks = {task.v1_task_id: task for task in store.tasks.all()}
    assert tasks[1].status == "completed" and tasks[1].origin == "v1"
    assert tasks[3].status == "interrupted" and tasks[4].status == "pending"
    experiments = store.experiments(tasks[1].id)
    assert [e.status for e in experiments] == [
        "completed",
        "failed",
        "completed",
        "completed",
        "failed",
    ]
    level = experiments[0].measurements[0]
    assert level.ttft_ms is not None and level.original is not None
    assert level.ttft_ms.mean == pytest.approx(1000 * level.original["stats"]["ttft"]["mean"])
    assert store.observations(task_id=tasks[1].id)


def test_a_task_that_ran_can_be_resumed(source: Path, store: Store) -> None:
    moved(source, store)
    task = next(task for task in store.tasks.all() if task.v1_task_id == 3)
    assert store.tasks.act(task.id, "resume").status == "queued"


def test_a_second_time_moves_nothing(source: Path, store: Store) -> None:
    moved(source, store)
    again = moved(source, store)
    assert again.units["tasks"] == {"same": 12}
    assert again.units["presets"] == {"same": 3}
    assert again.rows == {}


def test_what_has_changed_in_the_source_is_moved_anew(source: Path, store: Store) -> None:
    moved(source, store)
    before = {task.v1_task_id: task.id for task in store.tasks.all()}
    changed(source, "UPDATE experiments SET objective_score = 77 WHERE task_id = 1")
    assert compared(source, store).differing == 1
    assert moved(source, store).units["tasks"] == {"changed": 1, "same": 11}
    assert {task.v1_task_id: task.id for task in store.tasks.all()} == before
    assert compared(source, store).differences == []


def test_undone_the_target_is_as_before(source: Path, store: Store) -> None:
    before = content(store)
    moved(source, store)
    assert undone(store) == 15
    assert content(store) == before
    moved(source, store)
    assert compared(source, store).differences == []


def content(store: Store) -> dict[str, list[Any]]:
    tables = ("tasks", "experiments", "parameter_presets", "tasks_v2", "experiments_v2")
    more = ("measurements", "observations", "profiles", "events", "migrated_rows")
    with store.sessions.reading() as session:
        return {
            name: list(map(tuple, session.execute(text(f"SELECT * FROM {name} ORDER BY 1"))))  # noqa: S608
            for name in (*tables, *more)
        }


def test_presets_that_version_1_had_not_are_not_here_afterwards(source: Path, store: Store) -> None:
    changed(source, "UPDATE parameter_presets SET name = 'Low Latency' WHERE id = 2")
    before = V1Presets(store.sessions).all()
    report = moved(source, store)
    assert report.deleted_presets == ["High Throughput", "Balanced"]
    names = {preset.id: preset.name for preset in V1Presets(store.sessions).all()}
    assert names == {1: "Memory Efficient", 2: "Low Latency", 3: "nothing known"}
    assert moved(source, store).deleted_presets == report.deleted_presets
    undone(store)
    assert V1Presets(store.sessions).all() == before


def test_presets_of_a_database_with_other_data_stay(source: Path, store: Store) -> None:
    V1Presets(store.sessions).change(4, {"description": "mine"})
    before = V1Presets(store.sessions).all()
    report = moved(source, store)
    assert (report.deleted_presets, report.other_presets) == (
        [],
        ["High Throughput", "Low Latency", "Balanced"],
    )
    names = [preset.name for preset in V1Presets(store.sessions).all()]
    assert sorted(names) == sorted(
        ["Memory Efficient", "High Throughput", "Low Latency", "Balanced", "mine", "nothing known"]
    )
    undone(store)
    assert V1Presets(store.sessions).all() == before


def test_presets_put_back_leave_names_that_were_given_since(source: Path, store: Store) -> None:
    moved(source, store)
    V1Presets(store.sessions).create({"name": "Balanced", "parameters": {"tp-size": [8]}})
    undone(store)
    names = [preset.name for preset in V1Presets(store.sessions).all()]
    assert sorted(names) == ["Balanced", "High Throughput", "Low Latency", "Memory Efficient"]


def test_a_name_that_is_taken_is_numbered_within_its_column(source: Path, store: Store) -> None:
    long = "x" * 255
    V1Presets(store.sessions).create({"name": long, "parameters": {}})
    changed(source, "UPDATE parameter_presets SET name = ? WHERE id = 2", long)
    moved(source, store)
    names = [preset.name for preset in V1Presets(store.sessions).all()]
    assert f"{'x' * 251} (2)" in names and long in names


def test_a_task_that_was_worked_on_since_stays(source: Path, store: Store) -> None:
    moved(source, store)
    task = next(task for task in store.tasks.all() if task.v1_task_id == 3)
    store.tasks.act(task.id, "resume")
    changed(source, "UPDATE tasks SET status = 'FAILED' WHERE id = 3")
    assert moved(source, store).units["tasks"] == {"worked_on": 1, "same": 11}
    undone(store)
    assert [task.v1_task_id for task in store.tasks.all()] == [3]


def test_numbers_and_names_that_are_taken_are_given_anew(source: Path, store: Store) -> None:
    first = built(source.parent / "other.db", tasks=3, experiments=2)
    changed(first, "UPDATE tasks SET created_at = '2024-01-01 00:00:00', task_name = task_name")
    moved(first, store)
    moved(source, store)
    assert len(V1Tasks(store.sessions).page(skip=0, limit=100, status=None)) == 15
    assert compared(first, store).differences == []
    assert compared(source, store).differences == []


def test_only_what_is_asked_for_is_moved(source: Path, store: Store) -> None:
    report = moved(source, store, only=("3", "emoji*"), skip_running=True)
    assert report.units == {"tasks": {"moved": 3, "skipped": 9}}
    assert compared(source, store, only=("emoji*",)).differences == []


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


def test_version_1_in_the_place_of_ours_is_recognised(tmp_path: Path, source: Path) -> None:
    home = tmp_path / "there"
    home.mkdir()
    source.rename(home / "autotuner.db")
    before = sha256(home / "autotuner.db")
    with pytest.raises(StoreError, match="is a database of version 1") as refusal:
        Store.open(home)
    assert "autotuner migrate db" in refusal.value.remedy
    assert sha256(home / "autotuner.db") == before


def test_what_was_changed_here_is_found(source: Path, store: Store) -> None:
    moved(source, store)
    V1Tasks(store.sessions).change(1, {"description": "another"})
    with store.sessions.writing() as session:
        task = session.scalars(select(TaskRow).where(TaskRow.v1_task_id == 2)).one()
        session.delete(task)
    found = compared(source, store)
    assert "task 1, description: it is 'another' here" in "; ".join(found.differences)
    assert found.differing > 1


def test_extra_rows_of_a_table(source: Path, store: Store) -> None:
    with closing(sqlite3.connect(source)) as connection:
        insert(
            connection,
            "experiments",
            {"id": 900, "task_id": 1, "experiment_id": 1, "parameters": {"tp-size": 1}},
        )
        connection.commit()
    moved(source, store)
    assert compared(source, store).differences == []
    assert len(V1Experiments(store.sessions).of_task(1)) == 6


def test_an_engine_is_named_for_tasks_that_name_none(source: Path, store: Store) -> None:
    changed(
        source,
        "UPDATE tasks SET base_runtime = 'my-rt', runtime_image_tag = NULL, "
        "parameters = '{\"zeal\": [1]}' WHERE id IN (2, 3)",
    )
    draft, *_ = moved(source, store).drafts
    assert draft.startswith("task 2 'tab\\tand\\nline 2': base_runtime: system.backend: 'my-rt'")
    assert compared(source, store).differences == []
    with opened(source) as v1:
        report = move(v1, store, UnitChoice(), OBSERVER, engine="vllm")[1]
    assert report.units["tasks"] == {"same": 10, "changed": 2} and report.drafts == []
    documents = {task.v1_task_id: task.config for task in store.tasks.all()}
    assert documents[2]["system"]["backend"] == documents[3]["system"]["backend"] == "vllm"
    assert documents[2]["misc"]["extra_args"] == ["--zeal", "1"]
    assert documents[5]["system"]["backend"] == "trtllm"
    assert moved(source, store).units["tasks"] == {"same": 12}
    assert compared(source, store).differences == []


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
