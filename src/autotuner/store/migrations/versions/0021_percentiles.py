"""Predictions keep their percentiles, observations those that were measured."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TABLES = ("predictions", "observations")


def upgrade() -> None:
    for table in _TABLES:
        column = sa.Column("percentiles", sa.JSON, nullable=False, server_default="{}")
        op.add_column(table, column)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "percentiles")
