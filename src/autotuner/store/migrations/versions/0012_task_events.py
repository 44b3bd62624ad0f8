"""Events of a task's beginning and end are called after the task."""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KINDS = {"run_started": "task_started", "run_ended": "task_ended"}


def upgrade() -> None:
    _rename(_KINDS)


def downgrade() -> None:
    _rename({new: old for old, new in _KINDS.items()})


def _rename(kinds: Mapping[str, str]) -> None:
    events = sa.table("events", sa.column("kind", sa.String))
    for old, new in kinds.items():
        op.execute(events.update().where(events.c.kind == old).values(kind=new))
