"""An answer is given again only for as long as nothing was written, by whoever."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select

from autotuner.store import Store
from autotuner.store.answers import answered
from autotuner.store.schema import TaskRow

TASK = {"content_id": "c", "config": {}, "model": "m", "engine": "e"}
COUNT = select(func.count(), func.max(TaskRow.description)).select_from(TaskRow)


@pytest.fixture
def stores(tmp_path: Path, database: str | None) -> Iterator[tuple[Store, Store]]:
    """Two users of one database: a service and a worker, say."""
    with ExitStack() as stack:
        first, other = (stack.enter_context(Store.open(tmp_path, database)) for _ in range(2))
        yield first, other


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Store]:
    """A database that nobody else writes to; a server of PostgreSQL counts the writes of all."""
    with Store.open(tmp_path) as store:
        yield store


class Reader:
    """Asks one question of a store, and counts how often the database was asked it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked = 0

    def answer(self, question: str = "tasks") -> tuple[int, str | None]:
        def ask() -> tuple[int, str | None]:
            self.asked += 1
            return self.truth()

        return answered(self._store.sessions, question, ask)

    def truth(self) -> tuple[int, str | None]:
        with self._store.sessions.asking() as connection:
            return tuple(connection.execute(COUNT).one())  # type: ignore[return-value]


def test_while_nothing_is_written_the_database_is_asked_once(alone: Store) -> None:
    reader = Reader(alone)
    assert {reader.answer() for _ in range(20)} == {(0, None)}
    assert reader.asked == 1
    reader.answer("another question")
    assert reader.asked == 2


def test_whoever_writes_what_is_read_next_has_it(stores: tuple[Store, Store]) -> None:
    reader, choices = Reader(stores[0]), random.Random(1)
    ids: list[int] = []
    for step in range(60):
        writer = choices.choice(stores)
        if ids and choices.random() < 0.3:
            writer.tasks.delete(ids.pop())
        elif ids and choices.random() < 0.5:
            writer.tasks.change(ids[-1], {"description": f"step {step}"})
        elif choices.random() < 0.7:
            ids.append(writer.tasks.create(name=f"t{step}", **TASK).id)  # type: ignore[typeddict-item]
        assert reader.answer() == reader.truth(), step


def test_answers_that_are_not_asked_for_any_more_are_let_go(alone: Store) -> None:
    reader = Reader(alone)
    for number in range(200):
        reader.answer(f"question {number}")
    reader.answer("question 199")
    assert reader.asked == 200
    reader.answer("question 0")
    assert reader.asked == 201
