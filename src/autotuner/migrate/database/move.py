"""Moves a database of version 1 into a store: in batches, each of them wholly or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from autotuner.errors import MigrationError
from autotuner.migrate.database.accounts import account_of
from autotuner.migrate.database.cells import described
from autotuner.migrate.database.choice import PRESETS, TASKS, UnitChoice
from autotuner.migrate.database.converting import (
    MOST_TASKS,
    TaskBatch,
    TaskConversion,
    batches,
    converted,
)
from autotuner.migrate.database.observed import Observer
from autotuner.migrate.database.presets import moved_preset
from autotuner.migrate.database.report import Report
from autotuner.migrate.database.source import SourceRow, V1Source
from autotuner.migrate.draft import Done, Note
from autotuner.profiles import BASE, BUILTIN
from autotuner.store import Store
from autotuner.store.v1.migrations import Migrations
from autotuner.store.v1.moved import KeptRow, MovedPreset, MoveOutcome
from autotuner.store.v1.moving import keep_rows, write_tasks
from autotuner.store.v1.moving_presets import (
    presets_here,
    put_system_presets_aside,
    write_presets,
)
from autotuner.store.v1.system_presets import system_presets

Progress = Callable[[int, int], None]
T = TypeVar("T")


def preview(
    source: V1Source,
    choice: UnitChoice,
    observe: Observer,
    progress: Progress = lambda done, of: None,
    *,
    engine: str | None = None,
) -> Report:
    """Report of what `move` would do in an empty database; nothing is written."""
    report = Report(source.name, source.sha256)
    total = source.counts().tasks
    for batch in batches(source, TaskConversion(choice, engine), observe):
        for task in batch.tasks:
            report.add(task, MoveOutcome.MOVED)
        _count(batch, report, progress, total)
    for preset in _presets(source, choice):
        report.add(preset, MoveOutcome.MOVED)
    if _has_presets(source, choice):
        report.deleted_presets = _system_presets_without(source)
    for row in _others(source, choice):
        report.add(row, MoveOutcome.MOVED)
    return report


def move(
    source: V1Source,
    store: Store,
    choice: UnitChoice,
    observe: Observer,
    progress: Progress = lambda done, of: None,
    *,
    engine: str | None = None,
) -> tuple[int, Report]:
    """Moves what is chosen and not here yet; the number of the migration, and what it did.

    Killed at any moment, it has moved whole batches; called again, it goes on behind them.

    Args:
        engine: of tasks whose runtime's own name means none; without, the one that was named when
            a task was moved before, else it is looked for in the rest of the task. Tasks that are
            here with another one are moved anew.

    Raises:
        StoreError: the database cannot be written; what was moved until then is there.
    """
    report = Report(source.name, source.sha256)
    migrations, sessions = Migrations(store.sessions), store.sessions
    number = migrations.begin(source.name, source.sha256)
    total = source.counts().tasks
    with converted(source, TaskConversion(choice, engine, migrations.engines()), observe) as made:
        for batch in made:
            found = write_tasks(sessions, number, batch.tasks)
            for task, written in zip(batch.tasks, found, strict=True):
                report.add(task, written.outcome)
            _count(batch, report, progress, total)
            batch.tasks.clear()  # or whoever looks for garbage goes through all of them
    if _has_presets(source, choice):
        put_system_presets_aside(sessions, number)
    for presets in _some(_presets(source, choice)):
        found = write_presets(sessions, number, presets, reserved=(BASE, *BUILTIN))
        for preset, written in zip(presets, found, strict=True):
            report.add(preset, written.outcome)
    if _has_presets(source, choice):
        names = _system_presets_without(source)
        report.other_presets = list(presets_here(sessions, names))
        report.deleted_presets = [name for name in names if name not in report.other_presets]
    for rows in _some(_others(source, choice)):
        for row, written in zip(rows, keep_rows(sessions, number, rows), strict=True):
            report.add(row, written.outcome)
    migrations.end(number, report.to_json())
    return number, report


def _count(batch: TaskBatch, report: Report, progress: Progress, total: int) -> None:
    for _ in range(batch.skipped):
        report.skip(TASKS)
    progress(batch.read, total)


def require_chosen(source: V1Source, choice: UnitChoice) -> None:
    """Raises where a choice names what the source does not have.

    Raises:
        MigrationError: names it.
    """
    wanted = [one for one in choice.only if one not in (TASKS, PRESETS)]
    if not wanted:
        return
    left = set(wanted)
    for task in source.tasks():
        left -= {one for one in left if UnitChoice((one,)).has(task.row)}
    if left:
        raise MigrationError(
            f"--only {sorted(left)[0]}: {source.name} has no such task",
            remedy="give a task's number, a pattern of its name such as 'llama*', tasks or presets",
        )


def _has_presets(source: V1Source, choice: UnitChoice) -> bool:
    return choice.has_presets() and source.has_presets()


def _system_presets_without(source: V1Source) -> list[str]:
    """Names of the presets that every new database has, and the source has not."""
    there = {preset.cells.get("name") for preset in source.presets()}
    return [preset["name"] for preset in system_presets() if preset["name"] not in there]


def _presets(source: V1Source, choice: UnitChoice) -> Iterator[MovedPreset]:
    if choice.has_presets():
        yield from map(moved_preset, source.presets())


def _others(source: V1Source, choice: UnitChoice) -> Iterator[KeptRow]:
    if choice.has_others():
        yield from map(kept_row, source.without_place())


def kept_row(row: SourceRow) -> KeptRow:
    """A row that no table of ours has a place for."""
    orphan = "task_id" in row.cells and row.table == "experiments"
    why = "its task is not in the database" if orphan else "not a table of version 1"
    return KeptRow(
        identity=row.identity(),
        digest=row.digest.hex(),
        table=row.table,
        source_id=row.id,
        account=account_of(
            [Note(row.table, Done.KEPT, why)],
            {name: described(cell) for name, cell in row.cells.items()},
        ),
    )


def _some(units: Iterable[T]) -> Iterator[Sequence[T]]:
    some: list[T] = []
    for unit in units:
        some.append(unit)
        if len(some) == MOST_TASKS:
            yield some
            some = []
    if some:
        yield some
