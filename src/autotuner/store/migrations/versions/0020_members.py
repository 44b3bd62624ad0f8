"""Observations say what each predictor of a blend said."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("members", sa.JSON(), nullable=False, server_default="{}")
    op.add_column("observations", column)


def downgrade() -> None:
    op.drop_column("observations", "members")
