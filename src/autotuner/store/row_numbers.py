"""Numbers of rows that are written many at a time, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, select, text

_AT_ONCE = 500
MOST = 2**31 - 1
"""The largest number of a row on both databases."""
T = TypeVar("T")


def take_numbers(connection: Connection, table: Table, count: int, *, behind: int = 0) -> list[int]:
    """Numbers for new rows, which nobody else is given.

    Args:
        behind: a number that is written as well: the next ones are greater.
    """
    if connection.dialect.name == "postgresql":
        sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
        if behind:
            following = f"SELECT setval({sequence}, greatest(:behind, nextval({sequence})))"
            connection.execute(text(following), {"behind": behind})
        query = f"SELECT nextval({sequence}) FROM generate_series(1, :count)"  # noqa: S608
        return list(connection.scalars(text(query), {"count": count}))
    # The transaction holds SQLite's lock: nobody inserts meanwhile.
    given = text("SELECT max(seq) FROM sqlite_sequence WHERE name = :name")
    newest = connection.scalar(given, {"name": table.name}) or 0
    highest = connection.scalar(select(table.c.id).order_by(table.c.id.desc()).limit(1)) or 0
    first = max(int(newest), int(highest), behind) + 1
    return list(range(first, first + count))


def wanted_or_new(connection: Connection, table: Table, wanted: Sequence[int]) -> list[int]:
    """The numbers that are wanted where they are free and fit, and new ones in place of others."""
    fit = [number for number in wanted if 0 < number <= MOST]
    free = set(fit) - set(found_in(connection, table.c.id, fit))
    others = len(wanted) - len(free)
    new = iter(take_numbers(connection, table, others, behind=max(free, default=0)))
    return [number if number in free else next(new) for number in wanted]


def found_in(
    connection: Connection, column: ColumnElement[Any], values: Sequence[T]
) -> Iterator[T]:
    """Those of the values that a column has."""
    for some in chunks(values):
        yield from connection.scalars(select(column).where(column.in_(some)))


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as a database takes in one question."""
    for place in range(0, len(values), _AT_ONCE):
        yield values[place : place + _AT_ONCE]
