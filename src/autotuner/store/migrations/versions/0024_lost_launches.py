"""Launches keep the seconds that were lost with their machines."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_TABLES = ("experiments_v2", "relaunches")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("lost_s", sa.Float, nullable=False, server_default="0"))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "lost_s")
