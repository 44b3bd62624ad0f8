"""Lists in any order without reading whole tables; numbers of events are never given twice."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INDICES: dict[str, tuple[str, list[str | sa.TextClause]]] = {
    "ix_tasks_v2_created_at": ("tasks_v2", ["created_at", "id"]),
    "ix_tasks_v2_updated_at": ("tasks_v2", [sa.text("coalesce(updated_at, created_at)"), "id"]),
    "ix_tasks_v2_name": ("tasks_v2", ["name", "id"]),
    "ix_tasks_v2_status_id": ("tasks_v2", ["status", "id"]),
    "ix_tasks_v2_status_created_at": ("tasks_v2", ["status", "created_at", "id"]),
    "ix_experiments_v2_standing": (
        "experiments_v2",
        ["task_id", "status", "actual_throughput_tok_s"],
    ),
}


def upgrade() -> None:
    _remake_events(sqlite_autoincrement=True)
    for name, (table, columns) in _INDICES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, (table, _) in _INDICES.items():
        op.drop_index(name, table)
    _remake_events(sqlite_autoincrement=False)


def _remake_events(*, sqlite_autoincrement: bool) -> None:
    """On SQLite the number of a deleted newest row is given anew, unless declared otherwise."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.rename_table("events", "events_before")
    op.drop_index("ix_events_task_id", "events_before")
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks_v2.id"], name="fk_events_task_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=sqlite_autoincrement,
    )
    op.create_index("ix_events_task_id", "events", ["task_id"])
    columns = "id, task_id, at, kind, payload"
    op.execute(f"INSERT INTO events ({columns}) SELECT {columns} FROM events_before")  # noqa: S608
    op.drop_table("events_before")
