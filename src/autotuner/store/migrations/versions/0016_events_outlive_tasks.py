"""Events outlive their task: its last one says that it was deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KEY = "fk_events_task_id"
_COLUMNS = "id, task_id, at, kind, payload"
_INDICES = {
    "ix_events_task_id": ["task_id"],
    "ix_events_at": ["at"],
    "ix_events_task_id_kind": ["task_id", "kind"],
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _remake_events()
        return
    for key in sa.inspect(op.get_bind()).get_foreign_keys("events"):
        op.drop_constraint(str(key["name"]), "events", type_="foreignkey")


def downgrade() -> None:
    op.execute("DELETE FROM events WHERE task_id NOT IN (SELECT id FROM tasks_v2)")
    if op.get_bind().dialect.name == "sqlite":
        key = sa.ForeignKeyConstraint(["task_id"], ["tasks_v2.id"], _KEY, ondelete="CASCADE")
        _remake_events(key)
        return
    op.create_foreign_key(_KEY, "events", "tasks_v2", ["task_id"], ["id"], ondelete="CASCADE")


def _remake_events(*references: sa.ForeignKeyConstraint) -> None:
    """The table with these references in place of those it has; SQLite changes none in place.

    The newest events may be gone: the number that the next one is given is kept too.
    """
    connection = op.get_bind()
    counted = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
    newest = connection.execute(counted).scalar()
    op.create_table(
        "events_made",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        *references,
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO events_made ({_COLUMNS}) SELECT {_COLUMNS} FROM events")  # noqa: S608
    op.drop_table("events")
    op.rename_table("events_made", "events")
    for name, columns in _INDICES.items():
        op.create_index(name, "events", columns)
    if newest is not None:
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
        sequence = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
        op.execute(sequence.insert().values(name="events", seq=newest))
