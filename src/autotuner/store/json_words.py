"""How each database writes JSON itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, literal_column
from sqlalchemy.dialects.postgresql import JSON, aggregate_order_by


@dataclass(frozen=True)
class JsonWords:
    """A database's words for JSON.

    Attributes:
        build: makes a mapping of names and values in turn.
        moment: a time in UTC as ISO 8601 with microseconds and `Z`.
        json: what is JSON already, as such and not as text.
        lines: the texts of all rows as one, in the order that is asked for, with line feeds
            between. The order of a subquery alone is none that a database has to keep.
    """

    build: Callable[..., ColumnElement[Any]]
    moment: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    json: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    lines: Callable[[ColumnElement[str], Sequence[ColumnElement[Any]]], ColumnElement[Any]]

    def mapping(self, values: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
        """A mapping of these names, which are our own and hold no quotes, to values."""
        named: Iterator[tuple[ColumnElement[Any], ...]] = (
            (literal_column(f"'{name}'"), value) for name, value in values.items()
        )
        return self.build(*itertools.chain.from_iterable(named))


def _sqlite_moment(column: ColumnElement[Any]) -> ColumnElement[Any]:
    text = func.replace(cast(column, Text), literal_column("' '"), literal_column("'T'"))
    return text.op("||")(literal_column("'Z'"))


def _postgresql_moment(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.to_char(column, literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""))


def _sqlite_lines(
    column: ColumnElement[str], order: Sequence[ColumnElement[Any]]
) -> ColumnElement[Any]:
    # ORDER BY within an aggregate came with SQLite 3.44; a window takes one before that too. Every
    # row has the whole text then: who asks takes one.
    joined = func.group_concat(column, literal_column("char(10)"))
    return joined.over(order_by=order, rows=(None, None))


def _postgresql_lines(
    column: ColumnElement[str], order: Sequence[ColumnElement[Any]]
) -> ColumnElement[Any]:
    return func.string_agg(column, aggregate_order_by(literal_column("chr(10)"), *order))


WORDS: Mapping[str, JsonWords] = {
    "sqlite": JsonWords(func.json_object, _sqlite_moment, func.json, _sqlite_lines),
    "postgresql": JsonWords(
        func.json_build_object,
        _postgresql_moment,
        lambda value: cast(value, JSON),
        _postgresql_lines,
    ),
}
"""Name of a dialect -> its words."""
