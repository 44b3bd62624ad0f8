"""Operating points as they are shown: figures, intervals, and where repeats disagree."""

from __future__ import annotations

from typing import Any

import pytest
from made_up_bench import level

from autotuner.config import LoadLevel
from autotuner.measure import Distribution, Measurement
from autotuner.measure.energy import Energy
from autotuner.measure.statistics import distribution
from autotuner.tuning.operating_points import Criteria, MeasuredLevel, OperatingPointView

CRITERIA = Criteria(("tok_s_per_gpu", "tok_s_per_user"), {"e2e_p90_ms": 100.0})


def shown(*repeats: Measurement, gpus: int = 0) -> OperatingPointView:
    """The point of a level with these repeats."""
    made = MeasuredLevel(1, "c", {"misc.threads": 2}, gpus, repeats)
    return made.view(CRITERIA, on_frontier=False)


def spread(values: list[float]) -> Distribution:
    found = distribution(values)
    assert found is not None
    return found


def measured(**latencies: Distribution) -> Measurement:
    return level(4, 80.0, 50.0).model_copy(update=latencies)


def test_means_and_percentiles_have_their_own_intervals() -> None:
    ttft = spread([float(20 + n % 7) for n in range(60)])
    figures = shown(measured(ttft_ms=ttft)).figures
    assert figures.ttft_ms and figures.ttft_p50_ms and ttft.ci95 and ttft.p50_ci95
    assert figures.ttft_ms.low == pytest.approx(ttft.mean - ttft.ci95)
    assert figures.ttft_ms.high == pytest.approx(ttft.mean + ttft.ci95)
    assert (figures.ttft_p50_ms.low, figures.ttft_p50_ms.high) == ttft.p50_ci95
    assert figures.ttft_p50_ms.value == ttft.p50


def test_a_sample_too_small_for_the_upper_end_of_a_percentile_has_none() -> None:
    e2e = spread([float(40 + n % 5) for n in range(20)])
    point = shown(measured(e2e_ms=e2e))
    assert point.figures.e2e_p90_ms is not None
    assert point.figures.e2e_p90_ms.high is None
    assert point.figures.e2e_p90_ms.low is not None
    assert (point.verdicts, point.meets_slo) == ({"e2e_p90_ms": "unclear"}, True)


def test_the_speed_of_a_user_turns_the_interval_of_tpot_round() -> None:
    tpot = spread([float(48 + n % 5) for n in range(40)])
    figures = shown(measured(tpot_ms=tpot)).figures
    assert figures.tpot_ms and figures.tok_s_per_user
    assert figures.tpot_ms.low and figures.tpot_ms.high
    assert figures.tok_s_per_user.low == 1000 / figures.tpot_ms.high
    assert figures.tok_s_per_user.high == 1000 / figures.tpot_ms.low


def test_a_repeated_level_shows_medians_and_is_steady_only_as_a_whole() -> None:
    repeats = [level(4, tok_s, 50.0) for tok_s in (80.0, 100.0, 90.0)]
    point = shown(*repeats, gpus=2)
    assert point.figures.tok_s and point.figures.tok_s_per_gpu
    assert (point.figures.tok_s.value, point.figures.tok_s_per_gpu.value) == (90.0, 45.0)
    assert point.is_steady
    broken = shown(*repeats, level(4, 80.0, 50.0, failed=1))
    assert not broken.is_steady
    assert broken.note == "1 of 33 requests failed"


def test_a_repeat_that_was_disturbed_takes_no_part_beside_a_quiet_one() -> None:
    quiet = level(4, 80.0, 50.0)
    late = quiet.model_copy(update={"client_bottleneck": True, "tok_s": 3.0})
    few = quiet.model_copy(update={"requests_completed": 2, "tok_s": 5.0})
    for odd in (late, few):
        point = shown(odd, quiet)
        assert point.figures.tok_s
        assert point.figures.tok_s.value == 80.0
        assert not point.is_disturbed
        assert point.note.startswith("1 of 2 measurements left out")
    alone = shown(late, few)
    assert alone.figures.tok_s
    assert (alone.figures.tok_s.value, alone.is_disturbed) == (3.0, True)
    assert shown(late, late).is_disturbed


def test_energy_is_of_the_repeats_that_were_metered() -> None:
    quiet = level(4, 80.0, 50.0)
    counted = Energy(energy_j=1600.0, window_s=2.0, source="nvml", counted="GPU 0")
    unseen = quiet.model_copy(update={"energy": Energy(not_measured="no driver answers")})
    metered = [quiet.model_copy(update={"energy": counted, "tok_s": n}) for n in (80.0, 100.0)]
    point = shown(unseen, *metered)
    assert point.figures.joules_per_output_token is not None
    assert point.figures.joules_per_output_token.value == pytest.approx(9.0)
    assert point.energy_note == "NVML: GPU 0"
    assert shown(unseen).figures.joules_per_output_token is None
    assert shown(unseen).energy_note == "not measured: no driver answers"
    assert shown(quiet).energy_note == ""


def test_a_level_that_nobody_answered_has_no_figures() -> None:
    nothing: dict[str, Any] = dict.fromkeys(("ttft_ms", "tpot_ms", "e2e_ms"))
    silent = level(4, 0.0, 50.0, failed=8).model_copy(
        update=nothing | {"requests_completed": 0, "tok_s": 0.0, "requests_s": 0.0}
    )
    point = shown(silent)
    assert set(point.figures.model_dump().values()) == {None}
    assert point.note == "8 of 8 requests failed"


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        (LoadLevel.concurrency(8), "1:concurrency:8"),
        (LoadLevel.rate(2.5), "1:rate:2.5"),
        (LoadLevel.rate(3.0), "1:rate:3"),
        (LoadLevel.rate(2.12345678), "1:rate:2.12345678"),
    ],
)
def test_an_id_has_every_digit_of_its_load(load: LoadLevel, expected: str) -> None:
    assert shown(level(4, 80.0, 50.0).model_copy(update={"load": load})).id == expected
