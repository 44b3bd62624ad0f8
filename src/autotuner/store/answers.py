"""Answers that are given again for as long as nothing was written to their database.

A list that many browsers ask for is the same nearly every time. To find out that nothing was
written takes a twentieth of the time of a page.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple, TypeVar

from autotuner.store.database import translated_errors
from autotuner.store.sessions import Sessions

Answer = TypeVar("Answer")
_KEPT = "autotuner.answers"
_MOST = 64
"""Answers that a connection keeps: those to the newest questions."""


class _Kept(NamedTuple):
    """An answer, and the mark that its connection had just before it was asked for."""

    mark: Hashable
    answer: Any


def answered(sessions: Sessions, question: Hashable, ask: Callable[[], Answer]) -> Answer:
    """Answer of `ask`, or the one that it gave before, if nothing was written since.

    Args:
        question: whatever determines the answer, apart from the database.

    Raises:
        StoreError: the database cannot be reached.
    """
    engine = sessions.engine
    # The mapper's connection would take ten times as long as the question for the mark.
    with translated_errors(sessions.name):
        connection = engine.raw_connection()
    try:
        kept: OrderedDict[Hashable, _Kept] = connection.info.setdefault(_KEPT, OrderedDict())
        mark = _MARKS[engine.dialect.name](connection.dbapi_connection)
    except engine.dialect.dbapi.Error:  # type: ignore[union-attr]
        # What is wrong with the database is said by whoever asks the question itself.
        return ask()
    finally:
        connection.close()
    found = kept.get(question)
    if found is None or found.mark != mark:
        # The mark came first: an answer may be newer than its mark, and is then asked for again.
        found = kept[question] = _Kept(mark, ask())
        while len(kept) > _MOST:
            kept.popitem(last=False)
    answer: Answer = found.answer
    return answer


def _sqlite_mark(connection: Any) -> Hashable:
    """Version of what others have committed, and the count of rows that this one has changed."""
    return connection.execute("PRAGMA data_version").fetchone()[0], connection.total_changes


def _postgresql_mark(connection: Any) -> Hashable:
    """Which transactions are visible: each that has written anything has a number of its own."""
    connection.autocommit = True
    try:
        return str(connection.execute("SELECT pg_current_snapshot()::text").fetchone()[0])
    finally:
        connection.autocommit = False


_MARKS: Mapping[str, Callable[[Any], Hashable]] = {
    "sqlite": _sqlite_mark,
    "postgresql": _postgresql_mark,
}
