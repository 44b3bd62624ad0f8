"""Reads what was moved here, as it stands: rows of version 1 with their text, and measurements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Table, Text, cast, select

from autotuner.measure import Measurement
from autotuner.store import v1_schema
from autotuner.store.row_numbers import chunks, found_in
from autotuner.store.schema import ExperimentRow, MeasurementRow, ProfileRow, TaskRow
from autotuner.store.sessions import Sessions
from autotuner.store.v1.moving import NUMBERS, known_units


@dataclass(frozen=True)
class MovedHere:
    """A unit as it is here: `row` of version 1's table, `experiments` by number in the source.

    `is_gone` says whether its task of version 2 or its profile was removed, `measured` has the
    measurements of each experiment of ours in the order of launch; `row` is None where it is gone.
    """

    account: Mapping[str, Any]
    digest: str
    v2_task_id: int | None
    profile: str | None
    is_gone: bool
    row: Mapping[str, Any] | None
    experiments: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    measured: Sequence[Sequence[Measurement]] = ()


def moved_here(
    sessions: Sessions, identities: Sequence[str], table: Table | None
) -> dict[str, MovedHere]:
    """Units by identity; those that were never moved here are left out.

    Args:
        table: version 1's table of their rows; None where they have none.
    """
    with sessions.reading() as session:
        connection = session.connection()
        units = known_units(connection, identities)
        v1_ids = [unit.v1_id for unit in units.values() if unit.v1_id is not None]
        rows = {} if table is None else rows_by(connection, table, table.c.id, v1_ids)
        is_task = table is v1_schema.tasks
        v1_table = v1_schema.experiments
        own = rows_by(connection, v1_table, v1_table.c.task_id, v1_ids) if is_task else {}
        ours = [u.v2_task_id for u in units.values() if u.v2_task_id is not None]
        profiles = [u.profile for u in units.values() if u.profile is not None]
        there = {None, *found_in(connection, TaskRow.__table__.c.id, ours)}
        named = {None, *found_in(connection, ProfileRow.__table__.c.name, profiles)}
        measured = _measured(connection, [u.v2_task_id for u in units.values() if u.v2_task_id])
        return {
            identity: MovedHere(
                account=unit.account,
                digest=unit.digest,
                v2_task_id=unit.v2_task_id,
                profile=unit.profile,
                is_gone=unit.v2_task_id not in there or unit.profile not in named,
                row=next(iter(rows.get(unit.v1_id, ())), None),
                experiments=_by_source(own.get(unit.v1_id, []), unit.account),
                measured=measured.get(unit.v2_task_id, ()),
            )
            for identity, unit in units.items()
        }


def _by_source(
    rows: Sequence[Mapping[str, Any]], account: Mapping[str, Any]
) -> dict[int, Mapping[str, Any]]:
    there = {here: int(source) for source, here in account.get(NUMBERS, {}).items()}
    return {there.get(row["id"], row["id"]): row for row in rows}


def rows_by(
    connection: Connection, table: Table, column: ColumnElement[Any], values: Sequence[int]
) -> dict[int, list[Mapping[str, Any]]]:
    """Rows by the value of a column, of JSON columns the text."""
    columns = [
        cast(c, Text).label(c.name) if isinstance(c.type, JSON) else c for c in table.columns
    ]
    found: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for some in chunks(values):
        query = select(column.label("_of"), *columns).where(column.in_(some)).order_by(table.c.id)
        for row in connection.execute(query).mappings():
            found[row["_of"]].append(dict(row))
    return found


def _measured(
    connection: Connection, task_ids: Sequence[int]
) -> dict[int, list[list[Measurement]]]:
    experiments, measurements = ExperimentRow.__table__.c, MeasurementRow.__table__.c
    found: dict[int, list[list[Measurement]]] = {}
    for some in chunks(task_ids):
        query = (
            select(experiments.task_id, experiments.id, cast(measurements.payload, Text))
            .outerjoin_from(
                ExperimentRow.__table__,
                MeasurementRow.__table__,
                measurements.experiment_id == experiments.id,
            )
            .where(experiments.task_id.in_(some))
            .order_by(experiments.task_id, experiments.idx, measurements.id)
        )
        newest = None
        for task_id, number, payload in connection.execute(query):
            own = found.setdefault(task_id, [])
            if number != newest:
                own.append([])
                newest = number
            if payload is not None:
                own[-1].append(Measurement.model_validate_json(payload))
    return found
