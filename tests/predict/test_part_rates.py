"""Rates that are assumed of the parts, and the settings that change them."""

from __future__ import annotations

import typing

import pytest

from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate, closed_loops
from autotuner.config.groups import GROUPS
from autotuner.engines import FIELDS
from autotuner.predict import Scenario
from autotuner.predict.roofline.layout import CACHE, SLOTS
from autotuner.predict.roofline.part_rates import (
    assumed_rates,
    changes_of_waiting,
    narrower_formats,
    part_kinds,
    part_text,
)
from autotuner.predict.roofline.parts import REQUEST
from autotuner.predict.roofline.predictor import time_parts_of
from autotuner.predict.roofline.rates import GPU
from autotuner.predict.roofline.step import PassParts

MODELS = ("meta-llama/Llama-3.1-8B", "Qwen/Qwen3-30B-A3B", "deepseek-ai/DeepSeek-V3")


def scenario(model: str, gpu: str = "h100_sxm") -> Scenario:
    known = known_model(model)
    assert known is not None
    return Scenario(model, known.facts, "vllm", None, gpu_named(gpu), gpu, isl=1000.0, osl=200.0)


def test_every_part_has_a_kind() -> None:
    assert set(part_kinds()) == {*PassParts._fields, REQUEST}


def test_changed_settings_and_formats_are_of_the_groups() -> None:
    waiting = [changes_of_waiting(limit) for limit in (SLOTS, CACHE)]
    changes = [*(kind.changes for kind in part_kinds().values()), *waiting]
    paths = {path for one in changes for path in one}
    assert paths <= set(FIELDS)
    for path in {p for one in changes for p, move in one.items() if move == "narrower"}:
        group, _, field = path.partition(".")
        annotation = GROUPS[group].model_fields[field].annotation
        allowed = {v for a in typing.get_args(annotation) for v in typing.get_args(a)}
        assert narrower_formats(path) and set(narrower_formats(path)) <= allowed


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("gpu", ["h100_sxm", "b200_sxm", "v100_sxm_32gb", "mi300x"])
def test_every_part_has_a_rate_below_its_peak(model: str, gpu: str) -> None:
    where = scenario(model, gpu)
    wide = {"parallel.tensor_parallel": 2, "parallel.data_parallel": 2}
    for settings in (wide, {"quantization.gemm_mode": "fp8", "misc.cuda_graph": False}):
        candidate = Candidate.from_settings(settings)
        (parts,) = time_parts_of(where, candidate, closed_loops(8)).values()
        names = {*parts.ttft_ms, *parts.tpot_ms}
        rates = assumed_rates(where, candidate, names)
        assert set(rates) == names
        assert all(rate.text and part_text(name) for name, rate in rates.items())
        assert all(0 < (rate.share or 0.5) <= GPU.bandwidth for rate in rates.values())


def test_a_part_that_takes_longer_reaches_less_and_takes_more() -> None:
    candidate = Candidate()
    rates = assumed_rates(scenario(MODELS[0]), candidate, ["dense_read", "kernels", "all_reduce"])
    assert rates["dense_read"].where_it_takes(2.0) == pytest.approx(0.4 * 3350, rel=0.01)
    assert rates["kernels"].where_it_takes(2.0) == pytest.approx(6.0)
    assert rates["all_reduce"].where_it_takes(2.0) is None


def test_the_rate_of_a_checkpoint_is_that_of_its_own_format() -> None:
    where, plain = scenario("deepseek-ai/DeepSeek-V3"), Candidate()
    assert "1979 TFLOP/s" in assumed_rates(where, plain, ["dense_compute"])["dense_compute"].text
