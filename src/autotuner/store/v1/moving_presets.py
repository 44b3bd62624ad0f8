"""Writes presets that are moved here: rows of version 1, and profiles."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from autotuner.store import v1_schema
from autotuner.store.migration_schema import MigratedRow
from autotuner.store.row_numbers import found_in, wanted_or_new
from autotuner.store.schema import ProfileRow
from autotuner.store.sessions import Sessions
from autotuner.store.v1.moved import MovedPreset, MoveOutcome
from autotuner.store.v1.moving import (
    PRESET_KIND,
    Written,
    free_names,
    ledger_row,
    put,
    put_texts,
    settled,
)
from autotuner.store.v1.unmoving import REPLACED

_PRESETS = v1_schema.parameter_presets


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
    profiles = _profiles(connection, presets, reserved)
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
        if place in replaced:
            row["account"][REPLACED] = replaced[place]
        rows.append(row)
    put(connection, MigratedRow, rows)
    return numbers


def _replaced(connection: Connection, presets: Sequence[MovedPreset]) -> dict[int, dict[str, Any]]:
    """Takes away the system's presets of the same names; place -> the row that stood there."""
    of_system = {p.v1["name"]: place for place, p in enumerate(presets) if p.v1.get("is_system")}
    query = select(_PRESETS).where(
        _PRESETS.c.name.in_(list(of_system)), _PRESETS.c.is_system.is_(True)
    )
    moved = select(MigratedRow.v1_id).where(MigratedRow.kind == PRESET_KIND)
    rows = connection.execute(query.where(_PRESETS.c.id.not_in(moved))).all()
    ids = [row.id for row in rows]
    connection.execute(delete(_PRESETS).where(_PRESETS.c.id.in_(ids)))
    return {of_system[row.name]: _document(row) for row in rows}


def _document(row: Row[Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row._mapping.items()
    }


def _profiles(
    connection: Connection, presets: Sequence[MovedPreset], reserved: Collection[str]
) -> Mapping[int, str]:
    """Place -> a free name, of those that become profiles."""
    found: dict[int, str] = {}
    taken = set(reserved)
    for place, preset in enumerate(presets):
        if preset.profile is None:
            continue
        given = str(preset.profile["name"])
        name, number = given, 2
        while name in taken or list(found_in(connection, ProfileRow.__table__.c.name, [name])):
            name, number = f"{given}-{number}", number + 1
        taken.add(name)
        found[place] = name
    return found
