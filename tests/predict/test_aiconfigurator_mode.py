"""What is compared stands on one kind of data, and what cannot is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from aiconfigurator_cases import candidate, scenario

from autotuner.config import Candidate, closed_loops
from autotuner.predict import Scenario
from autotuner.predict.aiconfigurator.answers import Mode
from autotuner.predict.aiconfigurator.predictor import AiconfiguratorPredictor, common_mode
from autotuner.predict.combined import predictor_for
from autotuner.predict.predictor import kind_of

SGLANG = scenario(engine="sglang", version="0.5.16", isl=4000, osl=500)
CACHES = tuple(
    candidate({"quantization.gemm_mode": "fp8", "quantization.kvcache_mode": mode, **width})
    for mode in ("bfloat16", "fp8")
    for width in ({"parallel.tensor_parallel": 2}, {"parallel.tensor_parallel": 4})
)


class _Answers:
    """Stands for the predictor: format of the KV cache -> the mode that answers."""

    def __init__(self, modes: dict[str | None, Mode]) -> None:
        self.asked: list[str] = []
        self._modes = modes

    def modes(self, scenario: Scenario, candidates: Sequence[Candidate]) -> dict[str, Mode]:
        del scenario
        self.asked += [one.id for one in candidates]
        answers = {one.id: self._modes.get(one.quantization.kvcache_mode) for one in candidates}
        return {key: mode for key, mode in answers.items() if mode is not None}


@pytest.mark.parametrize(
    ("modes", "common"),
    [
        ({"bfloat16": "SILICON", "fp8": "SILICON"}, "SILICON"),
        ({"bfloat16": "SILICON", "fp8": "HYBRID"}, "HYBRID"),
        ({"bfloat16": "EMPIRICAL", "fp8": "HYBRID"}, "EMPIRICAL"),
        ({"bfloat16": "SILICON", "fp8": "SOL"}, "SOL"),
        ({"bfloat16": "SILICON"}, "SILICON"),
        ({}, "SILICON"),
    ],
)
def test_all_are_asked_as_the_one_that_least_is_measured_of(
    modes: dict[str | None, Mode], common: Mode
) -> None:
    answers = _Answers(modes)
    found, why = common_mode(cast(AiconfiguratorPredictor, answers), [(SGLANG, CACHES)])
    assert found == common
    assert (common in why) == (common != "SILICON")
    assert len(set(answers.asked)) <= len(CACHES)


def test_layouts_of_equal_formats_are_represented_by_a_few() -> None:
    answers = _Answers({None: "SILICON"})
    many = [candidate({"scheduling.max_running_requests": n}) for n in range(1, 500)]
    common_mode(cast(AiconfiguratorPredictor, answers), [(SGLANG, many)])
    assert len(answers.asked) <= 3


def test_one_frontier_stands_on_one_kind_of_data() -> None:
    pytest.importorskip("aiconfigurator_core")
    alone, _ = predictor_for(SGLANG, "aiconfigurator")
    mixed = {point.kind for point in alone.predict(SGLANG, CACHES, closed_loops(1, 16))}
    assert len(mixed) == 2, "the case shows nothing any more: take formats that are not measured"
    predictor, why = predictor_for(SGLANG, "aiconfigurator", compared=[(SGLANG, CACHES)])
    assert (
        len({point.kind for point in predictor.predict(SGLANG, CACHES, closed_loops(1, 16))}) == 1
    )
    assert "kvcache_mode=fp8" in why
    measured, why = predictor_for(SGLANG, "aiconfigurator", compared=[(SGLANG, CACHES[:2])])
    assert {point.kind for point in measured.predict(SGLANG, CACHES[:2], closed_loops(1))} <= mixed
    assert "SOL" not in why


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("roofline-3", "roofline-3"),
        ("roofline-3, calibrated by 3 of 5 observations", "roofline-3"),
        (
            "aiconfigurator 0.12.0 SOL: sglang 0.5.16 on h200_sxm, the nearest to 0.5.23",
            "aiconfigurator 0.12.0 SOL",
        ),
    ],
)
def test_a_source_begins_with_its_kind(source: str, kind: str) -> None:
    assert kind_of(source) == kind


def test_a_mean_is_of_both_kinds_whatever_engines_they_are_of() -> None:
    pytest.importorskip("aiconfigurator_core")
    predictor, _ = predictor_for(SGLANG, compared=[(SGLANG, CACHES)])
    points = tuple(predictor.predict(SGLANG, CACHES, closed_loops(1)))
    assert {point.kind for point in points} == {"mean of aiconfigurator 0.12.0 SOL and roofline-3"}
    assert all("sglang" in point.source for point in points)
