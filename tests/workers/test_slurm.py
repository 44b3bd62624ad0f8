"""Workers as jobs of a real Slurm: one is taken away, and nothing is lost or measured twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import slurm_cluster
from shop import COMMAND, Shop, complete, shop_at, wait_for
from slurm_cluster import Slurm

from autotuner.store import TaskRecord

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(slurm_cluster.missing()), reason=slurm_cluster.missing()),
]
ON_GPUS: dict[str, Any] = {
    "system": {"backend": "llamacpp", "gpu_type": "h100", "total_gpus": 2},
    "optimization": {"strategy": "grid", "parallel_launches": 2},
}
_TWO_H100 = """#!/bin/sh
echo "0, NVIDIA H100 80GB HBM3, 81559, GPU-0"
echo "1, NVIDIA H100 80GB HBM3, 81559, GPU-1"
"""
"""A driver's command: Slurm's pretended devices have none."""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with slurm_cluster.slurm_at(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture
def shop(
    tmp_path: Path, migrated_postgresql: str, request: pytest.FixtureRequest
) -> Iterator[Shop]:
    with shop_at(tmp_path, migrated_postgresql) as made:
        yield made
    request.getfixturevalue("postgresql").empty(migrated_postgresql)


def submitted(slurm: Slurm, shop: Shop, *options: str) -> None:
    """Workers from our template, as jobs of the cluster."""
    driver = shop.folder / "driver" / "nvidia-smi"
    driver.parent.mkdir()
    driver.write_text(_TWO_H100)
    driver.chmod(0o755)
    programs = f"{driver.parent}:{Path(sys.executable).parent}"
    environment = shop.environment() | {
        "AUTOTUNER_CONFIG": str(shop.config()),
        "PATH": f"{programs}:{os.environ['PATH']}",
        # Bash counts on from there: a job that is warned at once is not queued again.
        "SECONDS": "600",
    }
    argv = [*COMMAND, "workers", "template", "slurm", *options]
    written = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    script = shop.folder / "worker.sbatch"
    script.write_text(written.stdout)
    slurm.run("sbatch", script.name, environment=environment, folder=shop.folder)


def holders(shop: Shop) -> dict[str, int]:
    """Job -> the task that its worker is at work on."""
    running = shop.store.tasks.running()  # first: a worker is known before it has a task
    names = {worker.id: worker.name for worker in shop.store.workers.all()}
    return {names[task.worker].removeprefix("slurm-"): task.id for task in running if task.worker}


def kinds(shop: Shop, task: TaskRecord) -> list[str]:
    return [event.kind for event in shop.store.events(task.id)]


def test_a_job_that_is_taken_away_gives_its_task_to_the_other(slurm: Slurm, shop: Shop) -> None:
    first, second = (
        shop.task("--load-delay-s=1", needs=("h100_sxm", 2), **ON_GPUS) for _ in range(2)
    )
    submitted(slurm, shop, "--gpus", "2", "--count", "2", "--until-idle", "4")
    jobs = wait_for(lambda: len(found := holders(shop)) == 2 and found, slurm.logs())
    shop.wait_for_event(first, "experiment_ended")
    assert [w.devices for w in shop.store.workers.all()] == [["0", "1"]] * 2, "of the allocation"
    job = next(job for job, task in jobs.items() if task == first.id)
    kept = shop.finished(first)
    slurm.run("scontrol", "requeue", job)
    for task in (first, second):
        shop.wait_until(task, "completed", "failed")
        experiments = shop.store.experiments(task.id)
        assert complete(experiments), [(e.status, e.failure) for e in experiments]
    assert {name: shop.finished(first)[name] for name in kept} == kept
    assert kinds(shop, first).count("claimed") >= 2
    assert "taken_over" not in kinds(shop, first), "the lease went back, and was not waited for"
    done = wait_for(lambda: set(slurm.states().values()) == {"COMPLETED"}, str(slurm.states()))
    assert done, slurm.logs()
    assert shop.left() == {}
    assert shop.store.workers.all() == ()


def test_before_its_walltime_a_job_gives_its_task_back_and_is_queued_again(
    slurm: Slurm, shop: Shop
) -> None:
    task = shop.task("--load-delay-s=1", needs=("h100_sxm", 2), **ON_GPUS)
    submitted(slurm, shop, "--gpus", "2", "--until-idle", "1")
    (job,) = wait_for(lambda: holders(shop), slurm.logs())
    shop.wait_for_event(task, "experiment_ended")
    kept = shop.finished(task)
    slurm.run("scancel", "--batch", "--signal=USR1", job)
    shop.wait_until(task, "queued")
    assert "taken_over" not in kinds(shop, task)
    shop.wait_until(task, "completed")
    assert complete(shop.store.experiments(task.id))
    assert {name: shop.finished(task)[name] for name in kept} == kept
    wait_for(lambda: slurm.states()[job] == "COMPLETED", slurm.logs())
    assert shop.left() == {}
