"""Removing many rows without keeping anybody else from writing for long."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, inspect, select, tuple_

from autotuner.store.schema import Base
from autotuner.store.sessions import Sessions

_AT_ONCE = 2_000
"""Rows of one transaction: some milliseconds on SQLite, where others wait for it."""


def in_pieces(sessions: Sessions, table: type[Base], *conditions: ColumnElement[bool]) -> int:
    """Removes the rows that meet all conditions, some at a time; returns how many."""
    keys = inspect(table).primary_key
    some = select(*keys).where(*conditions).limit(_AT_ONCE)
    gone, there = 0, _AT_ONCE
    while there == _AT_ONCE:
        with sessions.writing() as session:
            change = delete(table).where(tuple_(*keys).in_(some.subquery().select()))
            there = session.connection().execute(change).rowcount
        gone += there
    return gone
