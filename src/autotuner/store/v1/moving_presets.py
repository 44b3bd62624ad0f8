"""Writes presets that are moved here: rows of version 1, and profiles."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, select

from autotuner.store import v1_schema
from autotuner.store.migration_schema import MigratedRow
from autotuner.store.row_numbers import found_in, wanted_or_new
from autotuner.store.schema import ProfileRow, TaskRow
from autotuner.store.sessions import Sessions
from autotuner.store.v1.free_names import free_names
from autotuner.store.v1.moved import KeptRow, MovedPreset, MoveOutcome
from autotuner.store.v1.moving import (
    PRESET_KIND,
    TASK_KIND,
    Written,
    ledger_row,
    note_changes,
    put,
    put_texts,
    settled,
)
from autotuner.store.v1.system_presets import is_system_preset
from autotuner.store.v1.unmoving import PUT_ASIDE_KIND, REPLACED

_PRESETS = v1_schema.parameter_presets


def put_system_presets_aside(sessions: Sessions, migration: int) -> None:
    """Removes the presets that every new database has, where nothing else is here.

    What version 1 had of them comes from its own database, and what its user had deleted stays
    deleted. Undoing puts them back.
    """
    with sessions.writing() as session:
        connection = session.connection()
        if not _is_new(connection):
            return
        rows = _not_moved(connection)
        connection.execute(delete(_PRESETS).where(_PRESETS.c.id.in_([row.id for row in rows])))
        places = {"source_table": _PRESETS.name}
        put(
            connection,
            MigratedRow,
            (ledger_row(migration, PUT_ASIDE_KIND, _put_aside(row), **places) for row in rows),
        )


def presets_here(sessions: Sessions, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the names that a preset has here."""
    with sessions.reading() as session:
        there = set(found_in(session.connection(), _PRESETS.c.name, names))
    return tuple(name for name in names if name in there)


def _is_new(connection: Connection) -> bool:
    """Whether a database has what every new one has, and what was moved there, alone."""
    moved, columns = MigratedRow.__table__.c, TaskRow.__table__.c
    of_kind = select(moved.v1_id).where(moved.kind == TASK_KIND, moved.v1_id.is_not(None))
    ours = select(moved.v2_task_id).where(moved.v2_task_id.is_not(None))
    profiles = select(moved.profile).where(moved.profile.is_not(None))
    others = (
        select(v1_schema.tasks.c.id).where(v1_schema.tasks.c.id.not_in(of_kind)),
        select(columns.id).where(columns.id.not_in(ours)),
        select(ProfileRow.name).where(ProfileRow.name.not_in(profiles)),
    )
    return not any(connection.scalar(select(exists(query))) for query in others) and all(
        is_system_preset(_columns(row)) for row in _not_moved(connection)
    )


def _not_moved(connection: Connection) -> Sequence[Row[Any]]:
    moved = select(MigratedRow.v1_id).where(MigratedRow.kind == PRESET_KIND)
    query = select(_PRESETS).where(_PRESETS.c.id.not_in(moved)).order_by(_PRESETS.c.id)
    return connection.execute(query).all()


def _put_aside(row: Row[Any]) -> KeptRow:
    identity = hashlib.sha256(f"system preset {row.name}".encode()).hexdigest()
    return KeptRow(identity, "", _PRESETS.name, row.id, {REPLACED: _document(row)})


def write_presets(
    sessions: Sessions,
    migration: int,
    presets: Sequence[MovedPreset],
    *,
    reserved: Collection[str],
) -> list[Written]:
    """Writes presets and their profiles, wholly or not at all.

    A system's preset takes the place of the one of its name that every new database has.

    Args:
        reserved: names that no profile of a user may have.
    """
    with sessions.writing() as session:
        connection = session.connection()
        known, outcomes = settled(connection, presets)
        new = [
            p
            for p, outcome in zip(presets, outcomes, strict=True)
            if outcome is not MoveOutcome.SAME
        ]
        numbers = iter(_write(connection, migration, new, reserved))
        return [
            Written(outcome, known[preset.identity].v1_id)
            if outcome is MoveOutcome.SAME
            else Written(outcome, next(numbers))
            for preset, outcome in zip(presets, outcomes, strict=True)
        ]


def _write(
    connection: Connection,
    migration: int,
    presets: Sequence[MovedPreset],
    reserved: Collection[str],
) -> list[int]:
    replaced = _replaced(connection, presets)
    numbers = wanted_or_new(connection, _PRESETS, [preset.source_id for preset in presets])
    names = free_names(
        connection, {place: p.v1["name"] for place, p in enumerate(presets)}, _PRESETS, "name"
    )
    put_texts(
        connection,
        _PRESETS,
        [
            {**preset.v1, "id": number, "name": names[place]}
            for place, (preset, number) in enumerate(zip(presets, numbers, strict=True))
        ],
    )
    table: Any = ProfileRow.__table__
    profiles = free_names(
        connection,
        {n: str(p.profile["name"]) for n, p in enumerate(presets) if p.profile is not None},
        table,
        "name",
        numbered="{}-{}",
        reserved=reserved,
    )
    now = datetime.now(UTC)
    put(
        connection,
        ProfileRow,
        (
            {
                "name": name,
                "document": {**(presets[place].profile or {}), "name": name},
                "revision": 1,
                "created_at": now,
                "updated_at": now,
            }
            for place, name in profiles.items()
        ),
    )
    rows = []
    for place, (preset, number) in enumerate(zip(presets, numbers, strict=True)):
        row = ledger_row(
            migration,
            PRESET_KIND,
            preset,
            source_table=_PRESETS.name,
            v1_id=number,
            profile=profiles.get(place),
        )
        note_changes(row, number, {"name": (preset.v1["name"], names[place])})
        if place in replaced:
            row["account"][REPLACED] = replaced[place]
        rows.append(row)
    put(connection, MigratedRow, rows)
    return numbers


def _replaced(connection: Connection, presets: Sequence[MovedPreset]) -> dict[int, dict[str, Any]]:
    """Takes away the system's presets of the same names; place -> the row that stood there."""
    of_system = {p.v1["name"]: place for place, p in enumerate(presets) if p.v1.get("is_system")}
    rows = [r for r in _not_moved(connection) if r.is_system and r.name in of_system]
    ids = [row.id for row in rows]
    connection.execute(delete(_PRESETS).where(_PRESETS.c.id.in_(ids)))
    return {of_system[row.name]: _document(row) for row in rows}


def _columns(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)


def _document(row: Row[Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in _columns(row).items()
    }
