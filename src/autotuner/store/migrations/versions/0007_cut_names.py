"""Observations of models whose names earlier versions cut at a dot are no longer trusted.

The folder `Llama-3.1-8B-Instruct` was the model `Llama-3`, and so was `Llama-3.2-3B-Instruct`: what
was seen of one corrected predictions of the other.
"""

import json
import logging
import re
from pathlib import PurePath
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

REASON = "the model's name was cut at a dot, and other models may have had the same"
# A name that is cut ends before a dot, and the versions in names have digits on both sides of it.
# Endings of GGUF files' formats (Q4_0) are none.
_MAY_BE_CUT = re.compile(r"^[^/]*\d$")
_FORMAT = re.compile(r"(?i)q\d_\d$")


def upgrade() -> None:
    with op.batch_alter_table("observations", reflect_kwargs={"resolve_fks": False}) as batch:
        batch.add_column(sa.Column("not_trusted", sa.Text(), nullable=True))
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT observations.id, observations.model, observations.tool, tasks_v2.config "
            "FROM observations LEFT JOIN tasks_v2 ON tasks_v2.id = observations.task_id"
        )
    ).all()
    marked = [row.id for row in rows if _is_cut(row.model, row.tool, row.config)]
    for place in marked:
        change = sa.text("UPDATE observations SET not_trusted = :why WHERE id = :place")
        connection.execute(change, {"why": REASON, "place": place})
    if marked:
        logging.getLogger("autotuner.store").warning(
            "%d stored observations correct no prediction any more: %s", len(marked), REASON
        )


def downgrade() -> None:
    with op.batch_alter_table("observations", reflect_kwargs={"resolve_fks": False}) as batch:
        batch.drop_column("not_trusted")


def _is_cut(model: str, tool: str, config: Any) -> bool:
    """Whether a name is, or without its task may be, that of a folder without its end."""
    document = json.loads(config) if isinstance(config, str) else config
    written = document.get("model") if isinstance(document, dict) else None
    if isinstance(written, dict) and written.get("path"):
        path = PurePath(str(written["path"]))
        is_folder = path.suffix.lower() != ".gguf"
        return is_folder and model == path.stem and model != path.name
    if isinstance(written, dict):
        return False
    may_be = bool(_MAY_BE_CUT.match(model)) and not _FORMAT.search(model)
    return tool == "autotuner" and may_be
