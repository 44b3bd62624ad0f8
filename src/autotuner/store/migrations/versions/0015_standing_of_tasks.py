"""Columns that lists of tasks and experiments read in place of documents.

The launches and the mark of a replay follow from documents that are there; what follows from
measurements is filled when a task goes on, or by the service.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ROWS = 1000
_NAMES = {
    "tasks_v2": ("is_replay", "launches", "best", "expected_wall_s"),
    "experiments_v2": ("frontier_points",),
}


def upgrade() -> None:
    mark: sa.Column[bool] = sa.Column(
        "is_replay", sa.Boolean(), server_default=sa.false(), nullable=False
    )
    op.add_column("tasks_v2", mark)
    op.add_column("tasks_v2", sa.Column("launches", sa.Integer()))
    op.add_column("tasks_v2", sa.Column("best", sa.JSON()))
    op.add_column("tasks_v2", sa.Column("expected_wall_s", sa.Float()))
    points: sa.Column[int] = sa.Column(
        "frontier_points", sa.Integer(), server_default="0", nullable=False
    )
    op.add_column("experiments_v2", points)
    _derive()


def downgrade() -> None:
    for table, names in _NAMES.items():
        for name in names:
            op.drop_column(table, name)


def _derive() -> None:
    connection = op.get_bind()
    names = ("id", "config", "plan", "is_replay", "launches")
    tasks = sa.table("tasks_v2", *(sa.column(name) for name in names))
    query = sa.select(tasks.c.id, tasks.c.config, tasks.c.plan).order_by(tasks.c.id)
    change = tasks.update().where(tasks.c.id == sa.bindparam("row"))
    last = 0
    while rows := connection.execute(query.where(tasks.c.id > last).limit(_ROWS)).all():
        last = rows[-1].id
        found = [{"row": key, **_derived(_read(config), _read(plan))} for key, config, plan in rows]
        connection.execute(
            change.values(is_replay=sa.bindparam("replay"), launches=sa.bindparam("most")), found
        )


def _read(document: Any) -> dict[str, Any]:
    found = json.loads(document) if isinstance(document, str) else document
    return found if isinstance(found, dict) else {}


def _derived(config: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    candidates = plan.get("candidates")
    budget = ((config.get("optimization") or {}).get("budget") or {}).get("experiments")
    most = None if candidates is None else min(candidates, budget or candidates)
    return {"replay": config.get("deployment_mode") == "replay", "most": most}
