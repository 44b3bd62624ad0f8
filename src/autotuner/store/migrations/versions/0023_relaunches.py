"""Candidates are launched again."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "relaunches",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("experiment_id", sa.Integer, nullable=False),
        sa.Column("launch", sa.Integer, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("selection_reason", sa.String, nullable=False),
        sa.Column("log_path", sa.String, nullable=False),
        sa.Column("failure_kind", sa.String(40)),
        sa.Column("failure_message", sa.String),
        sa.Column("log_tail", sa.String),
        sa.Column("startup_s", sa.Float),
        sa.Column("measure_s", sa.Float),
        sa.Column("began_s", sa.Float, server_default="0", nullable=False),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sa.PrimaryKeyConstraint("id", name="pk_relaunches"),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments_v2.id"],
            name="fk_relaunches_experiment_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("experiment_id", "launch", name="uq_relaunches_experiment_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("relaunches")
