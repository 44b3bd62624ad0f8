"""Workers say how busy their machine is."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workers", sa.Column("usage", sa.JSON))


def downgrade() -> None:
    op.drop_column("workers", "usage")
