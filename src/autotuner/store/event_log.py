"""Events of all tasks, numbered: added as they happen, and read from some number on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, or_, select

from autotuner.store.records import EventRecord
from autotuner.store.schema import EventRow
from autotuner.store.sessions import Sessions, retried

_EVENTS = EventRow.__table__.c
TASK_DELETED = "task_deleted"
"""Kind of the one event that is left of a task."""


class Happened(NamedTuple):
    """Something that happened in a task. `id` grows, and is never given twice."""

    id: int
    task_id: int
    at: datetime
    kind: str
    payload: dict[str, Any]


class EventStore:
    """Adds and reads the events of a task; each call a transaction."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @retried
    def add_event(
        self, task_id: int, kind: str, payload: dict[str, Any], *, ephemeral: bool = False
    ) -> None:
        """Notes that something happened.

        Args:
            ephemeral: what came before it of its kind in that task is out of date, and goes.
        """
        with self._sessions.writing() as session:
            if ephemeral:
                before = (EventRow.task_id == task_id) & (EventRow.kind == kind)
                session.execute(delete(EventRow).where(before))
            now = datetime.now(UTC)
            session.add(EventRow(task_id=task_id, at=now, kind=kind, payload=payload))

    @retried
    def events(self, task_id: int) -> tuple[EventRecord, ...]:
        """A task's events in order."""
        query = select(EventRow).where(EventRow.task_id == task_id).order_by(EventRow.id)
        with self._sessions.reading() as session:
            return tuple(EventRecord(r.at, r.kind, r.payload) for r in session.scalars(query))


def newest_ids(sessions: Sessions, most: int) -> list[int]:
    """The numbers of the newest events, rising."""
    query = select(_EVENTS.id).order_by(_EVENTS.id.desc()).limit(most)
    with sessions.reading() as session:
        return sorted(session.connection().execute(query).scalars())


def events_after(
    sessions: Sessions,
    after: int,
    *,
    task_id: int | None = None,
    until: int | None = None,
    limit: int | None = None,
) -> list[Happened]:
    """The first events with a greater number than `after`, of one task or of all.

    Args:
        until: the greatest number asked for.
    """
    conditions = [_EVENTS.id > after]
    if task_id is not None:
        conditions.append(_EVENTS.task_id == task_id)
    if until is not None:
        conditions.append(_EVENTS.id <= until)
    return _first(sessions, *conditions, limit=limit)


def events_new(
    sessions: Sessions, after: int, late: Collection[int], *, limit: int
) -> list[Happened]:
    """Events behind `after`, and those of the numbers in `late` that have come meanwhile."""
    behind = _EVENTS.id > after
    return _first(sessions, or_(behind, _EVENTS.id.in_(late)) if late else behind, limit=limit)


def _first(
    sessions: Sessions, *conditions: ColumnElement[bool], limit: int | None
) -> list[Happened]:
    query = select(*(_EVENTS[name] for name in Happened._fields)).where(*conditions)
    with sessions.reading() as session:
        found = session.connection().execute(query.order_by(_EVENTS.id).limit(limit)).all()
    return [Happened(*row) for row in found]
