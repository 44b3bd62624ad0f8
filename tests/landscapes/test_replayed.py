"""What a search sees of a landscape: knowledge before it begins, noisy measurements after."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.landscapes import (
    Landscape,
    PointMetrics,
    RecordedLaunch,
    RecordedLevel,
    knowledge,
    measured,
    observations,
    true_outcome,
)

TRUE, STATED = PointMetrics(100, 10, 400, 1100), PointMetrics(80, 8, 500, 900)


def level(
    concurrency: int,
    true: PointMetrics | None = TRUE,
    predicted: PointMetrics | None = STATED,
    *,
    status: str = "ok",
    predicted_status: str = "ok",
    noise_cv: float = 0.0,
) -> RecordedLevel:
    return RecordedLevel(
        LoadLevel.concurrency(concurrency),
        true,
        status,
        predicted,
        predicted_status,
        60.0,
        noise_cv,
    )


def landscape(*launches: tuple[RecordedLevel, ...], model: str = "llama-3.1-8b") -> Landscape:
    return Landscape(
        name="small",
        model=model,
        device="h100_sxm",
        isl=1024,
        osl=101,
        launches=tuple(
            RecordedLaunch(str(place), "vllm", 2, {"parallel.tensor_parallel": 2}, levels)
            for place, levels in enumerate(launches)
        ),
    )


OOM = level(8, None, None, status="oom", predicted_status="oom")


def test_predictions_are_of_the_levels_that_have_one() -> None:
    found = knowledge(landscape((level(4), OOM)))
    (point,) = found.predictions["0"]
    assert (point.load.value, point.ttft_ms, point.tpot_ms, point.tok_s) == (4, 80, 8, 500)
    assert point.tok_s_per_gpu == 250
    assert found.out_of_memory == found.refused == {}


def test_a_launch_without_predictions_is_refused_or_out_of_memory() -> None:
    silent = level(4, TRUE, None, predicted_status="na")
    found = knowledge(landscape((silent,), (OOM,), (level(4),)))
    assert set(found.refused) == {"0"}
    assert set(found.out_of_memory) == {"1"}
    assert set(found.predictions) == {"2"}


def test_circumstances_name_the_family_of_a_known_model() -> None:
    reported = knowledge(landscape((level(4),))).circumstances["0"]
    assert (reported.family, reported.engine, reported.gpus, reported.isl) == (
        "LlamaForCausalLM",
        "vllm",
        2,
        1024,
    )
    unknown = knowledge(landscape((level(4),), model="nobody-knows-7b")).circumstances["0"]
    assert unknown.family is None


def test_observations_are_what_is_both_predicted_and_measured() -> None:
    silent = level(2, TRUE, None, predicted_status="na")
    (found,) = observations(landscape((silent, level(4), OOM)))
    assert (found.load.value, found.ttft_ms, found.base_ttft_ms) == (4, 100, 80)
    assert (found.launch, found.source) == ("small:0", "small")


def test_without_noise_the_truth_is_measured() -> None:
    scape = landscape((level(4), level(8)))
    outcome = measured(scape, scape.launches[0], seed=3)
    assert outcome == true_outcome(scape.launches[0], scape.osl)
    assert [p.load.value for p in outcome.points] == [4, 8]
    first = outcome.points[0]
    assert (first.tok_s_per_gpu, first.tok_s_per_user, first.e2e_p90_ms) == (200, 100, 1100)


@pytest.mark.parametrize(
    ("status", "kind"), [("oom", "out_of_memory"), ("failed", "died_while_loading")]
)
def test_a_launch_whose_levels_all_fail_is_a_failure(status: str, kind: str) -> None:
    bad = level(4, None, None, status=status)
    outcome = true_outcome(landscape((bad,)).launches[0])
    assert (outcome.status, outcome.points, outcome.failure_kind) == ("failed", (), kind)
    assert [x.value for x in outcome.failed_levels] == [4]


def test_a_level_that_fails_is_reported_beside_those_that_do_not() -> None:
    outcome = true_outcome(landscape((level(4), OOM)).launches[0])
    assert (outcome.status, outcome.failed_levels) == ("completed", (LoadLevel.concurrency(8),))


@given(st.integers(0, 2**31))
def test_a_seed_always_measures_the_same(seed: int) -> None:
    scape = landscape((level(4, noise_cv=0.05),))
    assert measured(scape, scape.launches[0], seed) == measured(scape, scape.launches[0], seed)


def test_noise_has_the_recorded_spread_and_moves_throughput_and_tpot_together() -> None:
    scape = landscape((level(4, noise_cv=0.05),))
    points = [measured(scape, scape.launches[0], seed).points[0] for seed in range(2000)]
    slower = [math.log(p.tpot_ms / TRUE.tpot_ms) for p in points]
    waiting = [math.log(p.ttft_ms / TRUE.ttft_ms) for p in points]
    faster = [math.log(p.tok_s / TRUE.tok_s) for p in points]
    for draws in (slower, waiting, faster):
        assert statistics.stdev(draws) == pytest.approx(0.05, rel=0.1)
        assert statistics.fmean(draws) == pytest.approx(0, abs=0.005)
    assert statistics.correlation(slower, faster) == pytest.approx(-1)
    assert 0.4 < statistics.correlation(slower, waiting) < 0.6


def test_levels_and_launches_draw_noise_of_their_own() -> None:
    noisy = (level(4, noise_cv=0.05), level(8, noise_cv=0.05))
    scape = landscape(noisy, noisy)
    points = [p for launch in scape.launches for p in measured(scape, launch, 0).points]
    assert len({p.tpot_ms for p in points}) == 4
