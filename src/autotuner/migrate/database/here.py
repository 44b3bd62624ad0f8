"""A task of version 1 beside its task of version 2: of our own database, where both stay, or of a
source, where it is only previewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from autotuner.errors import NotFoundError
from autotuner.migrate.database.accounts import notes_of
from autotuner.migrate.database.carried import carried
from autotuner.migrate.database.source import EXPERIMENTS, TASKS, SourceRow, SourceTask, V1Source
from autotuner.migrate.database.tasks import Observe, moved_task, task_document
from autotuner.migrate.draft import Note
from autotuner.store import Store
from autotuner.store.v1.moved import MovedTask
from autotuner.store.v1.translating import translated_numbers, v1_rows, write_translated


@dataclass(frozen=True)
class FurtherHere:
    """The v2 task of a further traffic scenario; `task_id` is None where it is not made."""

    task_id: int | None
    document: Mapping[str, Any]


@dataclass(frozen=True)
class TranslatedHere:
    """A v1 task beside its v2 task.

    Attributes:
        task_id: of the v2 task; None where it is not made, or where there can be none.
        created: whether it was made by this call.
        v1_document: as version 1's API says it.
        document: of the v2 task as it is or would be made.
        further: the same of the tasks of its further traffic scenarios.
    """

    v1_task_id: int
    task_id: int | None
    created: bool
    v1_document: Mapping[str, Any]
    document: Mapping[str, Any] | None
    notes: tuple[Note, ...]
    further: tuple[FurtherHere, ...]


def translate_here(
    store: Store,
    v1_task_id: int,
    observe: Observe,
    *,
    preview: bool,
    engine: str | None = None,
) -> TranslatedHere:
    """The v2 task of a v1 task: the one that it has, or a new one with its results.

    Args:
        engine: of a task whose runtime's own name means none.

    Raises:
        NotFoundError: there is no such v1 task.
    """
    source = _source(store, v1_task_id)
    made = moved_task(source, observe=observe, now=datetime.now(UTC), engine=engine)
    if preview:
        numbers, created = translated_numbers(store.sessions, v1_task_id), False
    else:
        numbers, created = write_translated(store.sessions, made, v1_task_id)
    return _beside(source, made, numbers, created=created)


def preview_task(
    source: V1Source, number: int, observe: Observe, *, engine: str | None = None
) -> TranslatedHere:
    """A task of a database beside the v2 task that it would become; nothing is written.

    Args:
        engine: of a task whose runtime's own name means none.

    Raises:
        NotFoundError: the database has no such task.
    """
    task = source.task(number)
    if task is None:
        raise NotFoundError(f"{source.name} has no task {number}")
    made = moved_task(task, observe=observe, now=datetime.now(UTC), engine=engine)
    return _beside(task, made, (), created=False)


def _beside(
    source: SourceTask, made: MovedTask, numbers: Sequence[int], *, created: bool
) -> TranslatedHere:
    document, *further = [part.columns["config"] for part in made.parts] or [None]
    return TranslatedHere(
        source.row.id,
        next(iter(numbers), None),
        created,
        task_document(carried(source.row)),
        document,
        notes_of(made.account),
        tuple(map(FurtherHere, [*numbers[1:], *[None] * len(further)], further)),
    )


def _source(store: Store, v1_task_id: int) -> SourceTask:
    found = v1_rows(store.sessions, v1_task_id)
    if found is None:
        raise NotFoundError(f"there is no v1 task {v1_task_id}")
    task, experiments = found
    return SourceTask(
        _row(TASKS, task), tuple(_row(EXPERIMENTS, experiment) for experiment in experiments)
    )


def _row(table: str, row: Mapping[str, Any]) -> SourceRow:
    """A row of our table as SQLite would keep it."""
    cells = {
        name: value.isoformat(" ") if isinstance(value, datetime) else value
        for name, value in row.items()
        if not name.startswith("_")
    }
    return SourceRow(table, row["id"], cells)
