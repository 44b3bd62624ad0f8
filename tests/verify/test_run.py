"""A finished run beside what was predicted of its candidates."""

from __future__ import annotations

import pytest
from test_readers import level, run

from autotuner.config import LoadLevel
from autotuner.errors import VerifyError
from autotuner.predict import OutOfMemory, Prediction, Predictions
from autotuner.tuning.summary import TaskSummary
from autotuner.verify import compare_task


def prediction(candidate: str, concurrency: int, ttft_ms: float = 60.0) -> Prediction:
    return Prediction(
        candidate_id=candidate,
        load=LoadLevel.concurrency(concurrency),
        ttft_ms=ttft_ms,
        tpot_ms=8.0,
        tok_s=100.0,
        devices=2,
        osl=16,
        ttft_log_std=0.3,
        tpot_log_std=0.3,
        tok_s_log_std=0.3,
        source="roofline",
    )


def test_a_run_is_compared_level_by_level_with_its_predictions() -> None:
    summary = TaskSummary.model_validate(run(level(8), level(16)))
    points = (prediction("abc", 8), prediction("abc", 32), prediction("other", 8))
    found = compare_task(summary, Predictions("roofline-1", points))
    (pair,) = found.pairs
    assert (pair.predicted.source, pair.like_for_like) == ("abc at 8", True)
    assert found.errors["ttft"].mape == pytest.approx(20)
    assert found.errors["tpot"].mape == pytest.approx(0)
    assert found.title == "roofline-1 against task 4 'n'"
    assert [one.why for one in found.actual.unmatched] == ["concurrency is 16, predicted is 8"]
    assert [one.source for one in found.predicted.unmatched] == ["abc at 32"]


def test_a_prediction_of_no_point_is_listed() -> None:
    document = run(level(8))
    others = [document["experiments"][0] | {"id": name, "measurements": []} for name in "xy"]
    document["experiments"] += others
    predictions = Predictions(
        "p", (prediction("abc", 8),), {"x": OutOfMemory("needs 90 GiB")}, {"y": "no data"}
    )
    found = compare_task(TaskSummary.model_validate(document), predictions)
    assert [(one.source, one.why) for one in found.predicted.excluded] == [
        ("x", "needs 90 GiB"),
        ("y", "no data"),
    ]


def test_a_run_of_which_nothing_was_predicted_is_an_error() -> None:
    summary = TaskSummary.model_validate(run(level(8)))
    with pytest.raises(VerifyError, match="nothing is predicted"):
        compare_task(summary, Predictions("p", refused={"abc": "no"}))
