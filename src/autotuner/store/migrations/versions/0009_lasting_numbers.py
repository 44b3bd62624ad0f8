"""Numbers of rows are never given twice; events and answers are found by age.

On SQLite the number of the newest row is given anew when that row goes, unless its table was made
with AUTOINCREMENT: a task had the number, and the ETags, of one that was deleted.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NUMBERED = (
    *("tasks_v2", "experiments_v2", "measurements", "predictions", "observations"),
    *("engine_processes", "tokens", "tasks", "experiments", "parameter_presets"),
)
_INDICES = {
    "ix_events_at": ("events", ["at"]),
    "ix_events_task_id_kind": ("events", ["task_id", "kind"]),
    "ix_idempotency_keys_created_at": ("idempotency_keys", ["created_at"]),
}
_PASSING = "('predicting', 'level_progress')"
_KEY = re.compile(r"PRIMARY KEY \(\"?id\"?( AUTOINCREMENT)?\)")


def upgrade() -> None:
    op.execute(
        f"DELETE FROM events WHERE kind IN {_PASSING} AND id NOT IN "  # noqa: S608 - own words
        "(SELECT max(id) FROM events GROUP BY task_id, kind)"
    )
    for name, (table, columns) in _INDICES.items():
        op.create_index(name, table, columns)
    _remake_numbered("PRIMARY KEY (id AUTOINCREMENT)")


def downgrade() -> None:
    _remake_numbered("PRIMARY KEY (id)")
    for name, (table, _) in _INDICES.items():
        op.drop_index(name, table)


def _remake_numbered(key: str) -> None:
    """Each table with that key: made beside the old one, filled, and put in its place.

    Foreign keys are not enforced meanwhile (see `store.database.migrate`): what refers to a table
    refers to the new one of its name.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    for table in _NUMBERED:
        made = connection.execute(
            sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :table AND sql <> ''"),
            {"table": table},
        ).all()
        (definition,) = (sql for kind, sql in made if kind == "table")
        columns = definition[definition.index("(") :]
        op.execute(sa.text(_escaped(f"CREATE TABLE {table}_made {_KEY.sub(key, columns)}")))
        op.execute(f"INSERT INTO {table}_made SELECT * FROM {table}")  # noqa: S608 - own names
        op.execute(f"DROP TABLE {table}")
        op.execute(f"ALTER TABLE {table}_made RENAME TO {table}")
        for kind, sql in made:
            if kind == "index":
                op.execute(sa.text(_escaped(sql)))


def _escaped(sql: str) -> str:
    """A colon begins a parameter otherwise."""
    return sql.replace(":", r"\:")
