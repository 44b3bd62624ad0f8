"""Writes what is moved here from a database of version 1: some units in one transaction.

Numbers of version 1's rows stay where they are free here. A unit that is here as it was is left,
so that whoever was killed goes on where the last transaction ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    Row,
    Table,
    bindparam,
    column,
    insert,
    select,
    table,
    update,
)

from autotuner.measure import Measurement
from autotuner.store import v1_schema
from autotuner.store.migration_schema import MigratedRow
from autotuner.store.records import load_columns, observation_columns
from autotuner.store.row_numbers import chunks, found_in, take_numbers, wanted_or_new
from autotuner.store.schema import (
    Base,
    ExperimentRow,
    MeasurementRow,
    ObservationRow,
    TaskRow,
)
from autotuner.store.sessions import Sessions
from autotuner.store.transitions import first_lease
from autotuner.store.v1.free_names import free_names
from autotuner.store.v1.moved import (
    KeptRow,
    MovedLaunch,
    MovedPart,
    MovedPreset,
    MovedTask,
    MoveOutcome,
)
from autotuner.store.v1.unmoving import FURTHER, remove_units, was_worked_on

TASK_KIND, PRESET_KIND, ROW_KIND = "task", "preset", "row"
_WRITTEN = (MoveOutcome.MOVED, MoveOutcome.CHANGED)
ENGINE = "engine"
"""Key of an account: the engine that the user named for a task."""
NUMBERS = "numbers"
"""Key of an account: number of an experiment in the source -> its number here, where it differs."""
_NEW_TASK: dict[str, Any] = {
    "origin": "v1",
    "config_version": 2,
    "plan": {},
    "revision": 1,
    "heartbeat": 0,
    "requested_action": "",
    "base": None,
    "queued_at": None,
    "worker": None,
    "launches": None,
    "best": None,
    "expected_wall_s": None,
    "is_replay": False,
}
_NEW_EXPERIMENT: dict[str, Any] = {
    "command": "",
    "selection_reason": "carried over from version 1",
    "phase": "v1",
    "log_path": "",
}


@dataclass(frozen=True)
class Written:
    """Outcome of a unit; `v1_id` and `v2_task_id` are its numbers here."""

    outcome: MoveOutcome
    v1_id: int | None = None
    v2_task_id: int | None = None


def write_tasks(sessions: Sessions, migration: int, tasks: Sequence[MovedTask]) -> list[Written]:
    """Writes tasks with all that belongs to them, wholly or not at all."""
    with sessions.writing() as session:
        connection = session.connection()
        known, outcomes = settled(connection, tasks)
        each = list(zip(tasks, outcomes, strict=True))
        new = [task for task, outcome in each if outcome in _WRITTEN]
        earlier = {
            task.identity: known[task.identity]
            for task, outcome in each
            if outcome is MoveOutcome.CHANGED
        }
        numbers = iter(_write(connection, migration, new, earlier))
        return [
            Written(outcome, *next(numbers))
            if outcome in _WRITTEN
            else Written(outcome, known[task.identity].v1_id, known[task.identity].v2_task_id)
            for task, outcome in each
        ]


def keep_rows(sessions: Sessions, migration: int, rows: Sequence[KeptRow]) -> list[Written]:
    """Keeps rows that no table has a place for."""
    with sessions.writing() as session:
        connection = session.connection()
        _, outcomes = settled(connection, rows)
        put(
            connection,
            MigratedRow,
            (
                ledger_row(migration, ROW_KIND, row, source_table=row.table)
                for row, outcome in zip(rows, outcomes, strict=True)
                if outcome is not MoveOutcome.SAME
            ),
        )
        return [Written(outcome) for outcome in outcomes]


def settled(
    connection: Connection, units: Sequence[MovedTask | MovedPreset | KeptRow]
) -> tuple[dict[str, Row[Any]], list[MoveOutcome]]:
    """Records of the units that are here, by identity, and the outcome of each unit in its order.

    What was moved here of a unit that has changed since is taken away, to be written anew.
    """
    known = known_units(connection, [unit.identity for unit in units])
    outcomes = [_outcome_of(connection, known.get(unit.identity), unit) for unit in units]
    changed = [
        known[unit.identity]
        for unit, outcome in zip(units, outcomes, strict=True)
        if outcome is MoveOutcome.CHANGED
    ]
    remove_units(connection, changed)
    return known, outcomes


def known_units(connection: Connection, identities: Sequence[str]) -> dict[str, Row[Any]]:
    """Records of these units, by identity."""
    columns = MigratedRow.__table__.c
    wanted = (columns.id, columns.identity, columns.digest, columns.kind)
    places = (columns.v1_id, columns.v2_task_id, columns.profile, columns.account)
    found: dict[str, Row[Any]] = {}
    for some in chunks(identities):
        query = select(*wanted, *places).where(columns.identity.in_(some))
        found |= {row.identity: row for row in connection.execute(query)}
    return found


def _outcome_of(
    connection: Connection, known: Row[Any] | None, unit: MovedTask | MovedPreset | KeptRow
) -> MoveOutcome:
    """Outcome of moving a unit of which so much is recorded."""
    if known is None:
        return MoveOutcome.MOVED
    asked = unit.engine if isinstance(unit, MovedTask) else None
    if known.digest == unit.digest and asked in (None, known.account.get(ENGINE)):
        return MoveOutcome.SAME
    return MoveOutcome.WORKED_ON if was_worked_on(connection, known) else MoveOutcome.CHANGED


def ledger_row(migration: int, kind: str, unit: Any, **places: Any) -> dict[str, Any]:
    """The record of a unit."""
    nowhere = {"v1_id": None, "v2_task_id": None, "profile": None, "source_table": ""}
    return {
        "migration_id": migration,
        "kind": kind,
        "identity": unit.identity,
        "digest": unit.digest,
        "source_id": unit.source_id,
        "account": dict(unit.account),
        **nowhere,
        **places,
    }


def put(connection: Connection, row: type[Base], rows: Iterable[Mapping[str, Any]]) -> None:
    """Inserts rows of one of our tables."""
    made = list(rows)
    if made:
        connection.execute(insert(row), made)


def put_texts(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows whose JSON is text."""
    if rows:
        # Without a type: neither parsed nor written anew.
        plain = table(
            into.name,
            *(column(c.name, None if isinstance(c.type, JSON) else c.type) for c in into.c),
        )
        connection.execute(insert(plain), rows)


def _write(
    connection: Connection,
    migration: int,
    tasks: Sequence[MovedTask],
    earlier: Mapping[str, Row[Any]],
) -> list[tuple[int, int | None]]:
    before = [earlier.get(task.identity) for task in tasks]
    v1_ids = wanted_or_new(
        connection,
        v1_schema.tasks,
        [
            task.source_id if row is None or row.v1_id is None else row.v1_id
            for task, row in zip(tasks, before, strict=True)
        ],
    )
    v2_ids = _numbers_of_ours(connection, tasks, before)
    names = free_names(
        connection,
        {place: task.v1["task_name"] for place, task in enumerate(tasks)},
        v1_schema.tasks,
        "task_name",
    )
    put_texts(
        connection,
        v1_schema.tasks,
        [
            {**task.v1, "id": v1_id, "task_name": names[place]}
            for place, (task, v1_id) in enumerate(zip(tasks, v1_ids, strict=True))
        ],
    )
    renumbered = _write_v1_experiments(connection, tasks, v1_ids)
    write_ours(
        connection,
        [
            (part, v1_id, number)
            for task, v1_id in zip(tasks, v1_ids, strict=True)
            for part, number in zip(task.parts, v2_ids[task.identity], strict=True)
        ],
    )
    records = []
    for place, (task, v1_id) in enumerate(zip(tasks, v1_ids, strict=True)):
        own_numbers = v2_ids[task.identity]
        here = {"v1_id": v1_id, "v2_task_id": next(iter(own_numbers), None)}
        record = ledger_row(migration, TASK_KIND, task, source_table="tasks", **here)
        note_changes(record, v1_id, {"task_name": (task.v1["task_name"], names[place])})
        own = {str(n): renumbered[n] for e in task.experiments if (n := e.source_id) in renumbered}
        if own:
            record["account"][NUMBERS] = own
        if own_numbers[1:]:
            record["account"][FURTHER] = own_numbers[1:]
        if task.engine is not None:
            record["account"][ENGINE] = task.engine
        records.append(record)
    put(connection, MigratedRow, records)
    return [
        (v1_id, next(iter(v2_ids[task.identity]), None))
        for task, v1_id in zip(tasks, v1_ids, strict=True)
    ]


def _numbers_of_ours(
    connection: Connection, tasks: Sequence[MovedTask], before: Sequence[Row[Any] | None]
) -> dict[str, list[int]]:
    """Numbers of the parts of each task, by identity: those of the time before where there were as
    many."""
    wanted = []
    for task, row in zip(tasks, before, strict=True):
        earlier = [] if row is None else [row.v2_task_id or 0, *row.account.get(FURTHER, ())]
        wanted.append(earlier if len(earlier) == len(task.parts) else [0] * len(task.parts))
    table_of_ours: Any = TaskRow.__table__
    numbers = iter(wanted_or_new(connection, table_of_ours, [n for one in wanted for n in one]))
    return {task.identity: [next(numbers) for _ in task.parts] for task in tasks}


def note_changes(record: dict[str, Any], v1_id: int, names: Mapping[str, tuple[str, str]]) -> None:
    """Notes in the record of a unit that its number or a name was taken here.

    Args:
        names: column -> its name in the source, and here.
    """
    notes = []
    if v1_id != record["source_id"]:
        notes.append(["id", "changed", f"its number is taken here: it has {v1_id}"])
    for column_of_name, (before, here) in names.items():
        if before != here:
            text = f"its name is taken here: it is called {here!r}"
            notes.append([column_of_name, "changed", text])
    record["account"]["notes"] = [*record["account"].get("notes", ()), *notes]


def _write_v1_experiments(
    connection: Connection, tasks: Sequence[MovedTask], v1_ids: Sequence[int]
) -> dict[int, int]:
    """Number in the source -> number here, of those that have another one here."""
    everything = [
        (one, v1_id) for task, v1_id in zip(tasks, v1_ids, strict=True) for one in task.experiments
    ]
    numbers = wanted_or_new(
        connection, v1_schema.experiments, [one.source_id for one, _ in everything]
    )
    put_texts(
        connection,
        v1_schema.experiments,
        [
            {**one.v1, "id": number, "task_id": v1_id}
            for (one, v1_id), number in zip(everything, numbers, strict=True)
        ],
    )
    found = {one.source_id: number for (one, _), number in zip(everything, numbers, strict=True)}
    best = [
        {"task": v1_id, "best": found[task.best]}
        for task, v1_id in zip(tasks, v1_ids, strict=True)
        if task.best is not None
    ]
    if best:
        own = update(v1_schema.tasks).where(v1_schema.tasks.c.id == bindparam("task"))
        connection.execute(own.values(best_experiment_id=bindparam("best")), best)
    return {there: here for there, here in found.items() if there != here}


def write_ours(connection: Connection, parts: Sequence[tuple[MovedPart, int, int]]) -> None:
    """Writes tasks of version 2 with their results: each with its v1 task's number and its own."""
    put(
        connection,
        TaskRow,
        (
            {
                **_NEW_TASK,
                **part.columns,
                "id": number,
                "v1_task_id": v1_id,
                "lease": first_lease(),
            }
            for part, v1_id, number in parts
        ),
    )
    numbered = [(part, number) for part, _, number in parts]
    _write_launches(connection, numbered)
    _write_observations(connection, numbered)


def _write_launches(connection: Connection, parts: Sequence[tuple[MovedPart, int]]) -> None:
    everything: list[tuple[MovedLaunch, int]] = [
        (one, number) for part, number in parts for one in part.launches
    ]
    table_of_ours: Any = ExperimentRow.__table__
    numbers = take_numbers(connection, table_of_ours, len(everything))
    put(
        connection,
        ExperimentRow,
        (
            {**_NEW_EXPERIMENT, **one.columns, "id": number, "task_id": task_id}
            for (one, task_id), number in zip(everything, numbers, strict=True)
        ),
    )
    measurements: Any = MeasurementRow.__table__
    put_texts(
        connection,
        measurements,
        [
            {**level, "experiment_id": number}
            for (one, _), number in zip(everything, numbers, strict=True)
            for level in one.levels
        ],
    )


def measurement_columns(measurement: Measurement, repeat: int) -> dict[str, Any]:
    """Columns of a measurement: itself as text, and what is kept beside it."""
    return {
        "payload": measurement.model_dump_json(),
        **load_columns(measurement.load),
        "repeat": repeat,
        "valid": measurement.valid,
        "tok_s": measurement.tok_s,
        "ttft_ms": measurement.ttft_ms.mean if measurement.ttft_ms else None,
        "tpot_ms": measurement.tpot_ms.mean if measurement.tpot_ms else None,
    }


def _write_observations(connection: Connection, parts: Sequence[tuple[MovedPart, int]]) -> None:
    rows = {
        row["digest"]: row
        for part, number in parts
        for observation in part.observations
        for row in (observation_columns(observation, number),)
    }
    for digest in list(found_in(connection, ObservationRow.__table__.c.digest, list(rows))):
        del rows[digest]
    put(connection, ObservationRow, rows.values())
