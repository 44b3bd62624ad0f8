"""When an experiment began within its run, and why it was cut short."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("experiments", sa.Column("cut_short", sa.String()))
    op.add_column(
        "experiments", sa.Column("began_s", sa.Float(), nullable=False, server_default="0")
    )
    connection = op.get_bind()
    query = "SELECT id, task_id, startup_s, measure_s FROM experiments ORDER BY task_id, idx"
    change = sa.text("UPDATE experiments SET began_s = :began_s WHERE id = :id")
    ended_s: dict[int, float] = {}
    for id_, run, startup_s, measure_s in connection.execute(sa.text(query)).all():
        # Until now one followed the other.
        began_s = ended_s.get(run, 0.0)
        connection.execute(change, {"began_s": began_s, "id": id_})
        ended_s[run] = began_s + (startup_s or 0.0) + (measure_s or 0.0)


def downgrade() -> None:
    op.drop_column("experiments", "began_s")
    op.drop_column("experiments", "cut_short")
