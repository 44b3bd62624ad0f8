"""Predictions beside experiments, and the observations that calibration learns from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FIGURES = (
    *("ttft_ms", "tpot_ms", "tok_s", "osl"),
    *("ttft_log_std", "tpot_log_std", "tok_s_log_std"),
)
SEEN = ("isl", "osl", "ttft_ms", "tpot_ms", "tok_s", "base_ttft_ms", "base_tpot_ms")


def upgrade() -> None:
    op.add_column("experiments", sa.Column("unpredicted", sa.String()))
    op.create_table(
        "predictions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "experiment_id",
            sa.Integer(),
            sa.ForeignKey("experiments.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("devices", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in FIGURES),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("memory_gib", sa.Float()),
        sa.Column("power_w", sa.Float()),
        sa.Column("note", sa.String(), nullable=False),
        sa.UniqueConstraint("experiment_id", "kind", "concurrency"),
    )
    op.create_table(
        "observations",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("digest", sa.String(16), nullable=False, unique=True),
        sa.Column(
            "task_id", sa.Integer(), sa.ForeignKey("tasks_v2.id", ondelete="SET NULL"), index=True
        ),
        sa.Column("model", sa.String(), nullable=False, index=True),
        sa.Column("family", sa.String()),
        sa.Column("engine", sa.String(), nullable=False, index=True),
        sa.Column("engine_version", sa.String()),
        sa.Column("device", sa.String(), nullable=False, index=True),
        sa.Column("devices", sa.Integer(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in SEEN),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("launch", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime()),
    )


def downgrade() -> None:
    op.drop_table("observations")
    op.drop_table("predictions")
    op.drop_column("experiments", "unpredicted")
