"""Predictions corrected by what they are compared with say so; what changed nothing is no count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autotuner.catalog import ModelFacts, gpu_named
from autotuner.config import LoadLevel
from autotuner.predict import Observation, Scenario
from autotuner.predict.calibration import correcting
from autotuner.verify.autotuner_reader import read_predictions
from autotuner.verify.compare import CORRECTED, compare_files
from autotuner.verify.points import Point, PointFile

SCENARIO = Scenario("m", ModelFacts(), "vllm", "1", gpu_named("h200"), "h200", 8, 4)
SEEN = Observation(
    *("m", None, "vllm", "1", "h200", 1, {}, 8, 4, LoadLevel.concurrency(2)),
    *(10.0, 5.0, 100.0, "base-1", 40.0, 10.0, "first"),
)


def test_only_what_changes_a_prediction_counts() -> None:
    strangers = replace(SEEN, engine="llamacpp", model="other", launch="second")
    other_base = replace(SEEN, base="base-2")
    assert correcting([SEEN, strangers, other_base], "base-1", SCENARIO) == (SEEN,)
    same_engine = replace(SEEN, model="other")
    same_model = replace(SEEN, engine="llamacpp")
    reached = correcting([strangers, same_engine, same_model], "base-1", SCENARIO)
    assert reached == (strangers, same_engine, same_model)
    assert correcting([strangers], "base-1", SCENARIO) == ()


def saved(corrected_by: list[str]) -> dict[str, Any]:
    rows = [
        {"candidate": "a", "settings": {}, "gpus": 1, "concurrency": level, "ttft_ms": 11.0,
         "tpot_ms": 5.5, "tok_s": 90.0, "source": "x", "note": ""}
        for level in (1, 2)
    ]  # fmt: skip
    return {
        "model": "m", "engine": "vllm", "device": "h200", "workload": {"isl": 8, "osl": 4},
        "predictor": "base-1", "predictions": rows, "corrected_by": corrected_by,
    }  # fmt: skip


def measured() -> PointFile:
    points = [
        Point(LoadLevel.concurrency(level), 10.0, 5.0, 100.0,
              gpus=1, model="m", engine="vllm", system="h200",
              candidate="a", isl=8, osl=4, source=f"at {level}")
        for level in (1, 2)
    ]  # fmt: skip
    return PointFile("run", "autotuner-run", tuple(points))


@pytest.mark.parametrize("marks", [[], [SEEN.mark], ["another"]])
def test_what_it_is_compared_with_is_shown(marks: list[str], tmp_path: Path) -> None:
    predictions = read_predictions(saved(marks), tmp_path / "p.json")
    found = compare_files(predictions, measured())
    shown = [pair.actual.load.value for pair in found.pairs if CORRECTED in pair.unlike]
    assert shown == ([2] if marks == [SEEN.mark] else [])
    message = any("1 of 2 predictions" in note for note in found.predicted.notes)
    assert message == bool(shown)


def test_a_file_that_keeps_no_marks_says_that_it_is_unknown() -> None:
    plain = measured()
    calibrated = replace(
        plain,
        points=tuple(
            replace(point, originals={"source": "roofline-1, calibrated by 3 of 5 observations"})
            for point in plain.points
        ),
    )
    notes = compare_files(calibrated, plain).predicted.notes
    assert any("does not say" in note for note in notes)
    assert compare_files(plain, plain).predicted.notes == ()
