"""Sessions of browsers that signed in with a token."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "browser_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_browser_sessions"),
        sa.UniqueConstraint("sha256", name="uq_browser_sessions_sha256"),
        sa.ForeignKeyConstraint(
            ["token_id"], ["tokens.id"], name="fk_browser_sessions_token_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    for column in ("token_id", "expires_at"):
        op.create_index(f"ix_browser_sessions_{column}", "browser_sessions", [column])


def downgrade() -> None:
    op.drop_table("browser_sessions")
