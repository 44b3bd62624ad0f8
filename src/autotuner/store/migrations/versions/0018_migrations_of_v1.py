"""Records of what was moved here from databases of version 1."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "migrations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_sha256", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime()),
        sa.Column("report", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_migrations"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "migrated_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("migration_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("source_table", sa.String(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("v1_id", sa.Integer()),
        sa.Column("v2_task_id", sa.Integer()),
        sa.Column("profile", sa.String(200)),
        sa.Column("account", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_migrated_rows"),
        sa.UniqueConstraint("identity", name="uq_migrated_rows_identity"),
        sa.ForeignKeyConstraint(
            ["migration_id"], ["migrations.id"], "fk_migrated_rows_migration_id"
        ),
        sqlite_autoincrement=True,
    )
    for name, columns in {
        "ix_migrated_rows_migration_id": ["migration_id"],
        "ix_migrated_rows_v2_task_id": ["v2_task_id"],
        "ix_migrated_rows_kind_v1_id": ["kind", "v1_id"],
    }.items():
        op.create_index(name, "migrated_rows", columns)


def downgrade() -> None:
    op.drop_table("migrated_rows")
    op.drop_table("migrations")
