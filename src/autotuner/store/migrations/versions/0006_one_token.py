"""Predictions and observations without TPOT: of answers of one token each."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COLUMNS = {"predictions": ("tpot_ms",), "observations": ("tpot_ms", "base_tpot_ms")}


def upgrade() -> None:
    _allow_null(allow=True)


def downgrade() -> None:
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.execute(f"DELETE FROM {table} WHERE {column} IS NULL")  # noqa: S608 - own names
    _allow_null(allow=False)


def _allow_null(*, allow: bool) -> None:
    for table, columns in _COLUMNS.items():
        with op.batch_alter_table(table, reflect_kwargs={"resolve_fks": False}) as batch:
            for column in columns:
                batch.alter_column(column, existing_type=sa.Float(), nullable=allow)
