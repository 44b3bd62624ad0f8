"""What happened in the run of a v1 task: the text of its log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from autotuner.store.schema import EventRow
from autotuner.store.sessions import Sessions


@dataclass(frozen=True)
class RunEvent:
    """An event of a v2 task, with its number: later ones have larger ones."""

    id: int
    at: datetime
    kind: str
    payload: dict[str, Any]


def events_after(sessions: Sessions, run_id: int, after: int) -> tuple[RunEvent, ...]:
    """The events of a v2 task beyond the one of that number, in order."""
    query = (
        select(EventRow.id, EventRow.at, EventRow.kind, EventRow.payload)
        .where(EventRow.task_id == run_id, EventRow.id > after)
        .order_by(EventRow.id)
    )
    with sessions.reading() as session:
        return tuple(RunEvent(*row) for row in session.execute(query))
