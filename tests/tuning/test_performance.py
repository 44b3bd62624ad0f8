"""Where the time of a task's points goes: measured and predicted, and what would help."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.config import Candidate, LoadLevel, parse_task
from autotuner.errors import NoResultError
from autotuner.measure import Distribution, Measurement
from autotuner.predict import Observation, e2e_ms, tok_s
from autotuner.predict.roofline.predictor import roofline_points
from autotuner.report.performance_words import (
    change_lines,
    change_text,
    did_not_help_text,
    learnt_lines,
    reach_text,
    title,
    uncertain_lines,
)
from autotuner.search import OperatingPoint
from autotuner.store import ExperimentRecord
from autotuner.tuning.expected_changes import (
    PlacedPoint,
    did_help,
    expected_changes,
    tried_changes,
)
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.part_learning import parts_learnt
from autotuner.tuning.performance import PerformanceOf, PointChoice
from autotuner.tuning.performance_views import PerformanceView
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.scenarios import Question, scenarios

TASK: dict[str, Any] = {
    "version": 2,
    "name": "on paper",
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
    "runtime": {"isl": 1024, "osl": 128},
    "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 8},
    "parallel": {"tensor_parallel": [1, 2, 4, 8]},
    "quantization": {"gemm_mode": ["bfloat16", "fp8"]},
    "benchmark": {"concurrency": [1, 8, 64]},
    "prediction": {"predictor": "roofline"},
}


@functools.cache
def on_paper(levels: str = "concurrency") -> tuple[Prepared, tuple[Question, ...]]:
    """The task, resolved once."""
    benchmark: dict[str, Any] = {"concurrency": [1, 8, 64]}
    if levels == "rate":
        benchmark = {"load": [{"rate": 2.0}, {"rate": 8.0}]}
    prepared = prepare(parse_task({**TASK, "benchmark": benchmark}), base=Path())
    return prepared, scenarios(prepared, Path("/nowhere"), measure=False)


def distribution(mean: float) -> Distribution:
    values = dict.fromkeys(["mean", "min", "p50", "p90", "p95", "p99", "max"], mean)
    return Distribution(count=32, std=0.0, **values)


def measurement(load: LoadLevel, ttft_ms: float, tpot_ms: float, osl: float) -> Measurement:
    rate = tok_s(load.value, ttft_ms, tpot_ms, osl)
    return Measurement(
        load=load,
        duration_s=10,
        requests_completed=32,
        requests_failed=0,
        requests_short=0,
        ended_by="requests",
        valid=True,
        tok_s=rate,
        requests_s=rate / osl,
        input_tokens=32 * 1024,
        output_tokens=int(32 * osl),
        ttft_ms=distribution(ttft_ms),
        tpot_ms=distribution(tpot_ms),
        e2e_ms=distribution(e2e_ms(ttft_ms, tpot_ms, osl)),
    )


def experiment(
    index: int, candidate: Candidate, errors: Mapping[str, float], *, failed: bool = False
) -> ExperimentRecord:
    """A launch on a machine whose parts take e^error times as long as assumed."""
    prepared, questions = on_paper()
    scenario = questions[0][0]
    points = roofline_points(scenario, candidate, prepared.task.benchmark.levels)
    levels = []
    for load, point in points.items():
        assert point.parts is not None
        times = (point.parts.ttft_ms, point.parts.tpot_ms)
        ttft_ms, tpot_ms = (
            sum(ms * math.exp(errors.get(name.partition(":")[0], 0.0)) for name, ms in one.items())
            for one in times
        )
        levels.append(measurement(load, ttft_ms, tpot_ms, scenario.osl))
    return ExperimentRecord(
        id=index,
        index=index,
        candidate_id=candidate.id,
        settings=candidate.settings(),
        command="vllm serve",
        status="failed" if failed else "completed",
        selection_reason="",
        phase="",
        log_path="",
        failure_kind="out_of_memory" if failed else None,
        failure_message=None,
        log_tail=None,
        startup_s=1.0,
        measure_s=10.0,
        measurements=() if failed else tuple(levels),
    )


def candidates(**wanted: Any) -> list[Candidate]:
    """The candidates with these values."""
    paths = {name.replace("__", "."): value for name, value in wanted.items()}
    found = on_paper()[0].space.candidates
    return [one for one in found if all(one.get(p) == value for p, value in paths.items())]


def explaining(
    experiments: Sequence[ExperimentRecord] = (), earlier: Sequence[Observation] = ()
) -> PerformanceOf:
    prepared, questions = on_paper()
    return PerformanceOf(
        prepared,
        questions,
        experiments=experiments,
        earlier=earlier,
        forecast=forecast_of(prepared, Path("/nowhere"), measure=False),
    )


@functools.cache
def of_slow_reading() -> PerformanceView:
    """A task whose weights are read in twice the time."""
    chosen = candidates(quantization__gemm_mode="bfloat16")
    errors = {"dense_read": math.log(2)}
    launches = [experiment(n, one, errors) for n, one in enumerate(chosen, 1)]
    return explaining(launches).explained(PointChoice(load=LoadLevel.concurrency(1)))


def check(found: PerformanceView) -> None:
    """What holds of every explanation."""
    assert sum(part.ttft_share for part in found.parts) == pytest.approx(1.0)
    assert sum(part.tpot_share for part in found.parts) == pytest.approx(1.0)
    for latency in found.latencies:
        assert sum(latency.limits.values()) == pytest.approx(1.0)
        assert latency.learnt_low_ms < latency.learnt_ms < latency.learnt_high_ms
        total_ms = sum(getattr(part, latency.quantity) for part in found.parts)
        assert total_ms == pytest.approx(latency.learnt_ms)
    for part in found.parts:
        assert part.factor_low < part.factor < part.factor_high
        assert part.rate is None or part.rate.share_high is None or part.rate.share_high <= 1
        assert reach_text(part)
    for change in (*found.helps, *found.did_not_help):
        assert change.changes and change.candidate != found.candidate
        assert all(change.now.get(path) != value for path, value in change.changes.items())
        assert change_text(change) and list(change_lines(change))
    assert title(found, ()) and list(uncertain_lines(found))


def test_a_task_file_is_explained_by_prediction_alone() -> None:
    found = explaining().explained()
    check(found)
    assert not found.measured and found.launches == 0 and found.machine == []
    assert not any(part.learnt for part in found.parts)
    assert all(part.factor == pytest.approx(1.0) for part in found.parts)
    assert learnt_lines(found) == []
    assert explaining().of_recommended() is None


@settings(max_examples=15, deadline=None)
@given(place=st.integers(0, 7), level=st.sampled_from((1, 8, 64)))
def test_every_candidate_and_level_can_be_asked_for(place: int, level: int) -> None:
    candidate, load = on_paper()[0].space.candidates[place], LoadLevel.concurrency(level)
    found = explaining().explained(PointChoice(candidate=candidate.id, load=load))
    check(found)
    assert (found.candidate, found.load) == (candidate.id, load)
    space = {one.id for one in on_paper()[0].space.candidates}
    assert all(change.in_task == (change.candidate in space) for change in found.helps)
    assert all(change.gpus <= 8 for change in found.helps)


def test_launches_say_which_part_is_slow_and_how_sure() -> None:
    found = of_slow_reading()
    check(found)
    assert found.measured and (found.launches, found.earlier_launches) == (4, 0)
    (reading,) = [part for part in found.parts if part.part == "dense_read:bfloat16"]
    assert reading.learnt and reading.rate is not None and reading.rate.share_low is not None
    assert reading.rate.share_low < 0.4 < (reading.rate.share_high or 0)
    assert next(iter(found.latencies[1].limits)) == "memory bandwidth"
    assert any(line.startswith("reading dense weights (bfloat16)") for line in learnt_lines(found))
    assert len(learnt_lines(found)) <= 4


def test_a_change_of_the_slow_part_helps_and_is_compared_with_what_was_measured() -> None:
    found = of_slow_reading()
    narrower = [one for one in found.helps if "quantization.gemm_mode" in one.changes]
    assert narrower and "reading dense weights" in narrower[0].parts
    assert narrower[0].in_task and narrower[0].measured_tok_s is None
    wider = [one for one in found.helps if one.gpus > one.gpus_now]
    assert all(one.tpot_ms is not None and one.tpot_ms.after < one.tpot_ms.before for one in wider)


def test_a_change_that_was_measured_and_did_not_help_is_listed_apart() -> None:
    """One level of the wider launch is far off, for a reason that no part explains."""
    bfloat16 = {"quantization__gemm_mode": "bfloat16"}
    one, two = (candidates(parallel__tensor_parallel=n, **bfloat16)[0] for n in (1, 2))
    load = LoadLevel.concurrency(1)
    wider = experiment(2, two, {})
    odd = measurement(load, 500.0, 80.0, 128)
    levels = tuple(odd if level.load == load else level for level in wider.measurements)
    launches = [experiment(1, one, {}), replace(wider, measurements=levels)]
    found = explaining(launches).explained(PointChoice(candidate=one.id, load=load))
    check(found)
    (seen,) = [change for change in found.did_not_help if change.candidate == two.id]
    assert two.id not in [change.candidate for change in found.helps]
    assert "measured already" in did_not_help_text(seen)


def test_launches_that_all_failed_leave_predictions_and_say_so() -> None:
    chosen = candidates(parallel__tensor_parallel=1)
    launches = [experiment(n, one, {}, failed=True) for n, one in enumerate(chosen, 1)]
    found = explaining(launches).explained()
    check(found)
    assert not found.measured and found.launches == 0
    assert any("all 2 launches failed (out_of_memory)" in note for note in found.notes)


def test_one_launch_is_enough() -> None:
    (only, *_) = candidates(parallel__tensor_parallel=2)
    found = explaining([experiment(1, only, {"dense_read": 0.5})]).explained()
    check(found)
    assert (found.launches, found.candidate) == (1, only.id)


def test_earlier_tasks_on_the_same_machine_teach_too() -> None:
    scenario = on_paper()[1][0][0]
    (one, *_) = candidates(parallel__tensor_parallel=1, quantization__gemm_mode="bfloat16")
    launch = experiment(1, one, {"dense_read": 0.6})
    known = {
        "family": None, "engine": "vllm", "engine_version": None, "devices": 1,
        "settings": one.settings(), "isl": 1024, "osl": 128, "base": "roofline-1",
        "base_ttft_ms": 1.0, "base_tpot_ms": 1.0,
    }  # fmt: skip
    earlier = [
        Observation(
            model=model,
            device=device,
            launch=f"{model} {device}",
            load=level.load,
            ttft_ms=level.ttft_ms.mean if level.ttft_ms else 1.0,
            tpot_ms=level.tpot_ms.mean if level.tpot_ms else 1.0,
            tok_s=level.tok_s,
            **known,
        )
        for model in (scenario.model, "unknown/model")
        for device in (scenario.device, "another")
        for level in launch.measurements
    ]
    found = explaining((), earlier).explained()
    check(found)
    assert (found.launches, found.earlier_launches, found.measured) == (1, 1, False)
    assert any(one.surprising for one in found.machine)


def test_a_rate_is_explained_by_the_requests_in_flight() -> None:
    prepared, questions = on_paper("rate")
    forecast = forecast_of(prepared, Path("/nowhere"), measure=False)
    found = PerformanceOf(prepared, questions, forecast=forecast).explained(
        PointChoice(load=LoadLevel.rate(8.0))
    )
    check(found)
    assert found.load == LoadLevel.rate(8.0)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (PointChoice(candidate="0123456789ab"), "candidate: '0123456789ab' is none of the task's"),
        (PointChoice(load=LoadLevel.concurrency(7)), "load: concurrency 7 is no load level"),
        (
            PointChoice(point=99),
            r"--point: 99 is out of range\n.*predicted frontier has 1 to",
        ),
        (PointChoice(point=0), "--point: 0 is out of range"),
    ],
)
def test_what_there_is_not_is_named(choice: PointChoice, words: str) -> None:
    with pytest.raises(NoResultError, match=words.replace("(", r"\(")) as refused:
        explaining().explained(choice)
    assert refused.value.remedy


@pytest.mark.parametrize("zero", ["ttft_ms", "tpot_ms", "tok_s"])
def test_nothing_is_expected_of_changes_where_a_figure_is_zero(zero: str) -> None:
    prepared, ((scenario, _), *_) = on_paper()
    region, (candidate, *_) = prepared.space.by_region()[0]
    figures = {"ttft_ms": 100.0, "tpot_ms": 10.0, "tok_s": 300.0, zero: 0.0}
    point = OperatingPoint(
        candidate_id=candidate.id,
        load=LoadLevel.concurrency(8),
        tok_s_per_gpu=figures["tok_s"],
        tok_s_per_user=100.0,
        e2e_p90_ms=1500.0,
        usd_per_gpu_hour=None,
        **figures,
    )
    placed = PlacedPoint(scenario, region, candidate, point, measured=True)
    errors = parts_learnt((), (), on_cpu=False).errors
    assert expected_changes(placed, tried_changes(placed), errors, {}) == []


def test_what_was_measured_to_serve_nothing_did_not_help() -> None:
    view = next(iter(explaining().explained().helps), None)
    assert view is not None
    assert did_help(view) and not did_help(view.model_copy(update={"measured_tok_s": 0.0}))


def test_a_point_beyond_the_frontier_is_named() -> None:
    (only, *_) = candidates(parallel__tensor_parallel=2)
    with pytest.raises(NoResultError, match="99 is out of range") as refused:
        explaining([experiment(1, only, {})]).explained(PointChoice(point=99))
    assert "has 1 to" in (refused.value.remedy or "")
