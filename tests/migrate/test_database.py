"""A database of version 1 is moved, compared, taken back, and moved again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from moves import OBSERVER, changed, compared, content, moved, sha256, undone
from sqlalchemy import select, update
from v1_database import built, insert

from autotuner.errors import StoreError
from autotuner.migrate.database import UnitChoice, move, opened, preview
from autotuner.store import Store
from autotuner.store.schema import TaskRow
from autotuner.store.v1 import V1Experiments, V1Presets, V1Tasks


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
    gone = {task.id for task in store.tasks.all()}
    assert undone(store) == 15
    after = content(store)
    events = [row for row in after.pop("events") if row not in before["events"]]
    assert {(row[1], row[3]) for row in events} == {(number, "task_deleted") for number in gone}
    assert after == {name: rows for name, rows in before.items() if name != "events"}
    moved(source, store)
    assert compared(source, store).differences == []


def test_a_killed_migration_goes_on_with_the_same_bytes_alone(store: Store) -> None:
    killed = store.migrations.begin("autotuner.db", "a" * 64)
    assert store.migrations.begin("autotuner.db", "a" * 64) == killed
    other = store.migrations.begin("autotuner.db", "b" * 64)
    assert other != killed, "another database of the same name"
    assert store.migrations.begin("v1.db", "a" * 64) not in (killed, other)
    store.migrations.end(killed, {})
    assert store.migrations.begin("autotuner.db", "a" * 64) != killed


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


def test_a_preview_of_undoing_counts_what_goes_then(source: Path, store: Store) -> None:
    moved(source, store)
    (number,) = (one.id for one in store.migrations.all())
    before = content(store)
    foreseen = store.migrations.undo_preview(number, force=False)
    assert content(store) == before
    assert (foreseen.left, foreseen.running) == ((), ())
    assert foreseen.counts["tasks"] == len(before["tasks_v2"])
    assert foreseen.counts["experiments"] == len(before["experiments_v2"])
    assert foreseen.counts["measurements"] == len(before["measurements"])
    assert undone(store) == foreseen.removed


def test_nothing_is_taken_back_while_a_task_of_it_runs(source: Path, store: Store) -> None:
    moved(source, store)
    (number,) = (one.id for one in store.migrations.all())
    task = next(task for task in store.tasks.all() if task.v1_task_id == 3)
    store.tasks.act(task.id, "resume")
    with store.sessions.writing() as session:
        session.execute(update(TaskRow).where(TaskRow.id == task.id).values(status="running"))
    before = content(store)
    assert store.migrations.undo_preview(number, force=True).running == (task.id,)
    with pytest.raises(StoreError, match=f"running: {task.id}") as error:
        undone(store, force=True)
    assert "cancel" in (error.value.remedy or "")
    assert content(store) == before
    assert store.migrations.undo_preview(number, force=False).left == (3,), "without force it stays"


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
    changed(source, "UPDATE tasks SET description = 'another' WHERE id = 2")
    again = moved(source, store)
    assert again.units["tasks"] == {"same": 11, "changed": 1} and again.drafts == []
    other = {task.v1_task_id: task.config for task in store.tasks.all()}[2]
    assert other == documents[2] | {"description": "another"}
    assert compared(source, store).differences == []
