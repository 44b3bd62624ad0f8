"""The predicted frontier of a task's whole space is kept with it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "predicted_frontiers",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", name="pk_predicted_frontiers"),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["tasks_v2.id"],
            name="fk_predicted_frontiers_task_id",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("predicted_frontiers")
