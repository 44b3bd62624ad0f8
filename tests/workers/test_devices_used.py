"""The devices that a worker is given are those of its engines, and of no other worker meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shop import COMMAND, ONE, Shop, shop_at, wait_for

from autotuner.launch.devices import allowed_gpus
from autotuner.testing.processes import environment_of, processes

SLOW_TO_LOAD = "--load-delay-s=600"
ON_GPUS: dict[str, Any] = {
    "system": {"backend": "llamacpp", "gpu_type": "h100", "total_gpus": 2},
    "optimization": {"strategy": "grid", "parallel_launches": 2},
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with shop_at(tmp_path / "one", None) as made:
        yield made


def seen_by_engines(shop: Shop) -> set[tuple[str, ...] | None]:
    found = {
        pid: written for pid, written in processes(shop.mark).items() if "fake_engine" in written
    }
    return {allowed_gpus(environment) for pid in found if (environment := environment_of(pid))}


@pytest.mark.parametrize("of_the_worker", [pytest.param(None, marks=pytest.mark.slow), "0,1,2,3"])
@pytest.mark.slow
def test_a_worker_starts_engines_on_its_own_gpus_alone(
    of_the_worker: str | None, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if of_the_worker is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", of_the_worker)
    shop.task(SLOW_TO_LOAD, needs=("h100_sxm", 2), **ON_GPUS)
    shop.start("worker", "--devices", "2,3", "--gpu", "h100")
    both = wait_for(lambda: len(found := seen_by_engines(shop)) == 2 and found, shop.logs())
    assert both == {("2",), ("3",)}


@pytest.mark.slow
def test_workers_of_two_homes_do_not_use_one_device_at_once(shop: Shop, tmp_path: Path) -> None:
    with shop_at(tmp_path / "two", None) as other:
        first, second = shop.task(SLOW_TO_LOAD, **ONE), other.task(**ONE)
        shop.worker()
        shop.wait_for_event(first, "experiment_started")
        waiting = other.worker()
        wait_for(lambda: "the CPU is in use by worker" in other.logs(), "what it waits for")
        assert other.now(second).status == "queued"
        shop.store.tasks.act(first.id, "cancel")
        other.wait_until(second, "completed")
        assert waiting.poll() is None


@pytest.mark.parametrize(
    "written", [["--devices", "2,3"], pytest.param([], marks=pytest.mark.slow)]
)
def test_tune_starts_engines_on_the_gpus_that_it_is_given(
    written: list[str], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its option, else by its environment, which it reads once."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3" if written else "2,3")
    file = shop.folder / "task.yaml"
    config = shop.task(SLOW_TO_LOAD, status="pending", **ON_GPUS).config
    file.write_text(json.dumps(config), encoding="utf-8")
    shop.run(*COMMAND, "tune", str(file), *written)
    both = wait_for(lambda: len(found := seen_by_engines(shop)) == 2 and found, shop.logs())
    assert both == {("2",), ("3",)}
