"""Engines are kept by their handles; columns of tasks and workers have the standard names."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_RENAMED = (
    ("tasks_v2", "wanted", "requested_action"),
    ("tasks_v2", "beat", "heartbeat"),
    ("tasks_v2", "needs_gpu", "requested_gpu"),
    ("tasks_v2", "needs_gpus", "requested_gpus"),
    ("workers", "beat", "heartbeat"),
)
_PROCESS: Mapping[str, sa.types.TypeEngine[Any]] = {
    "boot": sa.String(64),
    "pid": sa.Integer(),
    "pid_started": sa.Integer(),
}
_HANDLE: Mapping[str, sa.types.TypeEngine[Any]] = {"kind": sa.String(40), "handle": sa.String(500)}
_LARGEST_INTEGER = 2**31 - 1


def upgrade() -> None:
    for table, before, after in _RENAMED:
        op.alter_column(table, before, new_column_name=after)
    _retype_start_of_workers(sa.Integer(), sa.BigInteger())
    _rename("engine_processes", "engine_handles")
    for name, kind in _HANDLE.items():
        op.add_column("engine_handles", sa.Column(name, kind))
    op.execute(
        "UPDATE engine_handles SET kind = 'local', handle = CAST(pid AS VARCHAR(20)) || ':' || "
        "CAST(pid_started AS VARCHAR(20)) || ':' || boot"
    )
    _demand_and_drop("engine_handles", _HANDLE, _PROCESS)


def downgrade() -> None:
    """Engines of other launchers than `local` have no place in the former table."""
    _rename("engine_handles", "engine_processes")
    for name, kind in _PROCESS.items():
        op.add_column("engine_processes", sa.Column(name, kind))
    op.execute("DELETE FROM engine_processes WHERE kind <> 'local'")
    columns: list[sa.ColumnClause[Any]] = [sa.column(n) for n in ("id", "handle", *_PROCESS)]
    table = sa.table("engine_processes", *columns)
    connection = op.get_bind()
    for number, handle in connection.execute(sa.select(table.c.id, table.c.handle)).all():
        pid, started, boot = handle.split(":", 2)
        kept = int(started) if int(started) <= _LARGEST_INTEGER else 0
        values = {"boot": boot, "pid": int(pid), "pid_started": kept}
        connection.execute(table.update().where(table.c.id == number).values(values))
    _demand_and_drop("engine_processes", _PROCESS, _HANDLE)
    op.execute(
        f"UPDATE workers SET pid_started = 0 WHERE pid_started > {_LARGEST_INTEGER}"  # noqa: S608
    )
    _retype_start_of_workers(sa.BigInteger(), sa.Integer())
    for table_name, before, after in reversed(_RENAMED):
        op.alter_column(table_name, after, new_column_name=before)


def _rename(before: str, after: str) -> None:
    op.drop_index(f"ix_{before}_worker", before)
    op.rename_table(before, after)
    op.create_index(f"ix_{after}_worker", after, ["worker"])


def _demand_and_drop(
    table: str,
    demanded: Mapping[str, sa.types.TypeEngine[Any]],
    dropped: Mapping[str, sa.types.TypeEngine[Any]],
) -> None:
    with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True}) as changed:
        for name, kind in demanded.items():
            changed.alter_column(name, existing_type=kind, nullable=False)
        for name in dropped:
            changed.drop_column(name)


def _retype_start_of_workers(
    before: sa.types.TypeEngine[Any], after: sa.types.TypeEngine[Any]
) -> None:
    with op.batch_alter_table("workers") as workers:
        workers.alter_column("pid_started", existing_type=before, type_=after, nullable=False)
