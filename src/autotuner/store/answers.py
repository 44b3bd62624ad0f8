"""Answers that a connection gives again for as long as nothing was written to its database.

A list that many browsers ask for is the same nearly every time. To find out that nothing was
written takes a twentieth of the time of a page.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

Answer = TypeVar("Answer")
_KEPT = "autotuner.answers"
_MOST = 64
"""Answers that a connection keeps: those that were asked for last."""


@dataclass
class _Kept:
    """Answers of one connection, all from since the same write."""

    mark: Hashable = None
    answers: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)


def answered(connection: Connection, question: Hashable, ask: Callable[[], Answer]) -> Answer:
    """Answer of `ask`, or the one that it gave before, if nothing was written since.

    Args:
        connection: at the beginning of a transaction, or without one.
        question: whatever determines the answer, apart from the database.
    """
    kept: _Kept = connection.info.setdefault(_KEPT, _Kept())
    # The mark comes first: an answer may be newer than its mark, and is then asked for once more.
    mark = _MARKS[connection.dialect.name](connection)
    if kept.mark != mark:
        kept.mark = mark
        kept.answers.clear()
    if question not in kept.answers:
        kept.answers[question] = ask()
        if len(kept.answers) > _MOST:
            kept.answers.popitem(last=False)
    kept.answers.move_to_end(question)
    found: Answer = kept.answers[question]
    return found


def _sqlite_mark(connection: Connection) -> Hashable:
    """Version of what others have committed, and the count of rows that this one has changed."""
    own = connection.connection.dbapi_connection.total_changes  # type: ignore[union-attr]
    return connection.exec_driver_sql("PRAGMA data_version").scalar(), own


def _postgresql_mark(connection: Connection) -> Hashable:
    """Which transactions are visible: one that has written anything has a number of its own."""
    return connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar()


_MARKS: Mapping[str, Callable[[Connection], Hashable]] = {
    "sqlite": _sqlite_mark,
    "postgresql": _postgresql_mark,
}
