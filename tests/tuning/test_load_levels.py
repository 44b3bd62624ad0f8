"""Load levels that a task leaves out: from what it searches, few, and kept by its runs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import closed_loops, parse_task
from autotuner.store import Store
from autotuner.tuning.history import LEVELS_BEFORE, at_stored_levels
from autotuner.tuning.load_levels import geometric
from autotuner.tuning.prepare import Prepared, prepare

QWEN: dict[str, Any] = {
    "version": 2,
    "name": "levels",
    "model": {"id": "Qwen/Qwen3-32B"},
    "runtime": {"isl": 2000, "osl": 200},
    "system": {"backend": "vllm", "gpu_type": "h200", "total_gpus": 8},
    "parallel": {"tensor_parallel": [2, 8]},
}
SMALL: dict[str, Any] = {
    "version": 2,
    "name": "small",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 32, "osl": 32},
}


def prepared(folder: Path, document: dict[str, Any], **more: Any) -> Prepared:
    return prepare(parse_task({**document, **more}), base=folder)


def levels(folder: Path, document: dict[str, Any], **more: Any) -> tuple[float, ...]:
    return tuple(x.value for x in prepared(folder, document, **more).task.benchmark.levels)


@given(st.integers(1, 5000), st.integers(2, 12))
def test_levels_are_few_geometric_and_reach_both_ends(top: int, most: int) -> None:
    values, factor = geometric(top, most)
    assert values[0] == 1
    assert values[-1] == top
    assert len(values) <= most
    assert list(values) == sorted(set(values))
    assert all(b <= factor * a for a, b in pairwise(values))


def test_they_reach_the_most_that_the_task_searches(tmp_path: Path) -> None:
    searched = {"max_running_requests": [16, 64]}
    found = prepared(tmp_path, QWEN, scheduling=searched)
    assert found.task.benchmark.levels == closed_loops(1, 4, 16, 64)
    assert "max_running_requests" in found.levels_why
    profile = levels(tmp_path, QWEN, profiles=["high_throughput"])
    assert profile[-1] > 64
    assert len(profile) <= 6
    assert levels(tmp_path, QWEN, profiles=["low_latency"])[-1] <= 32


def test_slots_and_memory_end_them(tmp_path: Path) -> None:
    assert levels(tmp_path, SMALL, scheduling={"max_running_requests": [1, 2, 8]}) == (1, 2, 4, 8)
    assert levels(tmp_path, SMALL) == (1, 2, 4)
    wide = {"scheduling": {"max_running_requests": 1024}}
    long = levels(tmp_path, QWEN, runtime={"isl": 30000, "osl": 1000}, **wide)
    short = levels(tmp_path, QWEN, **wide)
    assert long[-1] < short[-1] <= 1024


def test_an_slo_makes_the_steps_finer(tmp_path: Path) -> None:
    searched = {"scheduling": {"max_running_requests": 128}}
    coarse, fine = (
        prepared(tmp_path, QWEN, **searched),
        prepared(tmp_path, QWEN, slo={"ttft_ms": 900}, **searched),
    )
    assert len(fine.task.benchmark.levels) > len(coarse.task.benchmark.levels)
    assert "ttft_ms" in fine.levels_why


def test_what_a_task_says_is_what_is_measured(tmp_path: Path) -> None:
    found = prepared(tmp_path, SMALL, benchmark={"concurrency": [3, 5]})
    assert found.task.benchmark.levels == closed_loops(3, 5)
    assert not found.levels_why
    assert found.content_id == found.task.content_id


def kept(store: Store, task: Prepared, content_id: str, plan: dict[str, Any]) -> None:
    store.tasks.create(
        name="n", content_id=content_id, config=task.task.written(), plan=plan,
        status="interrupted", model="m", engine="e", engine_version="1", device="d",
    )  # fmt: skip


def test_a_run_keeps_the_levels_that_it_began_with(tmp_path: Path) -> None:
    task = prepared(tmp_path, SMALL)
    with Store.open(tmp_path / "home") as store:
        assert at_stored_levels(task, store) is task
        kept(store, task, task.content_id, task.plan_record() | {"levels": [1, 3]})
        found = at_stored_levels(task, store)
    assert found.task.benchmark.levels == closed_loops(1, 3)
    assert found.content_id == task.content_id
    limited = prepared(tmp_path, SMALL, slo={"ttft_ms": 100})
    assert limited.content_id == task.content_id


def test_a_run_of_before_goes_on_as_the_task_that_it_was(tmp_path: Path) -> None:
    task = prepared(tmp_path, SMALL)
    before = prepared(
        tmp_path, SMALL, benchmark={"load": [level.to_task() for level in LEVELS_BEFORE]}
    )
    assert task.content_id != before.content_id
    with Store.open(tmp_path / "home") as store:
        kept(store, before, before.content_id, {})
        found = at_stored_levels(task, store)
    assert found.task.benchmark.levels == LEVELS_BEFORE
    assert found.content_id == before.content_id
    assert "--fresh" in found.levels_why
    assert at_stored_levels(replace(task, levels_why=""), None) == replace(task, levels_why="")


@pytest.mark.parametrize("engine", ["sglang", "vllm", "trtllm"])
def test_engines_without_a_limit_are_ended_by_their_memory(engine: str, tmp_path: Path) -> None:
    system = QWEN["system"] | {"backend": engine}
    found = prepared(tmp_path, QWEN, system=system)
    assert 8 <= found.task.benchmark.levels[-1].value <= 256
    assert found.levels_why
