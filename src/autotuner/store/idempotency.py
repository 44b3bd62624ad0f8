"""Answers that were given to requests with an Idempotency-Key, so that repeating one does nothing.

A key belongs to who asks for what (`scope`). It is taken before the request is carried out, and the
answer is kept with it afterwards. A key whose time is over is free, whether or not it has been
removed: `forget_old` does that, beside the requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from autotuner.store.schema import IdempotencyRow
from autotuner.store.sessions import Sessions, delete_in_batches

KEPT = timedelta(hours=24)
"""How long an answer is kept."""
UNANSWERED = timedelta(minutes=5)
"""After so long, a request without an answer was of a service that has died."""
MOST_KEPT = 50_000
"""Answers kept at the most; the oldest go first."""
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True)
class KeptAnswer:
    """Use of a key. `status` and `answer` are None while it is being answered."""

    fingerprint: str
    status: int | None
    answer: dict[str, Any] | None


def take(
    sessions: Sessions, scope: str, key: str, fingerprint: str, now: datetime
) -> KeptAnswer | None:
    """None where the key is now the caller's; else what it was used for."""
    values = {"scope": scope, "key": key, "fingerprint": fingerprint, "created_at": now}
    anew = {**values, "status": None, "answer": null()}
    with sessions.writing() as session:
        insert = _INSERT[session.connection().dialect.name](IdempotencyRow).values(**values)
        mine = insert.on_conflict_do_update(
            index_elements=["scope", "key"], set_=anew, where=_is_over(now)
        ).returning(IdempotencyRow.key)
        if session.execute(mine).first() is not None:
            return None
        found = session.scalars(select(IdempotencyRow).where(_is(scope, key))).one()
        return KeptAnswer(found.fingerprint, found.status, found.answer)


def keep(sessions: Sessions, scope: str, key: str, status: int, answer: dict[str, Any]) -> None:
    """Keeps the answer that the request with that key got."""
    with sessions.writing() as session:
        change = update(IdempotencyRow).where(_is(scope, key))
        session.execute(change.values(status=status, answer=answer))


def give_back(sessions: Sessions, scope: str, key: str) -> None:
    """Frees a key: its request did nothing, and may be sent again."""
    with sessions.writing() as session:
        session.execute(delete(IdempotencyRow).where(_is(scope, key)))


def _is(scope: str, key: str) -> Any:
    return and_(IdempotencyRow.scope == scope, IdempotencyRow.key == key)


def forget_old(sessions: Sessions, now: datetime) -> int:
    """Removes keys whose time is over, and the oldest beyond `MOST_KEPT`; returns how many."""
    made = IdempotencyRow.created_at
    gone = delete_in_batches(sessions, IdempotencyRow, made < now - KEPT)
    gone += delete_in_batches(sessions, IdempotencyRow, made < now - UNANSWERED, _is_over(now))
    surplus = select(made).order_by(made.desc()).offset(MOST_KEPT).limit(1)
    with sessions.reading() as session:
        last = session.scalar(surplus)
    return (
        gone if last is None else gone + delete_in_batches(sessions, IdempotencyRow, made <= last)
    )


def _is_over(now: datetime) -> ColumnElement[bool]:
    made = IdempotencyRow.created_at
    dead = and_(IdempotencyRow.status.is_(None), made < now - UNANSWERED)
    return or_(made < now - KEPT, dead)
