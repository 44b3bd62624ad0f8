"""Engines and how they express settings: engines list, show, coverage."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from autotuner.cli.output import out, print_json
from autotuner.engines import ENGINES, FieldMapping, engine_named
from autotuner.report.documents import (
    coverage_document,
    engine_document,
    engine_row,
    flags_by_field,
)

MARKS = {"implied": "follows", "task": "task", "no": "no"}


def engines_list(*, as_json: bool) -> None:
    """`autotuner engines list`."""
    rows = list(map(engine_row, ENGINES))
    if as_json:
        print_json({"engines": rows})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("engine", "title", "flags as of", "models", "here"):
        table.add_column(title)
    for row in rows:
        here = row["origin"] if row["found"] else "not installed"
        cells = (row["name"], row["title"], row["table_version"], row["model_format"], here)
        table.add_row(*(escape(str(cell)) for cell in cells))
    out().print(table)


def engines_show(name: str, *, version: str | None, as_json: bool) -> None:
    """`autotuner engines show`."""
    document = engine_document(name, version)
    if as_json:
        print_json(document)
        return
    title = f"{engine_named(name).table.title} {document['version']}"
    shown = Table(box=None, padding=(0, 2, 0, 0), title=title)
    for title in ("field", "how", "expressed as", "note"):
        shown.add_column(title, overflow="fold")
    for row in document["fields"]:
        shown.add_row(*(escape(cell) for cell in row.values()))
    out().print(shown)


def engines_coverage(*, as_json: bool, markdown: bool) -> None:
    """`autotuner engines coverage`."""
    if as_json:
        print_json(coverage_document())
        return
    by_field = flags_by_field()
    if markdown:
        print(coverage_markdown(by_field))
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("field", *ENGINES):
        table.add_column(title, overflow="fold")
    for path, row in by_field.items():
        table.add_row(escape(path), *(escape(cell_text(flag)) for flag in row.values()))
    out().print(table)
    out().print("task: describes the task; follows: other settings decide; no: `engines show` says")


def coverage_markdown(by_field: dict[str, dict[str, FieldMapping]]) -> str:
    """The matrix as a Markdown table; reasons are numbered notes under it."""
    engines = list(next(iter(by_field.values())))
    lines = [f"| field | {' | '.join(engines)} |", f"|---|{'---|' * len(engines)}"]
    notes: list[str] = []
    for path, row in by_field.items():
        cells = []
        for flag in row.values():
            text = cell_text(flag)
            cell = text if text in MARKS.values() else f"`{text}`"
            if flag.note and flag.how != "task":
                if flag.note not in notes:
                    notes.append(flag.note)
                cell += f" [{notes.index(flag.note) + 1}]"
            cells.append(cell)
        lines.append(f"| `{path}` | {' | '.join(cells)} |")
    footnotes = [f"{number}. {note}" for number, note in enumerate(notes, start=1)]
    return "\n".join([*lines, "", *footnotes])


def cell_text(flag: FieldMapping) -> str:
    """One cell: the flag, key or variable, or a word for why there is none."""
    return MARKS.get(flag.how) or flag.name
