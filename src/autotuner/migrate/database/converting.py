"""Tasks of a source, converted batch by batch: many of them in a process of their own, so that the
next ones are converted while some are written."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

from autotuner.errors import MigrationError
from autotuner.migrate.database.choice import UnitChoice
from autotuner.migrate.database.observed import Observer
from autotuner.migrate.database.snapshot import FileCopy
from autotuner.migrate.database.source import V1Source, opened_again
from autotuner.migrate.database.tasks import moved_task
from autotuner.store.v1.moved import MovedTask

MOST_TASKS, MOST_EXPERIMENTS = 100, 1_000
"""Of one batch; a task with more experiments is a batch of its own."""
APART_FROM = 4_000
"""Experiments from which on a process of its own, which takes seconds to begin, is worth it."""
_SINCE_LAST = 1
"""The generation of garbage that holds what was made since it was last looked through, and no more:
what outlives that goes to the oldest."""


@dataclass(frozen=True)
class TaskConversion:
    """Tasks to convert, and how.

    Attributes:
        engine: of tasks whose runtime's own name means none.
        earlier: identity of a task -> the engine that was named for it before; counts where no
            engine is named now.
    """

    choice: UnitChoice
    engine: str | None = None
    earlier: Mapping[str, str] = field(default_factory=dict)


class TaskBatch(NamedTuple):
    """Tasks that are written together.

    `read` counts the tasks of the source until here, `skipped` those of this batch that were not
    asked for.
    """

    tasks: list[MovedTask]
    read: int
    skipped: int


def batches(source: V1Source, wanted: TaskConversion, observe: Observer) -> Iterator[TaskBatch]:
    """Tasks of a source, converted in its order."""
    batch: list[MovedTask] = []
    read = skipped = experiments = 0
    for task in source.tasks():
        if not wanted.choice.has(task.row):
            skipped += 1
        else:
            if batch and (
                len(batch) >= MOST_TASKS or experiments + len(task.experiments) > MOST_EXPERIMENTS
            ):
                yield TaskBatch(batch, read, skipped)
                batch, skipped, experiments = [], 0, 0
            engine = wanted.engine or wanted.earlier.get(task.identity)
            batch.append(moved_task(task, observe=observe, now=datetime.now(UTC), engine=engine))
            experiments += len(task.experiments)
        read += 1
    yield TaskBatch(batch, read, skipped)


@contextmanager
def converted(
    source: V1Source, wanted: TaskConversion, observe: Observer
) -> Iterator[Iterator[TaskBatch]]:
    """The same, for whoever writes each batch before asking for the next.

    Raises:
        MigrationError: the source is damaged, or the process that converts was ended.
    """
    pays = source.counts().experiments >= APART_FROM and (os.cpu_count() or 1) > 1
    apart = _apart(source, wanted, observe.cache)
    here = nullcontext(batches(source, wanted, observe))
    with apart if pays else here as made, _batch_by_batch(made) as each:
        yield each


@contextmanager
def _apart(source: V1Source, wanted: TaskConversion, cache: Path) -> Iterator[Iterator[TaskBatch]]:
    """Batches out of a process of their own, which is one ahead at most, and ends with this one."""
    # Forked, it would inherit locks of the threads that run here.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_convert, args=(theirs, source.name, source.copy, wanted, cache)
    )
    process.start()
    theirs.close()  # so that ours ends when the process does
    try:
        yield _received(ours, process)
    finally:
        ours.close()
        process.terminate()
        process.join()


def _received(ours: Connection, process: BaseProcess) -> Iterator[TaskBatch]:
    while True:
        try:
            found = ours.recv()
        except (EOFError, OSError):  # between two batches, or within one
            process.join()
            raise MigrationError(
                f"the process that converts the tasks ended (exit code {process.exitcode})",
                remedy="move it again: what was moved until then is here, and it goes on behind it",
            ) from None
        if isinstance(found, MigrationError):
            raise found
        if found is None:
            return
        yield found


def _convert(
    theirs: Connection, name: str, copy: FileCopy, wanted: TaskConversion, cache: Path
) -> None:
    """Sends the batches of a source, until all are sent or nobody reads them any more."""
    # An interrupt of the terminal is for whoever writes, who then ends this process; and with it
    # end those that a predictor has started.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
    with suppress(BrokenPipeError, ConnectionResetError):
        try:
            with opened_again(name, copy) as source:
                made = batches(source, wanted, Observer(cache))
                with _batch_by_batch(made) as each:
                    for batch in each:
                        theirs.send(batch)
                        batch.tasks.clear()
                theirs.send(None)
        except MigrationError as error:
            theirs.send(error)


@contextmanager
def _batch_by_batch(made: Iterator[TaskBatch]) -> Iterator[Iterator[TaskBatch]]:
    """Batches, with garbage looked for after each of them, and in what it left alone.

    Else a fifth of the time is spent on going through them, and through the tables of predictors,
    again and again.
    """

    def each() -> Iterator[TaskBatch]:
        for batch in made:
            yield batch
            gc.collect(_SINCE_LAST)

    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield each()
    finally:
        if was_enabled:
            gc.enable()
