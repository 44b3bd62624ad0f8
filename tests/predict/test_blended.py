"""Two predictors as one: their geometric mean, and what becomes of those that differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_choice import CANDIDATES, SCENARIO, Fixed

from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate, LoadLevel, PredictorName, closed_loops
from autotuner.predict import (
    Prediction,
    Predictions,
    Predictor,
    RooflinePredictor,
    Scenario,
    Support,
    tok_s,
)
from autotuner.predict.aiconfigurator.predictor import AiconfiguratorPredictor
from autotuner.predict.combined import (
    BlendedPredictor,
    Weights,
    best_of_both,
    predictor_for,
)
from autotuner.predict.predictor import CLOSED_LOOPS
from autotuner.testing.predictor_contract import PredictorContract

LATENCY = st.floats(0.01, 1e6)
STD = st.floats(0.01, 3)
STATED = st.lists(st.sampled_from(["points", "out of memory", "refused"]), min_size=6, max_size=6)


@dataclass(frozen=True)
class Says:
    """Answers every candidate with the same figures."""

    ttft_ms: float
    tpot_ms: float
    log_std: float = 0.1
    memory_gib: float | None = None
    note: str = ""
    name: str = "says"

    load_kinds = CLOSED_LOOPS

    def supports(self, scenario: Scenario) -> Support:
        return Support(True, "it says the same of everything")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        reported = [(c.id, n) for c in candidates for n in load_levels]
        return Predictions(self.name, tuple(self._reported(key, level) for key, level in reported))

    def _reported(self, key: str, level: LoadLevel) -> Prediction:
        tokens = tok_s(level.value, self.ttft_ms, self.tpot_ms, SCENARIO.osl)
        figures = (self.ttft_ms, self.tpot_ms, tokens, 2, SCENARIO.osl)
        stds = (self.log_std, self.log_std, self.log_std)
        return Prediction(key, level, *figures, *stds, self.name, self.memory_gib, None, self.note)


def blend(one: Predictor, two: Predictor) -> Predictions:
    return BlendedPredictor(one, two).predict(SCENARIO, CANDIDATES, closed_loops(1, 8))


class SlowRoofline(RooflinePredictor):
    """The roofline with three times the latencies, by another name."""

    @property
    def name(self) -> str:
        return "slow roofline"

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        answer = super().predict(scenario, candidates, load_levels)
        points = (
            replace(p, ttft_ms=3 * p.ttft_ms, tpot_ms=3 * p.tpot_ms, tok_s=p.tok_s / 3)
            for p in answer
        )
        return replace(answer, predictor=self.name, points=tuple(points))


class TestBlendedPredictor(PredictorContract):
    def predictor(self) -> Predictor:
        return BlendedPredictor(RooflinePredictor(), SlowRoofline())

    def scenario(self) -> Scenario:
        return qwen()

    def candidates(self) -> Sequence[Candidate]:
        return [wide(4), wide(8), wide(1, {"memory.mem_fraction_static": 0.2})]


def qwen(engine: str = "vllm", version: str | None = "0.24.0") -> Scenario:
    known, gpu = known_model("Qwen/Qwen3-32B"), gpu_named("h200")
    assert known is not None
    return Scenario(known.id, known.facts, engine, version, gpu, gpu.name, 1024, 256)


def wide(width: int, settings: dict[str, object] | None = None) -> Candidate:
    return Candidate.from_settings({"parallel.tensor_parallel": width, **(settings or {})})


@given(LATENCY, LATENCY, LATENCY, LATENCY)
def test_latencies_are_the_geometric_mean_and_throughput_follows_from_them(
    ttft: float, tpot: float, other_ttft: float, other_tpot: float
) -> None:
    found = blend(Says(ttft, tpot, name="a"), Says(other_ttft, other_tpot, name="b"))
    assert [(p.candidate_id, p.load.value) for p in found] == [
        (c.id, n) for c in CANDIDATES for n in (1, 8)
    ]
    for point in found:
        assert point.ttft_ms**2 == pytest.approx(ttft * other_ttft)
        assert point.tpot_ms**2 == pytest.approx(tpot * other_tpot)
        in_flight = point.tok_s / point.osl * point.e2e_ms / 1000
        assert in_flight == pytest.approx(point.load.value)


@given(LATENCY, LATENCY, STD, STD)
def test_the_order_of_the_two_does_not_matter_to_the_figures(
    one: float, two: float, std: float, other: float
) -> None:
    first, second = Says(one, 5.0, std), Says(two, 7.0, other)
    for here, there in zip(blend(first, second), blend(second, first), strict=True):
        assert here.ttft_ms == pytest.approx(there.ttft_ms)
        assert here.tok_s == pytest.approx(there.tok_s)
        assert here.ttft_log_std == pytest.approx(there.ttft_log_std)


@given(STD)
def test_two_that_are_equally_sure_are_surer_together_but_not_as_if_independent(std: float) -> None:
    point = blend(Says(9.0, 9.0, std), Says(9.0, 9.0, std)).points[0]
    for together in (point.ttft_log_std, point.tpot_log_std, point.tok_s_log_std):
        assert std / math.sqrt(2) < together < std


@given(LATENCY, LATENCY, STD, STD, st.floats(0, 1))
def test_a_weight_says_how_much_is_the_second_s(
    one: float, two: float, std: float, other: float, weight: float
) -> None:
    both = Says(one, 5.0, std, name="a"), Says(two, 7.0, other, name="b")
    weighted = BlendedPredictor(*both, Weights(ttft=weight))
    for found, equal in zip(
        weighted.predict(SCENARIO, CANDIDATES, closed_loops(1, 8)), blend(*both), strict=True
    ):
        assert math.log(found.ttft_ms) == pytest.approx(
            (1 - weight) * math.log(one) + weight * math.log(two), abs=1e-9
        )
        assert found.ttft_log_std <= max(std, other) + 1e-9
        assert found.tpot_ms == equal.tpot_ms


def test_a_point_names_both_and_keeps_what_either_names() -> None:
    one = Says(1.0, 1.0, name="a", note="queueing")
    two = Says(2.0, 2.0, name="b", note="queueing", memory_gib=7.5)
    point = blend(one, two).points[0]
    assert (point.source, point.note, point.memory_gib) == ("mean of a and b", "queueing", 7.5)
    assert blend(replace(one, memory_gib=3.0), two).points[0].memory_gib == 3.0
    assert blend(one, replace(two, note="a fallback")).points[0].note == "queueing; a fallback"


@given(STATED, STATED)
def test_a_candidate_is_reported_where_both_name_it_and_does_not_fit_where_both_say_so(
    first: list[str], second: list[str]
) -> None:
    found = blend(Fixed("a", first), Fixed("b", second))
    for candidate, *stated in zip(CANDIDATES, first, second, strict=True):
        expected = stated[0] if stated[0] == stated[1] else "refused"
        assert bool(found.of(candidate.id)) == (expected == "points")
        assert (candidate.id in found.out_of_memory) == (expected == "out of memory")
        assert (candidate.id in found.refused) == (expected == "refused")


def test_a_refusal_has_the_words_of_who_refused() -> None:
    some = ["refused", "points", "out of memory", "points", "points", "points"]
    other = ["points", "refused", "points", "out of memory", "points", "points"]
    found = blend(Fixed("a", some), Fixed("b", other))
    assert [found.refused[c.id] for c in CANDIDATES[:4]] == [
        "unknown to a",
        "unknown to b",
        "only a says that it does not fit: too large",
        "only b says that it does not fit: too large",
    ]
    assert list(found.refused) == [c.id for c in CANDIDATES[:4]]


def test_what_the_first_refuses_is_not_asked_of_the_second() -> None:
    second = Fixed("b", ["points"] * 6)
    blend(Fixed("a", ["refused"] * 3 + ["points"] * 3), second)
    assert second.asked == [c.id for c in CANDIDATES[3:]]


def test_both_have_to_support_a_scenario_and_who_does_not_is_named() -> None:
    able, unable = Fixed("a", ["points"] * 6), Fixed("b", ["refused"] * 6)
    assert BlendedPredictor(able, able).supports(SCENARIO)
    for both in (BlendedPredictor(able, unable), BlendedPredictor(unable, able)):
        support = both.supports(SCENARIO)
        assert not support
        assert support.why == "b: b was asked"


def test_the_best_of_both_is_their_mean_and_the_roofline_where_it_has_none() -> None:
    pytest.importorskip("aiconfigurator_core")
    asked, levels = [wide(2)], closed_loops(1, 16)
    both = best_of_both().predict(qwen(), asked, levels)
    kernels = AiconfiguratorPredictor().predict(qwen(), asked, levels)
    bound = RooflinePredictor().predict(qwen(), asked, levels)
    for mean, one, two in zip(both, kernels, bound, strict=True):
        assert mean.ttft_ms == pytest.approx(one.ttft_ms**0.25 * two.ttft_ms**0.75)
        assert mean.tpot_ms == pytest.approx(math.sqrt(one.tpot_ms * two.tpot_ms))
    reported = best_of_both().predict(qwen("llamacpp", None), asked, levels)
    plain = RooflinePredictor().predict(qwen("llamacpp", None), asked, levels)
    assert [p.ttft_ms for p in reported] == [p.ttft_ms for p in plain]
    assert all("aiconfigurator" in p.note for p in reported)


def test_who_answers_is_what_the_task_asks_for_or_the_mean_of_who_can() -> None:
    pytest.importorskip("aiconfigurator_core")
    roofline, aiconfigurator = RooflinePredictor().name, AiconfiguratorPredictor().name
    unknown = qwen("llamacpp", None)
    cases: tuple[tuple[Scenario, PredictorName, str, str], ...] = (
        (qwen(), "roofline", roofline, "the task asks for it"),
        (qwen(), "aiconfigurator", aiconfigurator, "the task asks for it"),
        (unknown, "aiconfigurator", aiconfigurator, "the task asks for it"),
        (qwen(), "auto", best_of_both().name, "its mean with the roofline"),
        (unknown, "auto", roofline, "llamacpp"),
    )
    for scenario, wanted, name, why in cases:
        predictor, reason = predictor_for(scenario, wanted)
        assert predictor.name == name
        assert why in reason
