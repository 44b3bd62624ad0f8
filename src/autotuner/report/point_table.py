"""Operating points on the terminal: short names of candidates, a table and a plot."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.errors import AutotunerError
from autotuner.report.points import PlotPoint, settings_text
from autotuner.search.axes import describe_settings

SHORTEST = 7
"""Hex digits of a short id, as Git prints them: among 3,000 candidates two share their first
seven in 2 % of all spaces."""
_LISTED = 6


def short_ids(ids: Collection[str]) -> dict[str, str]:
    """Id -> its shortest prefix of `SHORTEST` characters or more that names no other of `ids`."""
    ordered = sorted(set(ids))
    shared = [0] * (len(ordered) + 1)
    for index in range(1, len(ordered)):
        shared[index] = _shared_length(ordered[index - 1], ordered[index])
    return {
        one: one[: max(SHORTEST, shared[index] + 1, shared[index + 1] + 1)]
        for index, one in enumerate(ordered)
    }


def candidate_named(prefix: str, ids: Collection[str], *, option: str, where: str) -> str:
    """The only id that begins with `prefix`.

    Args:
        option: how the user gave it: `--candidate`.
        where: where the ids are from, for the message: `this task`, `run 3`.

    Raises:
        AutotunerError: no id begins with it, or several do; names them.
    """
    found = sorted({one for one in ids if prefix and one.startswith(prefix.lower())})
    if prefix.lower() in found:
        return prefix.lower()
    if len(found) == 1:
        return found[0]
    if found:
        raise AutotunerError(
            f"{option}: {prefix!r} begins {len(found)} candidates of {where}: {_listed(found)}",
            remedy="give more digits",
        )
    raise AutotunerError(
        f"{option}: {prefix!r} is no candidate of {where}",
        remedy=f"its candidates: {_listed(sorted(set(ids)))}" if ids else "",
    )


@dataclass(frozen=True)
class RowSettings:
    """Settings of the rows of one table.

    Attributes:
        common: those of every row, as text; empty where no setting is shared.
        own: candidate -> the settings in which it differs from other rows, as text.
    """

    common: str
    own: Mapping[str, str]


def row_settings(
    rows: Mapping[str, Mapping[str, Any]], axes: Collection[str], *, short: bool = False
) -> RowSettings:
    """Splits the searched settings of a table's candidates into common ones and own ones.

    Args:
        rows: candidate -> its settings, by path.
        axes: paths that are searched; all others are the same anyway.
        short: say `TP 8, sequences 64` in place of `tensor_parallel=8 max_running_requests=64`.
    """
    own = [path for path in varied_paths(rows.values()) if path in axes]
    first = next(iter(rows.values()), {})
    shared = [path for path in first if path in axes and path not in own]
    text = _short_text if short else _full_text
    return RowSettings(
        common=text({p: first[p] for p in shared}),
        own={key: text({p: s[p] for p in own if p in s}) for key, s in rows.items()},
    )


def varied_paths(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Paths of the settings in which rows differ, in the order of the settings."""
    values: dict[str, set[str]] = {}
    found = list(rows)
    for path in dict.fromkeys(path for settings in found for path in settings):
        values[path] = {repr(settings.get(path)) for settings in found}
    return [path for path, seen in values.items() if len(seen) > 1]


def has_gpu_column(gpus: Iterable[int]) -> bool:
    """Whether a table needs a column of GPU counts: where a row has more than one."""
    return max(gpus, default=0) > 1


def _shared_length(one: str, other: str) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


def _listed(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_LISTED])
    return shown if len(ids) <= _LISTED else f"{shown}, and {len(ids) - _LISTED} more"


def _short_text(settings: Mapping[str, Any]) -> str:
    return describe_settings(settings)


def _full_text(settings: Mapping[str, Any]) -> str:
    return settings_text(settings, settings.keys()) if settings else ""


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
        cells = [] if own is None else [escape(own[row.candidate])]
        table.add_row(escape(ids[row.candidate]), *row.cells, *cells, style=row.style)
    return table


def _legend(ids: Mapping[str, str], own: Mapping[str, str]) -> Table:
    """Every candidate of the table once, with its settings."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("id", no_wrap=True)
    table.add_column("settings", overflow="fold")
    for candidate, text in own.items():
        table.add_row(escape(ids[candidate]), escape(text))
    return table


_DOMINATED, _FRONTIER, _RECOMMENDED = ".", "o", "*"


def plot_lines(
    points: Sequence[PlotPoint], *, x: str, y: str, width: int = 60, height: int = 14
) -> list[str]:
    """Lines of at most `width` + 10 characters; empty where there is nothing to draw.

    Args:
        x, y: quantities of `PlotPoint.values`, drawn from 0.
    """
    points = [point for point in points if x in point.values and y in point.values]
    if not points:
        return []
    most_x = max(point.values[x] for point in points) * 1.02
    most_y = max(point.values[y] for point in points) * 1.02
    grid = [[" "] * width for _ in range(height)]
    # What matters most is drawn last, over what shares its place.
    for point in sorted(points, key=lambda p: (p.recommended, p.on_frontier)):
        column = min(int(point.values[x] / most_x * width), width - 1)
        row = min(int(point.values[y] / most_y * height), height - 1)
        glyph = _FRONTIER if point.on_frontier else _DOMINATED
        grid[height - 1 - row][column] = _RECOMMENDED if point.recommended else glyph
    lines = []
    for index, row_of_glyphs in enumerate(grid):
        value = most_y * (height - index) / height
        tick = f"{value:8.4g}" if index % 4 == 0 else " " * 8
        lines.append(f"{tick} |{''.join(row_of_glyphs)}".rstrip())
    lines.append(" " * 8 + " +" + "-" * width)
    middle, right = f"{most_x / 2:.4g}", f"{most_x:.4g}"
    ruler = "0".ljust(width // 2) + middle.ljust(width // 2 - len(right)) + right
    lines.append(" " * 10 + ruler)
    return lines
