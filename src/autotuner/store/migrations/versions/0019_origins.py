"""Observations say who published them, and under which licence."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# The measured rows that aiconfigurator publishes could be imported before; their file names them.
_PUBLISHED = {"source": "silicon_sample.csv", "origin": "aiconfigurator", "licence": "Apache-2.0"}


def upgrade() -> None:
    for name, length in (("origin", 60), ("licence", 200)):
        column = sa.Column(name, sa.String(length), nullable=False, server_default="")
        op.add_column("observations", column)
    op.get_bind().execute(
        sa.text(
            "UPDATE observations SET origin = :origin, licence = :licence "
            "WHERE source = :source AND task_id IS NULL"
        ),
        _PUBLISHED,
    )


def downgrade() -> None:
    op.drop_column("observations", "licence")
    op.drop_column("observations", "origin")
