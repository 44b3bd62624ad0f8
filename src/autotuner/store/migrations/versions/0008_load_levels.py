"""Stored tasks that leave their load levels out say those that were the default until now."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LEVELS = [1, 4, 8]


def upgrade() -> None:
    def with_levels(benchmark: dict[str, Any]) -> dict[str, Any]:
        return {"concurrency": _LEVELS} | benchmark

    _rewrite(with_levels)


def downgrade() -> None:
    def without_levels(benchmark: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in benchmark.items() if (k, v) != ("concurrency", _LEVELS)}

    _rewrite(without_levels)


def _rewrite(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Changes what tasks say of their benchmark; a replay takes the levels of its table."""
    tasks = sa.table("tasks_v2", sa.column("id", sa.Integer()), sa.column("config", sa.JSON()))
    connection = op.get_bind()
    for key, config in connection.execute(sa.select(tasks.c.id, tasks.c.config)).all():
        if not isinstance(config, dict) or config.get("deployment_mode") == "replay":
            continue
        rest = {name: value for name, value in config.items() if name != "benchmark"}
        benchmark = change(config.get("benchmark") or {})
        changed = rest | {"benchmark": benchmark} if benchmark else rest
        if changed != config:
            connection.execute(tasks.update().where(tasks.c.id == key).values(config=changed))
