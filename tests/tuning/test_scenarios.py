"""Scenarios: what a predictor is told of a task's devices, engines and workload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autotuner.config import parse_task
from autotuner.predict import Scenario
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.scenarios import scenarios

TASK: dict[str, Any] = {
    "version": 2,
    "name": "made up",
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct", "served_name": "chat"},
    "benchmark": {"workload": "U(100,300)/(20,60)"},
    "system": {"backend": ["vllm", "sglang"], "gpu_type": "h100", "total_gpus": 4},
    "parallel": {"tensor_parallel": [1, 2, 4]},
}


def prepared(changes: dict[str, Any], folder: Path) -> Prepared:
    return prepare(parse_task(TASK | changes, source="task"), base=folder)


def only(found: tuple[tuple[Scenario, Any], ...]) -> Scenario:
    ((scenario, _),) = found
    return scenario


def test_every_candidate_is_in_the_scenario_of_its_engine(tmp_path: Path) -> None:
    task = prepared({"optimization": {"baseline": "none", "confirm": 0}}, tmp_path)
    found = scenarios(task, tmp_path)
    assert [scenario.engine for scenario, _ in found] == ["vllm", "sglang"]
    ids = [candidate.id for _, candidates in found for candidate in candidates]
    assert ids == [candidate.id for candidate in task.space.candidates]
    for scenario, candidates in found:
        assert (scenario.device, scenario.isl, scenario.osl) == ("h100_sxm", 200.0, 40.0)
        assert scenario.osl_spread == pytest.approx(40 / 12**0.5 / 40)
        assert scenario.model == "meta-llama/Meta-Llama-3.1-8B", (
            "not the name that it is served under"
        )
        assert [scenario.devices(candidate) for candidate in candidates] == [1, 2, 4]
        assert scenario.facts.layers == 32


def test_what_the_task_says_of_its_gpus_replaces_the_catalog(tmp_path: Path) -> None:
    system = {"backend": "vllm", "gpu_type": "h100", "total_gpus": 4}
    plain = only(scenarios(prepared({"system": system}, tmp_path), tmp_path)).gpu
    message = system | {"memory_per_gpu": 64.0, "nvlink_bandwidth": 900.0}
    gpu = only(scenarios(prepared({"system": message}, tmp_path), tmp_path)).gpu
    assert (gpu.memory_gib, gpu.interconnect_gb_s) == (64.0, 900.0)
    assert (gpu.bandwidth_gb_s, gpu.tflops) == (plain.bandwidth_gb_s, plain.tflops)
    assert plain.memory_gib != 64.0


@pytest.mark.parametrize("system", [{}, {"backend": "llamacpp", "gpu_type": "cpu"}])
def test_on_a_cpu_the_device_is_this_machine_and_its_cores(
    system: dict[str, Any], tmp_path: Path
) -> None:
    changes = {"system": system, "model": {"id": "smollm2-135m"}, "parallel": {}}
    task = prepared(changes, tmp_path)
    scenario = only(scenarios(task, tmp_path, measure=False))
    assert scenario.gpu.is_cpu
    assert scenario.device == f"{task.device.name}, {task.device.cores} cores"
    assert list(tmp_path.iterdir()) == [], "nothing is measured and nothing is written"
