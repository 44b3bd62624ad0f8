"""`autotuner explain-performance`: where the time of a configuration goes, and what would help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autotuner.cli.commands.plan import kept_store, prepare_file
from autotuner.cli.commands.show import chosen_task, open_existing
from autotuner.cli.home import state_folder
from autotuner.cli.output import out, print_json
from autotuner.config import LoadKind, LoadLevel
from autotuner.errors import AutotunerError
from autotuner.profiles import USERS, registry_with
from autotuner.report.performance_terminal import print_performance
from autotuner.report.point_table import candidate_named
from autotuner.store import Store, TaskRecord
from autotuner.tuning.history import at_stored_levels
from autotuner.tuning.performance import PointChoice, performance_of
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.stored_task import prepared_again


@dataclass(frozen=True)
class AskedPoint:
    """The point that the command line asks about.

    Attributes:
        task: a task file, the number of a stored task, or None for the newest one.
        load: of the kind of the task's load levels.
    """

    task: str | None
    candidate: str | None = None
    point: int | None = None
    load: float | None = None


def explain_performance(
    asked: AskedPoint, *, home: Path | None, as_json: bool, short: bool = False
) -> None:
    """Explains a point of a stored task, or of a task file.

    Raises:
        AutotunerError: no such task or point, or nothing is known of it.
    """
    if asked.candidate is not None and asked.point is not None:
        raise AutotunerError("--candidate and --point do not go together; keep one")
    folder = state_folder(home)
    if asked.task is not None and not asked.task.isdecimal():
        prepared = prepare_file(Path(asked.task), folder)
        with kept_store(folder) as store:
            prepared = at_stored_levels(prepared, store)
            newest = None if store is None else store.tasks.newest(prepared.content_id)
            _explain(prepared, folder, store, newest, asked, as_json=as_json, short=short)
        return
    with open_existing(home) as store:
        task = chosen_task(store, None if asked.task is None else int(asked.task))
        prepared = _prepared(task, folder)
        _explain(prepared, folder, store, task, asked, as_json=as_json, short=short)


def _prepared(task: TaskRecord, home: Path) -> Prepared:
    try:
        return prepared_again(task, home, registry_with(home / USERS))
    except AutotunerError as error:
        raise AutotunerError(
            f"task {task.id} cannot be resolved any more: {error}",
            remedy="give its task file in place of its number",
        ) from None


def _explain(
    prepared: Prepared,
    home: Path,
    store: Store | None,
    task: TaskRecord | None,
    asked: AskedPoint,
    *,
    as_json: bool,
    short: bool,
) -> None:
    found = performance_of(prepared, home, store, task).explained(_choice(asked, prepared))
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print_performance(found, out(), prepared.axes, short=short)


def _choice(asked: AskedPoint, prepared: Prepared) -> PointChoice:
    candidate = asked.candidate
    if candidate is not None:
        ids = [one.id for one in prepared.space.candidates]
        candidate = candidate_named(candidate, ids, option="--candidate", where="the task")
    return PointChoice(candidate, asked.point, _load(asked.load, prepared))


def _load(value: float | None, prepared: Prepared) -> LoadLevel | None:
    if value is None:
        return None
    levels = prepared.task.benchmark.levels
    kind = levels[0].kind if levels else LoadKind.CONCURRENCY
    try:
        return LoadLevel(kind, value)
    except ValueError as error:
        raise AutotunerError(f"--load: {error}") from None
