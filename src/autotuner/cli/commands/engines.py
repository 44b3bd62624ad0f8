"""What engines there are and how they say things: engines list, show, coverage."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.markup import escape
from rich.table import Table

from autotuner.cli.output import out, print_json
from autotuner.engines import ENGINES, Saying, checked_version, engine_named
from autotuner.errors import AutotunerError

MARKS = {"implied": "follows", "task": "task", "no": "no"}


def installed(name: str) -> dict[str, Any]:
    """Whether an engine is on this machine: where, or what stands in the way."""
    try:
        found = ENGINES[name].find(None)
    except AutotunerError as error:
        return {"name": name, "found": False, "problem": error.message, "remedy": error.remedy}
    return {"name": name, "found": True, "version": found.version, "origin": found.origin}


def engines_list(*, as_json: bool) -> None:
    """`autotuner engines list`."""
    rows = [
        {
            **installed(name),
            "title": engine.table.title,
            "table_version": engine.table.version,
            "model_format": engine.table.model_format,
            "source": engine.table.source,
        }
        for name, engine in ENGINES.items()
    ]
    if as_json:
        print_json({"engines": rows})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("engine", "title", "flags as of", "models", "here"):
        table.add_column(title)
    for row in rows:
        here = row["origin"] if row["found"] else "not installed"
        told = (row["name"], row["title"], row["table_version"], row["model_format"], here)
        table.add_row(*(escape(str(cell)) for cell in told))
    out().print(table)


def engines_show(name: str, *, version: str | None, as_json: bool) -> None:
    """`autotuner engines show`."""
    table = engine_named(name).table
    version = table.version if version is None else checked_version(version)
    sayings = table.sayings(version)
    if as_json:
        fields = [_row(saying) for saying in sayings]
        print_json({"engine": name, "version": version, "source": table.source, "fields": fields})
        return
    shown = Table(box=None, padding=(0, 2, 0, 0), title=f"{table.title} {version}")
    for title in ("field", "how", "said as", "note"):
        shown.add_column(title, overflow="fold")
    for saying in sayings:
        shown.add_row(*(escape(cell) for cell in asdict(saying).values()))
    out().print(shown)


def engines_coverage(*, as_json: bool, markdown: bool) -> None:
    """`autotuner engines coverage`."""
    sayings = {name: engine.table.sayings() for name, engine in ENGINES.items()}
    fields = [saying.path for saying in next(iter(sayings.values()))]
    by_field = {
        path: {name: rows[place] for name, rows in sayings.items()}
        for place, path in enumerate(fields)
    }
    if as_json:
        print_json(
            {
                "engines": {name: engine.table.version for name, engine in ENGINES.items()},
                "fields": {
                    path: {name: _row(saying) for name, saying in row.items()}
                    for path, row in by_field.items()
                },
            }
        )
        return
    if markdown:
        print(coverage_markdown(by_field))
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("field", *sayings):
        table.add_column(title, overflow="fold")
    for path, row in by_field.items():
        table.add_row(escape(path), *(escape(cell_text(saying)) for saying in row.values()))
    out().print(table)
    out().print("task: describes the task; follows: other settings decide; no: `engines show` says")


def coverage_markdown(by_field: dict[str, dict[str, Saying]]) -> str:
    """The matrix as a Markdown table; reasons are numbered notes under it."""
    engines = list(next(iter(by_field.values())))
    lines = [f"| field | {' | '.join(engines)} |", f"|---|{'---|' * len(engines)}"]
    notes: list[str] = []
    for path, row in by_field.items():
        cells = []
        for saying in row.values():
            text = cell_text(saying)
            cell = text if text in MARKS.values() else f"`{text}`"
            if saying.note and saying.how != "task":
                if saying.note not in notes:
                    notes.append(saying.note)
                cell += f" [{notes.index(saying.note) + 1}]"
            cells.append(cell)
        lines.append(f"| `{path}` | {' | '.join(cells)} |")
    told = [f"{number}. {note}" for number, note in enumerate(notes, start=1)]
    return "\n".join([*lines, "", *told])


def cell_text(saying: Saying) -> str:
    """One cell: the flag, key or variable, or a word for why there is none."""
    return MARKS.get(saying.how) or saying.name


def _row(saying: Saying) -> dict[str, str]:
    return {"field": saying.path, "how": saying.how, "name": saying.name, "note": saying.note}
