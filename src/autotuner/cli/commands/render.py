"""`autotuner render`: the command lines of a task's candidates, or of what a task found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.cli.commands.plan import prepare_file
from autotuner.cli.commands.show import chosen_task, open_existing
from autotuner.cli.home import state_folder
from autotuner.cli.output import print_json
from autotuner.config import Candidate, load_task
from autotuner.engines import DEFAULT_PORT
from autotuner.errors import AutotunerError
from autotuner.report.command import command_fields, unserved_warning
from autotuner.report.point_table import candidate_named
from autotuner.report.points import settings_text
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import PointView, TaskSummary


@dataclass(frozen=True)
class Wanted:
    """Which command lines to print.

    Attributes:
        engine: only of candidates on this engine.
        candidate: an id of a candidate, or how it begins.
        task: a task's number: of what it launched in place of what a task holds.
        point: number of a row of the task's frontier, from 1.
        best: the recommended point of the task, or of the newest.
    """

    engine: str | None = None
    candidate: str | None = None
    task: int | None = None
    point: int | None = None
    best: bool = False

    @property
    def of_a_run(self) -> bool:
        """Whether a task is asked, not a task file alone."""
        return self.best or self.task is not None or self.point is not None


def render(path: Path | None, wanted: Wanted, *, home: Path | None, as_json: bool) -> None:
    """Prints the command lines; those of a task where `wanted` names one, or its best.

    Raises:
        AutotunerError: options that do not go together, or no such candidate, run or point.
    """
    if wanted.of_a_run:
        _refuse_mixed(path, wanted)
        rows = _of_run(path, wanted, home)
    elif path is None:
        raise AutotunerError(
            "what to render is missing",
            remedy="give a task file, --best for the newest task's recommended point, or --task ID",
        )
    else:
        rows = _of_task(path, wanted, home)
    if as_json:
        print_json({"candidates": [row for row, _ in rows]})
        return
    for row, label in rows:
        print(f"# {row['id']} {label}")
        if warning := unserved_warning(row["command"]):
            print(f"# {warning}")
        print(row["command"])


def _refuse_mixed(path: Path | None, wanted: Wanted) -> None:
    chosen = [
        option
        for option, given in (
            ("--candidate", wanted.candidate is not None),
            ("--point", wanted.point is not None),
            ("--best", wanted.best),
        )
        if given
    ]
    if len(chosen) > 1:
        raise AutotunerError(f"{' and '.join(chosen)} do not go together; keep one")
    if wanted.engine is not None:
        raise AutotunerError(
            "--engine chooses among the candidates of a task file, not of a task",
            remedy="leave it out, or leave --task, --best and --point out",
        )
    if path is not None and wanted.task is not None:
        raise AutotunerError("a task file and --task do not go together; keep one")


def _of_task(path: Path, wanted: Wanted, home: Path | None) -> list[tuple[dict[str, Any], str]]:
    prepared = prepare_file(path, state_folder(home), engine=wanted.engine)
    specs = prepared.space.specs
    chosen = prepared.space.candidates
    if wanted.candidate is not None:
        only = candidate_named(wanted.candidate, specs, option="--candidate", where="this task")
        chosen = tuple(c for c in chosen if c.id == only)
    return [(_rendered(prepared, c), settings_text(c.settings(), prepared.axes)) for c in chosen]


def _rendered(prepared: Prepared, candidate: Candidate) -> dict[str, Any]:
    spec = prepared.space.specs[candidate.id]
    return {
        "id": candidate.id,
        "settings": candidate.settings(),
        **command_fields(prepared, spec, candidate.settings()),
        "argv": list(spec.argv_for(DEFAULT_PORT)),
        "env": dict(spec.env),
        "files": dict(spec.files),
        "image": spec.image,
        "mounts": {mount.source: mount.target for mount in spec.mounts},
    }


def _of_run(
    path: Path | None, wanted: Wanted, home: Path | None
) -> list[tuple[dict[str, Any], str]]:
    summary = _summary(path, wanted.task, home)
    where = f"task {summary.task.id}"
    if wanted.candidate is not None:
        launched = {experiment.id: experiment for experiment in summary.experiments}
        key = candidate_named(wanted.candidate, launched, option="--candidate", where=where)
        found = launched[key]
        row = {
            "id": key,
            "settings": found.settings,
            "command": found.command,
            "engine_command": found.engine_command,
            "unserved": found.unserved,
        }
        return [(row, settings_text(found.settings, summary.task.axes))]
    return [_point_row(point, summary) for point in _points(summary, wanted, where)]


def _summary(path: Path | None, number: int | None, home: Path | None) -> TaskSummary:
    with open_existing(home) as store:
        if path is not None:
            found = store.tasks.newest(load_task(path).content_id)
            if found is None:
                raise AutotunerError(
                    f"{path} has no task yet",
                    remedy="`autotuner tune` makes one; `autotuner predict` says what to expect",
                )
            number = found.id
        return summarise(store, chosen_task(store, number))


def _points(summary: TaskSummary, wanted: Wanted, where: str) -> Sequence[PointView]:
    frontier = summary.frontier
    if not frontier and summary.recommended is None:
        raise AutotunerError(
            f"{where} measured no operating point: it has no frontier",
            remedy=f"`autotuner show {summary.task.id}` says why",
        )
    if wanted.best:
        return [summary.recommended] if summary.recommended else frontier[:1]
    if wanted.point is None:
        return frontier
    if not 1 <= wanted.point <= len(frontier):
        raise AutotunerError(
            f"--point: {where} has no point {wanted.point}",
            remedy=f"its frontier has points 1 to {len(frontier)}; "
            f"`autotuner show {summary.task.id}` lists them",
        )
    return [frontier[wanted.point - 1]]


def _point_row(point: PointView, summary: TaskSummary) -> tuple[dict[str, Any], str]:
    row = {
        "id": point.experiment,
        "settings": point.settings,
        "command": point.command,
        "unserved": point.unserved,
        "load": point.load.to_json(),
    }
    label = settings_text(point.settings, summary.task.axes)
    return row, f"{label} at {point.load.long}"
