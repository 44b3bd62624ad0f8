"""`autotuner export`: a task in another form."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from autotuner.cli.commands.export_deployment import (
    DeploymentWishes,
    list_formats,
    refuse_existing,
    refuse_other_kind,
    write_deployment,
)
from autotuner.cli.commands.show import chosen_task, open_existing
from autotuner.cli.output import out, print_json, refuse_unwritable
from autotuner.config import nearest
from autotuner.deploy import FORMATS
from autotuner.errors import AutotunerError
from autotuner.landscapes import landscape_csv
from autotuner.report.exports import commands_shell, points_csv
from autotuner.report.html import write_aside
from autotuner.store import Store, TaskRecord
from autotuner.tuning.recording import landscape_of
from autotuner.tuning.summarise import summarise


@dataclass(frozen=True)
class _Exported:
    """A task in one form: its text, and how many launches and rows it has."""

    text: str
    launches: int
    rows: int


def _landscape(store: Store, task: TaskRecord) -> _Exported:
    landscape = landscape_of(store, task)
    text = landscape_csv(landscape)
    return _Exported(text, len(landscape.launches), _rows(text))


def _csv(store: Store, task: TaskRecord) -> _Exported:
    summary = summarise(store, task)
    text = points_csv(summary)
    return _Exported(text, len(summary.experiments), _rows(text))


def _json(store: Store, task: TaskRecord) -> _Exported:
    summary = summarise(store, task)
    document = summary.model_dump(mode="json")
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    rows = sum(len(experiment.measurements) for experiment in summary.experiments)
    return _Exported(text, len(summary.experiments), rows)


def _rows(table: str) -> int:
    return sum(1 for _ in csv.reader(io.StringIO(table))) - 1


def _frontier(store: Store, task: TaskRecord) -> _Exported:
    summary = summarise(store, task)
    return _Exported(commands_shell(summary), len(summary.experiments), len(summary.frontier))


TABLES: dict[str, Callable[[Store, TaskRecord], _Exported]] = {
    "csv": _csv,
    "json": _json,
    "frontier": _frontier,
    "landscape": _landscape,
}


_ENDINGS = {
    "csv": (".csv",),
    "json": (".json",),
    "frontier": (".sh",),
    "landscape": (".csv",),
}


@dataclass(frozen=True)
class TableWishes:
    """Format and place of an export."""

    form: str
    output: Path | None
    force: bool
    as_json: bool


def export(
    number: int | None, *, home: Path | None, wishes: TableWishes, deployment: DeploymentWishes
) -> None:
    """Writes the task, or the engine of one of its points, to a file, a folder or stdout.

    Raises:
        AutotunerError: an unknown form, a file that is there already, no such task or point, or
            a task in which nothing succeeded.
    """
    form, output = wishes.form, wishes.output
    if deployment.listing:
        list_formats(number, deployment, home=home, as_json=wishes.as_json)
        return
    known = [*FORMATS, *TABLES]
    if form not in known:
        raise AutotunerError(f"--format: {form!r} is unknown; {nearest(form, known)}")
    if wishes.as_json and output is None:
        raise AutotunerError("--json needs --output FILE: stdout cannot hold both documents")
    if form in FORMATS:
        write_deployment(
            number,
            FORMATS[form],
            deployment,
            home=home,
            output=output,
            force=wishes.force,
            as_json=wishes.as_json,
        )
        return
    deployment.refuse_for_table(form)
    if output is not None:
        refuse_other_kind(output, *_ENDINGS[form], ".gz")
        refuse_existing(output, force=wishes.force)
    with open_existing(home) as store:
        task = chosen_task(store, number)
        exported = TABLES[form](store, task)
    text = exported.text
    if output is None:
        sys.stdout.write(text)
        return
    with refuse_unwritable(output):
        packed = output.suffix == ".gz"
        write_aside(output, gzip.compress(text.encode(), mtime=0) if packed else text)
    launches, rows = exported.launches, exported.rows
    if wishes.as_json:
        written = {"task": task.id, "file": str(output), "launches": launches, "rows": rows}
        print_json(written | {"replay": task.replay})
    else:
        out().print(escape(f"{output}: {launches} launches, {rows} rows"), soft_wrap=True)
