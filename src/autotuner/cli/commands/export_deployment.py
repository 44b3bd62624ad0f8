"""`autotuner export --format compose` and its like: the engine of a point as files to deploy."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from autotuner.cli.commands.show import chosen_task, open_existing
from autotuner.cli.home import state_folder
from autotuner.cli.output import out, print_json, refuse_unwritable
from autotuner.deploy import (
    DeployedEngine,
    DeployFileText,
    DeployFormat,
    ExportWishes,
    LaunchSource,
    deployed_engine,
    format_fits,
    is_predicted,
    predicted_sources,
    sized_wishes,
)
from autotuner.errors import AutotunerError
from autotuner.profiles import USERS, registry_with
from autotuner.report.html import write_aside
from autotuner.store import Store, TaskRecord
from autotuner.tuning.replicas import replicas_within_slo
from autotuner.tuning.stored_task import estimate_again, prepared_again
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import TaskSummary

_YAML = (".yaml", ".yml")
_ENDINGS = (
    *_YAML,
    *(".sh", ".service", ".json", ".csv", ".html", ".txt", ".gz", ".tgz", ".tar", ".zip"),
)
"""Endings by which files are taken for what they are; any other may be a part of a name."""


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
    api_key: bool
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
            ("--api-key", "" if self.api_key else None),
        ):
            if value is not None:
                named = f"{option} {value}".strip()
                raise AutotunerError(
                    f"{named}: {form} has all points of the task, and deploys none",
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
        engine = _engine(store, task, summary, wishes, home)
    name = "" if output is None or output.is_dir() else output.name
    given = "" if output is None else str(output)
    files = form.files(engine, wishes.target_version, named=name, output=given)
    if output is None:
        sys.stdout.write(_only(files, form, engine).text)
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
                "measured": engine.provenance.measured,
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
        engine = _engine(store, task, summary, wishes, home)
    fits = format_fits(engine)
    if as_json:
        print_json(
            {
                "task": task.id,
                "engine": engine.parts.table.name,
                "point": engine.provenance.point,
                "measured": engine.provenance.measured,
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


def refuse_other_kind(output: Path, *endings: str) -> None:
    """Refuses a name that ends like a file of another kind.

    Args:
        endings: those of the kind, the usual one first; an empty one for a folder.

    Raises:
        AutotunerError: names the ending that fits.
    """
    given = output.suffix.lower()
    if given not in _ENDINGS or given in {same for one in endings for same in _alike(one)}:
        return
    what = f"a file of {endings[0]}" if endings[0] else "a folder for several files"
    raise AutotunerError(
        f"--output: {output} ends in {output.suffix}, and this is {what}",
        remedy=f"give {output.with_suffix(endings[0])}",
    )


def _alike(ending: str) -> tuple[str, ...]:
    return _YAML if ending in _YAML else (ending,)


def _engine(
    store: Store,
    task: TaskRecord,
    summary: TaskSummary,
    wishes: DeploymentWishes,
    home: Path | None,
) -> DeployedEngine:
    asked = ExportWishes(
        wishes.point,
        wishes.replicas,
        wishes.image,
        wishes.program,
        api_key=wishes.api_key,
        rate=wishes.rate,
        users=wishes.users,
    )
    asked = sized_wishes(asked, summary, lambda: replicas_within_slo(store, task))
    sources: tuple[LaunchSource, ...] = ()
    if wishes.point is not None and is_predicted(wishes.point):
        folder = state_folder(home)
        prepared = prepared_again(task, folder, registry_with(folder / USERS))
        estimate = estimate_again(prepared, folder, store)
        sources = predicted_sources(summary, prepared, estimate, wishes.point)
    return deployed_engine(summary, asked, v1_task_id=task.v1_task_id, predicted=sources)


def _places(files: tuple[DeployFileText, ...], output: Path) -> list[Path]:
    """The file itself where there is one; several, or one into a folder that is there, inside."""
    if len(files) == 1 and not output.is_dir():
        refuse_other_kind(output, Path(files[0].name).suffix)
        return [output]
    if not output.is_dir():
        refuse_other_kind(output, "")
    if output.exists() and not output.is_dir():
        raise AutotunerError(
            f"--output: {output} is no folder, and there are {len(files)} files",
            remedy="give a folder",
        )
    return [output / file.name for file in files]


def _only(
    files: tuple[DeployFileText, ...], form: DeployFormat, engine: DeployedEngine
) -> DeployFileText:
    """The one file, which is what stdout can hold.

    Raises:
        AutotunerError: there are several.
    """
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise AutotunerError(
            f"--format {form.name} writes {len(files)} files here ({names}), and stdout holds one",
            remedy=f"give --output and a folder: --output {engine.name}",
        )
    return files[0]
