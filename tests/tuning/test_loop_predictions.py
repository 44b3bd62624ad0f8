"""Predictions in the loop: each launch has its own, and each launch teaches the next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import Bench, MadeUpLauncher, level, opened, smooth
from made_up_predictor import MadeUpPredictor

from autotuner.measure import Measurement
from autotuner.predict import Scenario
from autotuner.tuning.disturbance import why_uncorrected
from autotuner.tuning.events import (
    LevelMeasured,
    NotPredicted,
    PredictionTrouble,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


def test_every_launch_has_its_prediction_as_known_at_that_moment(bench: Bench) -> None:
    summary, _ = bench.tune(predictor=MadeUpPredictor())
    levels = [list(e.predictions) for e in summary.experiments]
    assert [[shown.load.value for shown in found] for found in levels] == [[1, 4]] * 3
    assert {shown.base.ttft_ms for found in levels for shown in found} == {40.0}
    corrected = [
        [shown.calibrated.ttft_ms for shown in found if shown.calibrated] for found in levels
    ]
    assert corrected[0] == [40.0, 40.0], "nothing is known before the first launch"
    assert corrected[1:] == [pytest.approx([20.0, 20.0])] * 2
    error = summary.prediction_error
    assert error is not None
    assert error.calibrated is not None
    assert (error.base.points, error.calibrated.points) == (6, 6)
    assert error.base.ttft_ms.median_ape == pytest.approx(1.0)
    assert error.base.tok_s.median_ape == pytest.approx(0.5)
    assert error.calibrated.ttft_ms.median_ape == pytest.approx(0.0)
    assert error.calibrated.ttft_ms.share_in_interval == pytest.approx(4 / 6)
    shown = [event.predicted for event in bench.events if isinstance(event, LevelMeasured)]
    assert [point and round(point.ttft_ms) for point in shown] == [40, 40, 20, 20, 20, 20]


def test_a_task_names_why_nothing_was_corrected_and_the_load_of_each_launch(bench: Bench) -> None:
    def late(slots: int, concurrency: int) -> Measurement | None:
        found = smooth(slots, concurrency)
        assert found is not None
        return found.model_copy(update={"client_bottleneck": True})

    summary, _ = bench.tune(load=late, predictor=MadeUpPredictor())
    why = why_uncorrected(summary.experiments, when_busy=False)
    assert why.startswith("no prediction was corrected: all levels are marked as disturbed")
    calm, _ = bench.tune(predictor=MadeUpPredictor(), again=True)
    assert why_uncorrected(calm.experiments, when_busy=False) == ""
    for launch, experiment in zip(calm.search.launches, calm.experiments, strict=True):
        stored = bench.store.experiments(calm.task.id)[experiment.index - 1].standing
        (same,) = (m for m in experiment.measurements if m.load == launch.load)
        assert same.tok_s == stored.actual_throughput_tok_s


def test_a_second_run_begins_with_what_the_first_has_learnt(bench: Bench) -> None:
    bench.tune(predictor=MadeUpPredictor())
    assert len(bench.store.observations()) == 6
    summary, _ = bench.tune(predictor=MadeUpPredictor(), again=True)
    assert summary.task.id == 2
    error = summary.prediction_error
    assert error is not None
    assert error.calibrated is not None
    assert error.base.ttft_ms.median_ape == pytest.approx(1.0)
    assert error.calibrated.ttft_ms.share_in_interval == 1.0
    assert len(bench.store.observations()) == 12


def test_a_predictor_of_another_version_learns_nothing_from_the_first(bench: Bench) -> None:
    bench.tune(predictor=MadeUpPredictor())
    summary, _ = bench.tune(predictor=MadeUpPredictor("made-up-2"), again=True)
    first = summary.experiments[0].predictions[0].calibrated
    assert first is not None
    assert first.ttft_ms == 40.0


def test_what_cannot_be_predicted_is_shown_and_teaches_nothing(bench: Bench) -> None:
    predictor = MadeUpPredictor(refused={2: "no data of 2 slots"}, too_large=[4])
    summary, _ = bench.tune(predictor=predictor)
    assert [e.status for e in summary.experiments] == ["completed"] * 3
    absent = [None, "no data of 2 slots", "out of memory: too large"]
    assert [e.unpredicted for e in summary.experiments] == absent
    assert [e.reason for e in bench.events if isinstance(e, NotPredicted)] == absent[1:]
    assert {
        o.observation.settings["scheduling.max_running_requests"]
        for o in bench.store.observations()
    } == {1}


def test_a_predictor_that_breaks_is_named_and_the_run_goes_on(bench: Bench) -> None:
    class Broken(MadeUpPredictor):
        def supports(self, scenario: Scenario) -> Any:
            raise AssertionError

        def predict(self, *_: Any) -> Any:
            raise ZeroDivisionError("by nothing")

    summary, _ = bench.tune(predictor=Broken())
    assert [e.status for e in summary.experiments] == ["completed"] * 3
    shown = {event.message for event in bench.events if isinstance(event, PredictionTrouble)}
    assert shown == {"the predictor failed: ZeroDivisionError: by nothing"}
    assert all(e.unpredicted in shown for e in summary.experiments)
    assert summary.prediction_error is None
    assert "prediction_trouble" in {event.kind for event in bench.store.events(summary.task.id)}


def test_a_failed_launch_teaches_nothing_and_keeps_its_prediction(bench: Bench) -> None:
    launcher = MadeUpLauncher(broken=(2,))
    summary, _ = bench.tune(launcher=launcher, predictor=MadeUpPredictor())
    failed = summary.experiments[1]
    assert [shown.measured for shown in failed.predictions] == [None, None]
    assert len(bench.store.observations()) == 4


def test_only_valid_levels_are_learnt_from(bench: Bench) -> None:
    def flaky(slots: int, concurrency: int) -> Measurement | None:
        failed = int((slots, concurrency) == (4, 4))
        return level(concurrency, 100.0, 5.0, failed=failed)

    bench.tune(flaky, predictor=MadeUpPredictor())
    assert len(bench.store.observations()) == 5


def test_a_resumed_run_learns_from_each_launch_once(bench: Bench) -> None:
    def stopped(slots: int, concurrency: int) -> Measurement | None:
        if (slots, concurrency) == (2, 4):
            raise asyncio.CancelledError
        return smooth(slots, concurrency)

    with pytest.raises(asyncio.CancelledError):
        bench.tune(stopped, predictor=MadeUpPredictor())
    assert len(bench.store.observations()) == 2
    summary, _ = bench.tune(predictor=MadeUpPredictor(), again=True)
    assert summary.task.id == 1, "it was not complete"
    assert len(bench.store.observations()) == 6
    assert len({kept.observation.launch for kept in bench.store.observations()}) == 3
    assert [len(e.predictions) for e in summary.experiments] == [2, 2, 2]
