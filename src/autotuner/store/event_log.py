"""The events of all tasks, by their numbers: for whoever follows them from some number on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, or_, select

from autotuner.store.schema import EventRow
from autotuner.store.sessions import Sessions

_EVENTS = EventRow.__table__.c


class Happened(NamedTuple):
    """Something that happened in a task. `id` grows, and is never given twice."""

    id: int
    task_id: int
    at: datetime
    kind: str
    payload: dict[str, Any]


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
    limit: int,
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


def _first(sessions: Sessions, *conditions: ColumnElement[bool], limit: int) -> list[Happened]:
    query = select(*(_EVENTS[name] for name in Happened._fields)).where(*conditions)
    with sessions.reading() as session:
        found = session.connection().execute(query.order_by(_EVENTS.id).limit(limit)).all()
    return [Happened(*row) for row in found]
