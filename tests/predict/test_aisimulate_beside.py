"""AISimulate's answer beside the point that is expected best."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aisimulate_stand_in import BROKEN_WIDTH
from test_aisimulate import stand_in

from autotuner.config import parse_task
from autotuner.predict import AISimulatePredictor
from autotuner.predict.aisimulate.host import ProcessPool
from autotuner.report.plan_document import estimate_document
from autotuner.tuning.estimate import PlanEstimate, estimate_plan
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.simulation import with_simulation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the stand-in keeps what it is asked."""
    made = tmp_path / "asked"
    made.mkdir()
    return made


@pytest.fixture
def pools() -> Iterator[list[ProcessPool]]:
    made: list[ProcessPool] = []
    yield made
    for pool in made:
        pool.close()


def simulated(
    folder: Path, pools: list[ProcessPool], *, width: int, manner: str = ""
) -> tuple[Prepared, PlanEstimate, PlanEstimate, list[str]]:
    """The task, its estimate without and with the stand-in, and the warnings."""
    task = {
        "version": 2,
        "name": "dense",
        "model": {"id": "Qwen/Qwen3-32B"},
        "system": {"backend": "vllm", "gpu_type": "h200", "total_gpus": 8},
        "runtime": {"isl": 1024, "osl": 256},
        "parallel": {"tensor_parallel": width},
        "benchmark": {"concurrency": [8]},
        "slo": {"ttft_p99_ms": 100},
    }
    prepared = prepare(parse_task(task), base=folder)
    asked = forecast_of(prepared, folder)
    found = estimate_plan(prepared, asked, ())
    installation = stand_in(manner, folder)
    pools.append(ProcessPool(installation.command))
    predictor = AISimulatePredictor(installation=installation, pool=pools[0])
    return prepared, found, with_simulation(found, prepared, asked, predictor), asked.warnings


def test_it_is_a_member_of_weight_0_with_percentiles(
    folder: Path, pools: list[ProcessPool]
) -> None:
    prepared, before, after, _ = simulated(folder, pools, width=2)
    document = estimate_document(prepared, after)["recommended"]
    *blend, own = document["members"]
    assert [member["name"].partition("-")[0] for member in blend] == ["aiconfigurator", "roofline"]
    assert own["name"].startswith("aisimulate-0.13.0")
    assert (own["ttft_ms"], own["ttft_weight"], own["tpot_weight"]) == (28, 0, 0)
    was = estimate_document(prepared, before)["recommended"]
    assert document["ttft_ms"] == was["ttft_ms"]
    assert document["limits"] == was["limits"]
    # The stand-in says twice and three times the mean.
    assert (own["percentiles"]["ttft_p90_ms"], own["percentiles"]["ttft_p99_ms"]) == (56, 84)
    assert len(list(folder.glob("[0-9a-f]" * 32))) == 1, "one question, whatever the space"


def test_without_an_answer_everything_is_as_before(folder: Path, pools: list[ProcessPool]) -> None:
    _, before, after, _ = simulated(folder, pools, width=BROKEN_WIDTH, manner="nan")
    assert after == before


def test_a_program_that_does_not_load_is_a_warning(folder: Path, pools: list[ProcessPool]) -> None:
    _, before, after, warnings = simulated(folder, pools, width=2, manner="unloadable")
    assert after == before
    assert any("AISimulate says nothing" in warning for warning in warnings)
