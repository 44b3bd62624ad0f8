"""A load level is a kind and a value, in measurements, predictions, observations and events."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_UNIQUE = {
    "measurements": ("experiment_id", "repeat"),
    "predictions": ("experiment_id", "kind"),
    "observations": (),
}
"""Table -> columns in which no two rows of one load level are equal; none, where they may be."""
_KIND, _VALUE = ("load_kind", sa.String(20)), ("load_value", sa.Float())
_FORMER = ("concurrency", sa.Integer())
_EVENTS = ("level_progress", "level_measured")
_ROWS = 1000

_Column = tuple[str, sa.types.TypeEngine[Any]]


def upgrade() -> None:
    for table in _UNIQUE:
        change = "load_kind = 'concurrency', load_value = concurrency"
        _replace(table, [_FORMER], [_KIND, _VALUE], change)
    _rewrite(_with_load)


def downgrade() -> None:
    """Rates have no place in the former tables."""
    for table in _UNIQUE:
        op.execute(f"DELETE FROM {table} WHERE load_kind <> 'concurrency'")  # noqa: S608 - own names
        _replace(table, [_KIND, _VALUE], [_FORMER], "concurrency = CAST(load_value AS INTEGER)")
    _rewrite(_with_concurrency)


def _replace(table: str, old: Sequence[_Column], new: Sequence[_Column], change: str) -> None:
    """Columns in place of others, filled by `change`; the unique constraint names them too."""
    for name, kind in new:
        op.add_column(table, sa.Column(name, kind))
    op.execute(f"UPDATE {table} SET {change}")  # noqa: S608 - own names
    key, constraint = _UNIQUE[table], f"uq_{table}_experiment_id"
    options: dict[str, Any] = {
        "reflect_kwargs": {"resolve_fks": False},
        "table_kwargs": {"sqlite_autoincrement": True},
    }
    with op.batch_alter_table(table, **options) as batch:
        if key:
            batch.drop_constraint(constraint, type_="unique")
        for name, _ in old:
            batch.drop_column(name)
        for name, kind in new:
            batch.alter_column(name, existing_type=kind, nullable=False)
        if key:
            batch.create_unique_constraint(constraint, [*key, *(name for name, _ in new)])


def _with_load(payload: dict[str, Any]) -> dict[str, Any]:
    if "concurrency" not in payload:
        return payload
    load = {"kind": "concurrency", "value": payload["concurrency"]}
    return _renamed(payload, "concurrency", "load", load)


def _with_concurrency(payload: dict[str, Any]) -> dict[str, Any]:
    load = payload.get("load", {})
    if load.get("kind") != "concurrency":
        return payload
    return _renamed(payload, "load", "concurrency", load["value"])


def _renamed(payload: dict[str, Any], old: str, new: str, value: Any) -> dict[str, Any]:
    """The payload with another key and value in the place of one of its keys."""
    return dict((new, value) if key == old else (key, item) for key, item in payload.items())


def _rewrite(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Changes how stored measurements and events say their load."""
    connection = op.get_bind()
    for name, where in (("measurements", sa.true()), ("events", sa.column("kind").in_(_EVENTS))):
        table = sa.table(name, sa.column("id", sa.Integer()), sa.column("payload", sa.JSON()))
        query = sa.select(table.c.id, table.c.payload).where(where).order_by(table.c.id)
        change_row = table.update().where(table.c.id == sa.bindparam("row"))
        last = 0
        while rows := connection.execute(query.where(table.c.id > last).limit(_ROWS)).all():
            last = rows[-1].id
            changed = [
                {"row": key, "value": after}
                for key, payload in rows
                if isinstance(payload, dict) and (after := change(payload)) != payload
            ]
            if changed:
                connection.execute(change_row.values(payload=sa.bindparam("value")), changed)
