"""Names for rows that are moved here, where some are taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table

from autotuner.store.row_numbers import found_in


def free_names(
    connection: Connection,
    names: Mapping[int, str],
    taken_by: Table,
    name: str,
    *,
    numbered: str = "{} ({})",
    reserved: Collection[str] = (),
) -> dict[int, str]:
    """Names as they are where they are free, else with a number behind them.

    Args:
        numbered: form of a name with its number; the name is cut where a column ends.
        reserved: names that are never free.
    """
    most = getattr(taken_by.c[name].type, "length", None)
    taken = {*reserved, *found_in(connection, taken_by.c[name], list(set(names.values())))}
    found: dict[int, str] = {}
    for place, given in names.items():
        free, number = given, 2
        while free in taken or (free != given and _is_taken(connection, taken_by.c[name], free)):
            room = None if most is None else most - len(numbered.format("", number))
            free, number = numbered.format(given[:room], number), number + 1
        taken.add(free)
        found[place] = free
    return found


def _is_taken(connection: Connection, of: ColumnElement[Any], name: str) -> bool:
    return bool(list(found_in(connection, of, [name])))
