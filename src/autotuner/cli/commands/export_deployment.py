"""`autotuner export --format compose` and its like: the engine of a point as files to deploy."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from autotuner.cli.commands.show import chosen_task, open_existing
from autotuner.cli.output import out, print_json, refuse_unwritable
from autotuner.config import parse_stored_task
from autotuner.deploy import (
    DeployedEngine,
    DeployFileText,
    DeployFormat,
    ExportWishes,
    chosen_point,
    deployed_engine,
    format_fits,
)
from autotuner.errors import AutotunerError
from autotuner.report.html import write_aside
from autotuner.sizing import ServiceLevel, Traffic, TrafficError, deployment
from autotuner.store import Store, TaskRecord
from autotuner.tuning.replicas import ReplicaWishes, stored_replicas
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import TaskSummary


@dataclass(frozen=True)
class DeploymentWishes:
    """Point, target and replicas as the command line gives them."""

    point: str | None
    target_version: str | None
    replicas: int | None
    rate: float | None
    users: float | None
    image: str | None
    program: str | None
    listing: bool

    def refuse_for_table(self, form: str) -> None:
        """Refuses options of a deployment, where results are written.

        Raises:
            AutotunerError: names the option.
        """
        for option, value in (
            ("--point", self.point),
            ("--target-version", self.target_version),
            ("--replicas", self.replicas),
            ("--rate", self.rate),
            ("--users", self.users),
            ("--image", self.image),
            ("--program", self.program),
        ):
            if value is not None:
                raise AutotunerError(
                    f"{option} {value}: {form} has all points of the task, and deploys none",
                    remedy="leave it out, or take a format of `autotuner export --list`",
                )


def write_deployment(
    number: int | None,
    form: DeployFormat,
    wishes: DeploymentWishes,
    *,
    home: Path | None,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Writes the files of a format.

    Raises:
        AutotunerError: no such task, point or version, the format does not fit, or a file is there.
    """
    with open_existing(home) as store:
        task = chosen_task(store, number)
        summary = summarise(store, task)
        engine = _engine(store, task, summary, wishes)
    files = form.files(engine, wishes.target_version)
    if output is None:
        sys.stdout.write(_stream(files))
        return
    places = _places(files, output)
    for place in places:
        refuse_existing(place, force=force)
    for file, place in zip(files, places, strict=True):
        with refuse_unwritable(place):
            write_aside(place, file.text)
    if as_json:
        print_json(
            {
                "task": task.id,
                "format": form.name,
                "point": engine.provenance.point,
                "replicas": engine.replicas,
                "files": [str(place) for place in places],
                "replay": task.replay,
            }
        )
        return
    for place in places:
        out().print(escape(str(place)), soft_wrap=True)


def list_formats(
    number: int | None, wishes: DeploymentWishes, *, home: Path | None, as_json: bool
) -> None:
    """Prints which formats fit the engine of the point, and why the others do not.

    Raises:
        AutotunerError: no such task or point, or a task in which nothing succeeded.
    """
    with open_existing(home) as store:
        task = chosen_task(store, number)
        summary = summarise(store, task)
        engine = _engine(store, task, summary, wishes)
    fits = format_fits(engine)
    if as_json:
        print_json(
            {
                "task": task.id,
                "engine": engine.parts.table.name,
                "image": engine.image,
                "formats": [fit.document() for fit in fits],
            }
        )
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("format", "fits", "versions", "makes, or why not"):
        table.add_column(title)
    for fit in fits:
        text = fit.form.summary if fit.why_not is None else fit.why_not
        yes = "no" if fit.why_not else "yes"
        table.add_row(fit.form.name, yes, ", ".join(fit.versions), escape(text))
    out().print(table)


def refuse_existing(place: Path, *, force: bool) -> None:
    """Refuses to replace a file unasked.

    Raises:
        AutotunerError: it is there.
    """
    if place.exists() and not force:
        raise AutotunerError(
            f"--output: {place} is there already", remedy="give another place, or --force"
        )


def _engine(
    store: Store, task: TaskRecord, summary: TaskSummary, wishes: DeploymentWishes
) -> DeployedEngine:
    replicas = wishes.replicas
    asked = {"--replicas": replicas, "--rate": wishes.rate, "--users": wishes.users}
    given = [name for name, value in asked.items() if value is not None]
    if len(given) > 1:
        raise AutotunerError(f"{' and '.join(given)} are given", remedy="give one of them")
    if wishes.rate is not None or wishes.users is not None:
        candidate = chosen_point(summary, wishes.point).experiment
        replicas = _sized(store, task, candidate, wishes)
    asked_of = ExportWishes(wishes.point, replicas, wishes.image, wishes.program)
    return deployed_engine(summary, asked_of, v1_task_id=task.v1_task_id)


def _sized(store: Store, task: TaskRecord, candidate: str, wishes: DeploymentWishes) -> int:
    """The replicas of a candidate that hold the traffic within the task's SLO."""
    config = parse_stored_task(task.config, source=f"task {task.id}")
    try:
        traffic = Traffic(wishes.rate, wishes.users)
    except TrafficError as error:
        raise AutotunerError(f"--{error.field}: {error}") from None
    limits = config.slo_limits()
    known = stored_replicas(store, task, config, ReplicaWishes(limits))
    found = next((one for one in known.found if one.candidate == candidate), None)
    made = None if found is None else deployment(found.replica, ServiceLevel(traffic, limits))
    if made is None:
        raise AutotunerError(
            f"{candidate} holds no load within the limits of the task",
            remedy="name another --point, or give --replicas; `autotuner size` says which hold it",
        )
    return made.replicas


def _places(files: tuple[DeployFileText, ...], output: Path) -> list[Path]:
    """The file itself where there is one; several, or one into a folder that is there, inside."""
    if len(files) == 1 and not output.is_dir():
        return [output]
    if output.exists() and not output.is_dir():
        raise AutotunerError(
            f"--output: {output} is no folder, and there are {len(files)} files",
            remedy="give a folder",
        )
    return [output / file.name for file in files]


def _stream(files: tuple[DeployFileText, ...]) -> str:
    """One file as it is; several one after the other, each below a line with its name."""
    if len(files) == 1:
        return files[0].text
    return "\n".join(f"# ==== {file.name} ====\n{file.text}" for file in files)
