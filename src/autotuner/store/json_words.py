"""How each database writes JSON itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, literal_column
from sqlalchemy.dialects.postgresql import JSON


@dataclass(frozen=True)
class JsonWords:
    """A database's words for JSON.

    Attributes:
        build: makes a mapping of names and values in turn.
        moment: a time in UTC as ISO 8601 with microseconds and `Z`.
        json: what is JSON already, as such and not as text.
        lines: the texts of all rows as one, in their order, with line feeds between.
    """

    build: Callable[..., ColumnElement[Any]]
    moment: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    json: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    lines: Callable[[ColumnElement[str]], ColumnElement[Any]]

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


def _sqlite_lines(column: ColumnElement[str]) -> ColumnElement[Any]:
    return func.group_concat(column, literal_column("char(10)"))


def _postgresql_lines(column: ColumnElement[str]) -> ColumnElement[Any]:
    return func.string_agg(column, literal_column("chr(10)"))


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
