"""A blend's members, and what measurements do to their weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate, LoadLevel, closed_loops
from autotuner.predict import Observation, Prediction, Predictions, Scenario, tok_s
from autotuner.predict.calibration import CalibratedPredictor
from autotuner.predict.combined import BlendedPredictor, Weights
from autotuner.predict.observations import observation_id, read_lines, written_lines
from autotuner.predict.open_loop import at_rates
from autotuner.predict.predictor import ANY_LOAD, Support

MODEL, GPU = known_model("Qwen/Qwen3-32B"), gpu_named("h200")
assert MODEL is not None
WHERE = Scenario(MODEL.id, MODEL.facts, "vllm", None, GPU, GPU.name, 1024, 256)
ASKED = closed_loops(1, 8, 64)
WEIGHTS = Weights(ttft=0.75, tpot=0.5)


def layout(width: int) -> Candidate:
    return Candidate.from_settings({"system.gpu_type": "h200", "parallel.tensor_parallel": width})


WIDTHS = {layout(width).id: width for width in (1, 2, 4, 8)}


class Law:
    """Answers TTFT and TPOT as `scale` x width ^ `slope` x concurrency ^ 0.3."""

    load_kinds = ANY_LOAD

    def __init__(self, name: str, slope: float, scale: float = 1.0) -> None:
        self.name, self.slope, self.scale = name, slope, scale

    def supports(self, scenario: Scenario) -> Support:
        return Support(True, "it is a law")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        points = (
            self.at(candidate.id, load) for candidate in candidates for load in sorted(load_levels)
        )
        return Predictions(self.name, tuple(points))

    def at(self, candidate: str, load: LoadLevel) -> Prediction:
        times = self.scale * WIDTHS[candidate] ** self.slope * load.value**0.3
        means = 100 * times, 10 * times
        return Prediction(
            *(candidate, load, *means, tok_s(load.value, *means, WHERE.osl)),
            *(WIDTHS[candidate], WHERE.osl, 0.3, 0.2, 0.2, self.name),
        )


FLAT, STEEP = Law("flat-1", 0.0), Law("steep-1", -1.0)
BLEND = BlendedPredictor(FLAT, STEEP, WEIGHTS)


def measured(truth: Law, widths: Sequence[int]) -> list[Observation]:
    """What launches of these widths show where `truth` is right, beside the blend's answer."""
    answer = BLEND.predict(WHERE, [layout(width) for width in widths], ASKED)
    found = []
    for point in answer:
        true = truth.at(point.candidate_id, point.load)
        assert true.tpot_ms is not None
        found.append(
            Observation(
                model=WHERE.model,
                family=WHERE.facts.architecture,
                engine=WHERE.engine,
                engine_version=None,
                device=WHERE.device,
                devices=point.devices,
                settings=layout(WIDTHS[point.candidate_id]).settings(),
                isl=WHERE.isl,
                osl=WHERE.osl,
                load=point.load,
                ttft_ms=true.ttft_ms,
                tpot_ms=true.tpot_ms,
                tok_s=true.tok_s,
                base=BLEND.name,
                base_ttft_ms=point.ttft_ms,
                base_tpot_ms=point.tpot_ms,
                launch=point.candidate_id,
                members=point.other_members,
            )
        )
    return found


def ask(seen: Sequence[Observation], width: int) -> Prediction:
    """The calibrated answer at 8 in flight."""
    learnt = CalibratedPredictor(BLEND, seen)
    return learnt.predict(WHERE, [layout(width)], closed_loops(8)).points[0]


def test_a_blend_says_its_members_and_their_weights() -> None:
    point = BLEND.predict(WHERE, [layout(4)], closed_loops(8)).points[0]
    flat, steep = point.members
    assert (flat.name, steep.name) == ("flat-1", "steep-1")
    assert (flat.ttft_weight, steep.ttft_weight) == (0.25, 0.75)
    assert (flat.tpot_weight, steep.tpot_weight) == (0.5, 0.5)
    mean = flat.ttft_weight * math.log(flat.ttft_ms) + steep.ttft_weight * math.log(steep.ttft_ms)
    assert point.ttft_ms == pytest.approx(math.exp(mean))
    assert point.other_members == {"steep-1": (steep.ttft_ms, steep.tpot_ms)}


@pytest.mark.parametrize(("truth", "winner"), [(FLAT, 0), (STEEP, 1)])
def test_whoever_is_right_gains_weight_within_two_launches(truth: Law, winner: int) -> None:
    before = BLEND.predict(WHERE, [layout(8)], closed_loops(8)).points[0]
    after = ask(measured(truth, [1, 4]), 8)
    gained = [
        m.ttft_weight - b.ttft_weight for m, b in zip(after.members, before.members, strict=True)
    ]
    assert gained[winner] > 0.2 * (1 - before.members[winner].ttft_weight)
    assert sum(member.ttft_weight for member in after.members) == pytest.approx(1)
    assert sum(member.tpot_weight for member in after.members) == pytest.approx(1)
    true_ms = truth.at(layout(8).id, LoadLevel.concurrency(8)).ttft_ms
    off = [abs(math.log(point.ttft_ms / true_ms)) for point in (before, after)]
    assert off[1] < off[0] / 2


def test_without_its_members_an_observation_teaches_less_of_other_widths() -> None:
    seen = measured(STEEP, [1, 4])
    memberless = [replace(one, members={}) for one in seen]
    true_ms = STEEP.at(layout(8).id, LoadLevel.concurrency(8)).ttft_ms
    knowing, unknowing = (abs(math.log(ask(s, 8).ttft_ms / true_ms)) for s in (seen, memberless))
    assert knowing < unknowing


def test_where_members_disagree_the_answer_is_less_sure() -> None:
    seen = measured(FLAT, [1])
    asked = BLEND.predict(WHERE, [layout(8)], closed_loops(8))
    silent = replace(asked, points=tuple(replace(point, members=()) for point in asked))
    learnt = CalibratedPredictor(BLEND, seen)
    disagreeing, one_voice = (
        learnt.correct(WHERE, [layout(8)], answer).points[0] for answer in (asked, silent)
    )
    assert disagreeing.ttft_log_std > one_voice.ttft_log_std
    assert disagreeing.tpot_log_std > one_voice.tpot_log_std


@given(st.floats(0.5, 2.0))
def test_a_factor_that_both_share_moves_no_weight(factor: float) -> None:
    """At width 1 both say the same: whatever is measured there, none is nearer."""
    after = ask(measured(Law("truth", 0.0, factor), [1]), 1)
    assert [member.ttft_weight for member in after.members] == pytest.approx([0.25, 0.75])


def test_members_of_a_rate_are_those_of_its_concurrency() -> None:
    closed = BLEND.predict(WHERE, [layout(4)], ASKED)
    (point,) = at_rates(closed, [LoadLevel.rate(1.0)]).points
    mean = sum(m.ttft_weight * math.log(m.ttft_ms) for m in point.members)
    assert point.ttft_ms == pytest.approx(math.exp(mean))


def test_members_are_written_and_read_and_are_not_what_was_seen() -> None:
    seen = tuple(measured(FLAT, [1, 2]))
    assert read_lines(written_lines(seen), source="") == seen
    assert observation_id(seen[0]) == observation_id(replace(seen[0], members={}))
    with pytest.raises(ValueError, match=r"members\.steep-1: expected positive numbers"):
        replace(seen[0], members={"steep-1": (-1.0, None)})
