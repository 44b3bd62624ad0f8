"""Replicas out of the launches of a task: what was measured of them, and no more."""

from __future__ import annotations

import io
from typing import Any

import pytest
from made_up_bench import level
from rich.console import Console

from autotuner.config import LoadLevel, parse_stored_task, parse_task
from autotuner.measure import Measurement
from autotuner.report.size_document import SizeQuestion, size_document
from autotuner.report.size_terminal import print_size
from autotuner.sizing import ServiceLevel, Traffic, deployment
from autotuner.store import ExperimentRecord
from autotuner.tuning.replicas import KnownReplicas, measured_replicas, on_gpu


def launched(*measurements: Measurement, **changes: Any) -> ExperimentRecord:
    made: dict[str, Any] = {
        "id": 1,
        "index": 1,
        "candidate_id": "c",
        "settings": {"system.gpu_type": "h100", "parallel.tensor_parallel": 2},
        "command": "serve",
        "status": "completed",
        "selection_reason": "",
        "phase": "",
        "log_path": "",
        "failure_kind": None,
        "failure_message": None,
        "log_tail": None,
        "startup_s": 1.0,
        "measure_s": 1.0,
        "measurements": measurements,
    }
    return ExperimentRecord(**(made | changes))


def replicas(*experiments: ExperimentRecord) -> KnownReplicas:
    return measured_replicas(
        experiments, gpu="h100_sxm", engine="vllm", slo={"tpot_ms": 60.0}, usd_per_gpu_hour=3.0
    )


def test_a_launch_is_a_replica_with_its_levels_and_its_lengths() -> None:
    # The second repeat is slower: medians count, as everywhere.
    found = replicas(launched(level(1, 40, 30), level(4, 100, 50), level(4, 80, 50)))
    (one,) = found.found
    assert (one.gpus, one.engine, one.replica.devices) == (2, "vllm", 2)
    assert (one.replica.isl, one.replica.osl) == (8, 4)
    rates = [lvl.requests_per_s.value for lvl in one.replica.curve.levels]
    assert rates == [pytest.approx(10), pytest.approx(22.5)]
    made = deployment(one.replica, ServiceLevel(Traffic(rate=40), {"tpot_ms": 60}, 0))
    assert made is not None
    assert (made.replicas, made.devices, made.usd_per_hour) == (2, 4, 12)


def test_beyond_a_level_that_is_no_operating_point_nothing_is_held() -> None:
    broken = launched(level(1, 40, 30), level(2, 70, 30, failed=2), level(4, 100, 30))
    (one,) = replicas(broken).found
    assert [lvl.load for lvl in one.replica.curve.levels] == [LoadLevel.concurrency(1)]


def test_launches_that_failed_or_have_no_operating_point_are_left_out() -> None:
    found = replicas(
        launched(level(1, 40, 30), status="failed"), launched(level(1, 9, 9, failed=1))
    )
    assert (found.found, found.left_out) == ((), 1)


def test_the_baseline_is_sized_by_its_name_and_counts_as_no_candidate() -> None:
    known = replicas(
        launched(level(1, 40, 30), level(4, 100, 50), phase="baseline"),
        launched(level(1, 40, 30), candidate_id="d"),
        launched(level(1, 9, 9, failed=1), phase="baseline"),
    )
    assert known.left_out == 0
    requirement = ServiceLevel(Traffic(rate=40), {"tpot_ms": 60.0}, 0)
    found = size_document(SizeQuestion("1", "m", measured=True, requirement=requirement), known)
    assert (found["candidates"], found["holding"]) == (1, 1)
    (row,) = found["gpus"]
    assert (row["candidates"], row["holding"], row["gpus"]) == (1, 1, 4)
    made = {(one["candidate"], one["is_baseline"]) for one in found["deployments"]}
    assert made == {("c", True), ("d", False)}
    assert any(note.startswith("1 of 1 candidates are within") for note in found["notes"])
    console = Console(record=True, width=200, file=io.StringIO())
    print_size(found, console)
    shown = console.export_text()
    assert "vllm, the baseline: " in shown and "1 of 1 candidates hold it" in shown


def test_a_task_on_its_own_gpu_is_the_task_as_it_is() -> None:
    own = {"gpu_type": "h100", "price_per_gpu_hour": 9.0, "memory_per_gpu": 70}
    task = parse_task(
        {"version": 2, "name": "t", "model": {"id": "m/m"}, "system": own}, source="a test"
    )
    assert on_gpu(task, "h100_sxm") is task
    other = on_gpu(task, "h200_sxm").system
    assert (other.gpu_type, other.price_per_gpu_hour, other.memory_per_gpu) == (
        "h200_sxm",
        None,
        None,
    )


def test_a_stored_task_keeps_on_another_gpu_what_later_rules_refuse() -> None:
    own = {"deployment_mode": "docker", "docker": {"image": "Nobody/NO:1"}}
    document = {"version": 2, "name": "t", "model": {"id": "-org/m"}, **own}
    task = parse_stored_task({**document, "system": {"gpu_type": "h100"}}, source="task 1")
    other = on_gpu(task, "h200_sxm")
    assert (other.system.gpu_type, other.model.id) == ("h200_sxm", "-org/m")
    assert other.docker is not None and other.docker.image == "Nobody/NO:1"


def test_disturbed_levels_are_counted() -> None:
    late = level(1, 40, 30).model_copy(update={"client_bottleneck": True})
    assert replicas(launched(level(1, 40, 30))).notes == ()
    assert replicas(launched(late)).notes == (
        "measured levels that others on the machine disturbed: 1",
    )
