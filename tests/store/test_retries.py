"""A store that outlasts a database that is away, where its sessions have a backoff."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autotuner.errors import StoreUnavailableError
from autotuner.store import Store

AWAY = StoreUnavailableError("the database is away")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as store:
        yield store


def away(times: int) -> Callable[[object], None]:
    """A guard by which the database is away so many times."""
    left = iter(range(times))

    def guard(_session: object) -> None:
        if next(left, None) is not None:
            raise AWAY

    return guard


def run_of(store: Store) -> int:
    words = dict.fromkeys(
        ("name", "content_id", "model", "engine", "engine_version", "device"), "x"
    )
    return store.tasks.create(**words, config={}, plan={}).id


def test_a_write_is_made_again_until_the_database_is_back(store: Store) -> None:
    task_id, waits = run_of(store), []
    lasting = Store(store.sessions.guarded(away(3), waits.append))
    lasting.add_event(task_id, "began", {})
    assert waits == [AWAY] * 3
    assert [event.kind for event in store.events(task_id)] == ["began"]


def test_the_backoff_says_when_no_retry_is_worth_it(store: Store) -> None:
    task_id, waits = run_of(store), []

    def give_up_at_the_second(error: StoreUnavailableError) -> None:
        waits.append(error)
        if len(waits) == 2:
            raise RuntimeError("enough")

    lasting = Store(store.sessions.guarded(away(9), give_up_at_the_second))
    with pytest.raises(RuntimeError, match="enough"):
        lasting.tasks.end(task_id, status="failed", reason="", add_wall_s=0.0)
    assert store.tasks.get(task_id) == lasting.tasks.get(task_id)
    assert len(waits) == 2


def test_without_a_backoff_the_first_failure_is_raised(store: Store) -> None:
    task_id = run_of(store)
    with pytest.raises(StoreUnavailableError, match="away"):
        Store(store.sessions.guarded(away(1))).tasks.keep_wall_time(task_id, 1.0)


def test_what_must_not_be_done_twice_is_not_made_again(store: Store) -> None:
    waits: list[StoreUnavailableError] = []
    with pytest.raises(StoreUnavailableError, match="away"):
        run_of(Store(store.sessions.guarded(away(1), waits.append)))
    assert not waits
    assert not store.tasks.all()
