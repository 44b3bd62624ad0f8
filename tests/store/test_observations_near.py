"""Observations are chosen by the database: what shares nothing is not read, nor is too much."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from autotuner.config import LoadLevel
from autotuner.predict import Observation
from autotuner.store import About, Store

RUN: dict[str, Any] = {
    "name": "t", "content_id": "c", "config": {}, "model": "m", "engine": "e",
    "engine_version": "1", "device": "cpu", "plan": {},
}  # fmt: skip


def seen(model: str, engine: str, device: str, number: int, tool: str = "autotuner") -> Observation:
    return Observation(
        model=model, family=None, engine=engine, engine_version="1", device=device, devices=1,
        settings={}, isl=64, osl=16, load=LoadLevel.concurrency(number),
        ttft_ms=10.0, tpot_ms=1.0, tok_s=100.0,
        base="roofline", base_ttft_ms=9.0, base_tpot_ms=1.0, launch=f"l{number}", tool=tool,
        source="test", at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


def test_what_shares_most_comes_first_and_what_shares_nothing_never(store: Store) -> None:
    rows = [
        *[seen("other", "vllm", "h100", n) for n in range(1, 5)],
        seen("mine", "sglang", "l4", 5),
        seen("mine", "vllm", "h100", 6),
        seen("other", "vllm", "l4", 7),
        seen("other", "sglang", "h100", 8),
        seen("mine", "vllm", "h100", 9, tool="a recorded table"),
    ]
    store.add_observations(rows)
    about = About(("mine",), ("vllm",), ("h100",), besides_tool="a recorded table")
    every = store.observations_about(about, most=100)
    assert [kept.observation.load.value for kept in every] == [1, 2, 3, 4, 5, 6, 7]
    for most, chosen in ((1, [6]), (3, [3, 4, 6]), (5, [1, 2, 3, 4, 6]), (6, [1, 2, 3, 4, 5, 6])):
        found = store.observations_about(about, most=most)
        assert [kept.observation.load.value for kept in found] == chosen, most


def test_a_run_leaves_out_its_own_and_what_came_after_it_began(store: Store) -> None:
    run = store.tasks.create(**RUN)
    store.add_observations([seen("m", "e", "d", 1)])
    store.add_observations([seen("m", "e", "d", 2)], task_id=run.id)
    until = store.newest_observation()
    store.add_observations([seen("m", "e", "d", 3)])
    about = About(("m",), ("e",), ("d",), besides_task=run.id, until=until)
    found = store.observations_about(about, most=9)
    assert [kept.observation.load.value for kept in found] == [1]


def test_an_observation_that_is_forgotten_leaves_its_place_to_nobody(store: Store) -> None:
    store.add_observations([seen("m", "e", "d", 1)])
    until = store.newest_observation()
    store.forget_observations([kept.id for kept in store.observations()])
    store.add_observations([seen("m", "e", "d", 2)])
    assert store.observations(until=until) == ()
