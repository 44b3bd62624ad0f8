"""What happens in a run is stored in its order; progress never makes a load wait."""

from __future__ import annotations

import threading
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up_bench import Bench, opened

from autotuner.config import LoadLevel
from autotuner.errors import StoreError
from autotuner.store import Store
from autotuner.tuning import events
from autotuner.tuning.events import (
    KINDS,
    PROGRESS_EVERY_S,
    EngineReady,
    EventRecorder,
    LevelProgress,
    to_event,
)

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


def test_every_kind_of_event_is_known_and_documented(bench: Bench) -> None:
    bench.tune()
    assert {to_event(event)[0] for event in bench.events} <= set(KINDS)
    assert len(KINDS) == len(typing.get_args(events.Event))
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.glob("operations*.md"))
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []


def test_a_run_stores_what_it_shows(bench: Bench) -> None:
    summary, _ = bench.tune()
    stored = [(e.kind, e.payload) for e in bench.store.events(summary.task.id)]
    ephemeral = ("predicting", "level_progress")
    assert [one for one in stored if one[0] not in ephemeral] == [
        to_event(event) for event in bench.events if to_event(event)[0] not in ephemeral
    ]


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Kept(Store):
    """Keeps events in memory; holds those of progress up until it may go on."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, object]]] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.broken = False

    def add_event(
        self, task_id: int, kind: str, payload: dict[str, object], *, ephemeral: bool = False
    ) -> None:
        assert ephemeral == (kind in ("level_progress", "predicting"))
        if kind == "level_progress":
            assert self.may_go_on.wait(60)
        if self.broken:
            raise StoreError("no more")
        self.kept.append((kind, payload))


def test_progress_is_shown_once_a_second_and_in_its_place() -> None:
    store, clock = Kept(), Clock()
    with EventRecorder(store, 1, clock=clock) as showing:
        for number in range(50):
            showing.store(LevelProgress(1, LoadLevel.concurrency(4), number, 50))
            clock.now_s += PROGRESS_EVERY_S / 10
        showing.store(EngineReady(1, 2.0))
    done = [payload["completed"] for kind, payload in store.kept if kind == "level_progress"]
    assert done == sorted(done)
    assert 1 <= len(done) <= 5
    assert store.kept[-1][0] == "engine_ready"


def test_a_slow_disk_holds_up_no_progress() -> None:
    store, clock = Kept(), Clock()
    store.may_go_on.clear()
    with EventRecorder(store, 1, clock=clock) as showing:
        for number in range(5):
            showing.store(LevelProgress(1, LoadLevel.concurrency(4), number, 5))
            clock.now_s += 10 * PROGRESS_EVERY_S
        assert store.kept == []
        store.may_go_on.set()
        showing.store(EngineReady(1, 2.0))
    assert [kind for kind, _ in store.kept] == ["level_progress", "engine_ready"]


def test_what_went_wrong_with_progress_is_not_lost() -> None:
    store = Kept()
    store.broken = True
    with EventRecorder(store, 1) as showing:
        showing.store(LevelProgress(1, LoadLevel.concurrency(4), 1, 5))
        with pytest.raises(StoreError, match="no more"):
            showing.store(EngineReady(1, 2.0))
