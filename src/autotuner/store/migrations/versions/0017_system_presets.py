"""The presets that v1's database had from the start."""

import sqlalchemy as sa
from alembic import op

from autotuner.store.v1.system_presets import add_system_presets, system_presets

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TABLE = "parameter_presets"


def upgrade() -> None:
    add_system_presets(op.get_bind())


def downgrade() -> None:
    presets = sa.table(_TABLE, sa.column("name"), sa.column("is_system"))
    names = [preset["name"] for preset in system_presets()]
    op.execute(presets.delete().where(presets.c.is_system, presets.c.name.in_(names)))
    connection = op.get_bind()
    if connection.scalar(sa.select(sa.func.count()).select_from(presets)):
        return
    # Nothing is left that a number could be mistaken for: counting begins anew.
    if connection.dialect.name == "sqlite":
        op.execute(f"DELETE FROM sqlite_sequence WHERE name = '{_TABLE}'")  # noqa: S608
    else:
        op.execute(f"SELECT setval(pg_get_serial_sequence('{_TABLE}', 'id'), 1, false)")
