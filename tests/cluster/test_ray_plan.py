"""The cluster of a task in its plan: known where it is connected to, named in any case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autotuner.cli.commands.plan import print_plan
from autotuner.config import parse_task
from autotuner.launch import ClusterCapacity
from autotuner.report.plan_document import plan_document
from autotuner.testing.fake_engine import install_fake_engine
from autotuner.tuning.prepare import prepare

TASK: dict[str, Any] = {
    "version": 2,
    "name": "on a cluster",
    "deployment_mode": "ray",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 8, "osl": 4},
    "prediction": {"predictor": "none"},
}
GPUS = {"system": {"gpu_type": "h100", "total_gpus": 6}}


@pytest.mark.parametrize(
    ("changes", "capacity", "words"),
    [
        ({}, None, "Ray at auto, which is this machine's or that of RAY_ADDRESS; its nodes are"),
        ({"ray": {"address": "ray://head:10001"}}, None, "Ray at ray://head:10001; its nodes"),
        (
            {"ray": {"address": "10.0.0.7:6379"}},
            ClusterCapacity((0, 0), 2),
            "Ray at 10.0.0.7:6379: 2 nodes with room for 2 engines on CPUs at once",
        ),
        (
            {"ray": {"address": "local"}} | GPUS,
            ClusterCapacity((8,), 1),
            "Ray at local: 1 node with 8 GPUs",
        ),
        (
            {"ray": {"gpus_per_node": 4}} | GPUS,
            ClusterCapacity((4, 4), 1),
            "2 nodes with 8 GPUs; launches on more than 4 GPUs take several nodes",
        ),
    ],
)
def test_a_plan_names_the_cluster_and_what_it_has_where_that_is_known(
    changes: dict[str, Any],
    capacity: ClusterCapacity | None,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake = str(install_fake_engine(tmp_path / "bin"))
    task = parse_task(TASK | {"engine_path": fake} | changes)
    prepared = replace(prepare(task, base=tmp_path), cluster_capacity=capacity)
    print_plan(prepared, plan_document(prepared, None))
    assert words in " ".join(capsys.readouterr().out.split())
