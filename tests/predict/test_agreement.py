"""What others measured: it counts as far as it agrees, and what is poisoned not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autotuner.predict.gaussian_process  # noqa: F401 - loads before any example is timed
from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate, closed_loops
from autotuner.predict import Observation, Prediction, Scenario, tok_s
from autotuner.predict.agreement import LEAST_OFFSET, contradiction, weighed
from autotuner.predict.calibration import CalibratedPredictor
from autotuner.predict.roofline.predictor import RooflinePredictor

LEVELS = closed_loops(1, 8, 64)
BASE = RooflinePredictor()
WIDTHS = (1, 2, 4, 8)


def scenario(model: str = "Qwen/Qwen3-32B") -> Scenario:
    known = known_model(model)
    assert known is not None
    device = gpu_named("h200")
    return Scenario(known.id, known.facts, "vllm", None, device, device.name, 1024, 256)


HERE = scenario()


def layout(width: int) -> Candidate:
    return Candidate.from_settings({"system.gpu_type": "h200", "parallel.tensor_parallel": width})


def observed(
    factor: float, *, origin: str = "", widths: Sequence[int] = WIDTHS, where: Scenario = HERE
) -> list[Observation]:
    """Launches where the truth is the base's answer times `factor`."""
    found = []
    for width in widths:
        for point in BASE.predict(where, [layout(width)], LEVELS).points:
            tpot_ms = (point.tpot_ms or 0) * factor
            seen = Observation(
                model=where.model,
                family=where.facts.architecture,
                engine=where.engine,
                engine_version=None,
                device=where.device,
                devices=point.devices,
                settings=layout(width).settings(),
                isl=where.isl,
                osl=where.osl,
                load=point.load,
                ttft_ms=point.ttft_ms * factor,
                tpot_ms=tpot_ms,
                tok_s=tok_s(point.load.value, point.ttft_ms * factor, tpot_ms, where.osl),
                base=BASE.name,
                base_ttft_ms=point.ttft_ms,
                base_tpot_ms=point.tpot_ms,
                launch=f"{origin}{width}",
                origin=origin,
            )
            found.append(seen)
    return found


def answers(observations: Sequence[Observation]) -> tuple[Prediction, ...]:
    candidates = [layout(width) for width in WIDTHS]
    return CalibratedPredictor(BASE, observations).predict(HERE, candidates, LEVELS).points


def tpot_ratio(observations: Sequence[Observation]) -> float:
    """TPOT as corrected, over the base's; the geometric mean."""
    base = BASE.predict(HERE, [layout(width) for width in WIDTHS], LEVELS).points
    logs = [
        math.log((after.tpot_ms or 1) / (before.tpot_ms or 1))
        for after, before in zip(answers(observations), base, strict=True)
    ]
    return math.exp(sum(logs) / len(logs))


@given(st.floats(10, 1000), st.booleans(), st.none() | st.floats(0.8, 1.25), st.integers(1, 4))
def test_what_is_ten_times_too_good_or_bad_changes_nothing(
    off: float, too_good: bool, own: float | None, launches: int
) -> None:
    mine = [] if own is None else observed(own, widths=WIDTHS[:2])
    factor = 1 / off if too_good else off
    poisoned = observed(factor, origin="poisoned", widths=WIDTHS[:launches])
    (found,) = weighed([*mine, *poisoned]).agreements
    assert found.excluded is not None
    assert "times what is expected" in found.excluded
    assert weighed([*poisoned, *mine]).kept == tuple(mine)
    if mine:
        with_poison = {(p.candidate_id, p.load): p for p in answers([*poisoned, *mine])}
        for point in answers(mine):
            other = with_poison[point.candidate_id, point.load]
            assert (other.ttft_ms, other.tpot_ms) == (point.ttft_ms, point.tpot_ms)


def test_what_agrees_teaches_as_ones_own_does_though_less_surely() -> None:
    own, foreign = observed(1.2), observed(1.2, origin="lab")
    (found,) = weighed(foreign).agreements
    assert (found.excluded, found.outliers) == (None, 0)
    assert found.factor["tpot"] == pytest.approx(1.2)
    assert found.offset_std["tpot"] == pytest.approx(LEAST_OFFSET)
    assert 1.1 < tpot_ratio(foreign) < tpot_ratio(own) < 1.21
    for surer, other in zip(answers(own), answers(foreign), strict=True):
        assert surer.tpot_log_std < other.tpot_log_std


def test_ones_own_launches_decide_however_many_the_others_are() -> None:
    own = observed(1.0, widths=(2, 4))
    crowd = [
        replace(seen, launch=f"{seen.launch}-{number}", ttft_ms=seen.ttft_ms * (1 + number / 1e6))
        for number in range(30)
        for seen in observed(1.3, origin="lab")
    ]
    assert weighed([*own, *crowd]).agreements[0].excluded is not None
    # A little off is kept, and yet what was measured here stands.
    near = [
        replace(seen, ttft_ms=seen.ttft_ms / 1.2, tpot_ms=(seen.tpot_ms or 0) / 1.2)
        for seen in crowd
    ]
    (found,) = weighed([*own, *near]).agreements
    assert found.excluded is None
    assert abs(math.log(tpot_ratio([*own, *near]))) < 0.05
    assert weighed([*own, *crowd]).kept == tuple(own)


def test_one_wrong_point_is_left_out_and_its_group_stays() -> None:
    group = observed(1.1, origin="lab")
    wrong = replace(group[5], tpot_ms=(group[5].tpot_ms or 0) / 10)
    spoilt = [*group[:5], wrong, *group[6:]]
    found = weighed(spoilt)
    assert found.kept == (*group[:5], *group[6:])
    assert (found.agreements[0].outliers, found.agreements[0].excluded) == (1, None)


def test_points_of_two_definitions_contradict_each_other() -> None:
    half = observed(1.0, origin="lab", widths=(1, 2))
    other = [replace(seen, tpot_ms=(seen.tpot_ms or 0) / 8) for seen in observed(1, origin="lab")]
    (found,) = weighed([*half, *other[6:]]).agreements
    assert "mixed definitions" in (found.excluded or "")


def test_groups_are_judged_each_by_origin_model_engine_and_device() -> None:
    good, bad = observed(1.0, origin="good"), observed(0.05, origin="bad")
    elsewhere = observed(0.05, origin="good", where=scenario("meta-llama/Meta-Llama-3.1-8B"))
    found = weighed([*good, *bad, *elsewhere])
    assert found.kept == tuple(good)
    assert [one.excluded is None for one in found.agreements] == [True, False, False]


def test_without_others_everything_is_kept_and_nothing_is_weighed() -> None:
    own = observed(20.0)
    assert weighed(own).kept == tuple(own)
    assert weighed(own).agreements == ()
    assert {variance for _, variance in weighed(own).shared_errors("tpot")} == {0.0}


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0, 5.0])
def test_throughput_of_something_else_is_a_contradiction(factor: float) -> None:
    seen = observed(1.0, origin="lab")[3]
    assert contradiction(seen) is None
    why = contradiction(replace(seen, tok_s=seen.tok_s * factor))
    assert "mixed definitions" in (why or "")
