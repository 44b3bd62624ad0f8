"""Tasks that are converted in a process of their own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest
from moves import OBSERVER, compared, content, moved
from v1_database import built

from autotuner.errors import MigrationError
from autotuner.migrate.database import UnitChoice, converting, move, opened
from autotuner.store import Store

_BATCHES = 250
"""Tasks of three batches, the second of which is more than a pipe holds."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The kind of database has no part in it."""
    with Store.open(tmp_path / "home") as opened_store:
        yield opened_store


@pytest.fixture
def _apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "APART_FROM", 1)


@pytest.mark.usefixtures("_apart")
def test_the_same_is_moved_as_in_one_process(
    source: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = moved(source, store, skip_running=True)
    monkeypatch.undo()
    with Store.open(tmp_path / "in one process") as other:
        assert moved(source, other, skip_running=True).to_json() == report.to_json()
        there, here = content(other), content(store)
    assert report.units["tasks"]["skipped"]
    for table in ("tasks", "experiments", "measurements"):
        assert here[table] == there[table]
    assert [len(rows) for rows in here.values()] == [len(rows) for rows in there.values()]
    assert compared(source, store, skip_running=True).differing == 0


@pytest.mark.slow
@pytest.mark.usefixtures("_apart")
def test_where_that_process_is_killed_whole_batches_are_moved(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = built(tmp_path / "long.db", tasks=_BATCHES, experiments=1)

    def kill(done: int, of: int) -> None:
        [process] = multiprocessing.active_children()
        process.kill()

    with opened(source) as v1, pytest.raises(MigrationError, match=r"exit code -9.*\n.*again"):
        move(v1, store, UnitChoice(), OBSERVER, kill)
    assert not multiprocessing.active_children()
    monkeypatch.undo()
    again = moved(source, store).units["tasks"]
    assert again == {"same": 100, "moved": _BATCHES - 100}
    assert compared(source, store).differing == 0
