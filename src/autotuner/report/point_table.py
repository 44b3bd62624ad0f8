"""A table of operating points, a row each, which fits terminals of 80 columns and more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.report.row_names import row_settings, short_ids

_LEAST_SETTINGS_WIDTH = 32
"""Columns that settings need beside the figures; with fewer they follow below the table."""


@dataclass(frozen=True)
class PointRow:
    """One operating point: its candidate, the cells after the id, and how the row looks."""

    candidate: str
    cells: tuple[str, ...]
    style: str | None = None


@dataclass(frozen=True)
class Candidates:
    """Candidates that a table may name: id -> settings, and the paths that are searched."""

    settings: Mapping[str, Mapping[str, Any]]
    axes: Collection[str]


def print_point_table(
    console: Console,
    title: str,
    heads: Sequence[str],
    rows: Sequence[PointRow],
    candidates: Candidates,
    *,
    short: bool = False,
) -> None:
    """Prints `title`, the settings that all rows share, and the rows with short ids.

    Args:
        heads: of the cells after the id.
        short: short names of settings.
    """
    ids = short_ids(candidates.settings)
    named = {row.candidate: candidates.settings[row.candidate] for row in rows}
    settings = row_settings(named, candidates.axes, short=short)
    if title:
        console.print(title)
    if settings.common:
        console.print(escape(f"all rows: {settings.common}"))
    varied = any(settings.own.values())
    beside = varied and _left(console, _table(heads, rows, ids, None)) >= _LEAST_SETTINGS_WIDTH
    console.print(_table(heads, rows, ids, settings.own if beside else None))
    if varied and not beside:
        console.print(_legend(ids, settings.own))


def _left(console: Console, figures: Table) -> int:
    """Columns of the terminal that are free beside the figures."""
    return console.width - console.measure(figures).maximum


def _table(
    heads: Sequence[str],
    rows: Sequence[PointRow],
    ids: Mapping[str, str],
    own: Mapping[str, str] | None,
) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("id", no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    if own is not None:
        table.add_column("settings", overflow="fold")
    for row in rows:
        told = [] if own is None else [escape(own[row.candidate])]
        table.add_row(escape(ids[row.candidate]), *row.cells, *told, style=row.style)
    return table


def _legend(ids: Mapping[str, str], own: Mapping[str, str]) -> Table:
    """Every candidate of the table once, with its settings."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("id", no_wrap=True)
    table.add_column("settings", overflow="fold")
    for candidate, text in own.items():
        table.add_row(escape(ids[candidate]), escape(text))
    return table
