"""The timing compares like with like, and says when it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from autotuner.evaluate import speed as grid
from autotuner.evaluate.speed import SpeedReport, report
from autotuner.predict.aiconfigurator.questions import question

OURS = {"cold_s": 2.0, "warm_s": 0.5, "points": [[10.0, 2.0, 30.0, False], [9e4, 2.0, 90.0, True]]}
PLAIN = {
    "first_s": 4.0,
    "each_s": 1.0,
    "each_versioned_s": 0.01,
    "points": [[10.0, 2.0, 30.0], None],
}


def reported(
    plain: dict[str, Any] | None = None, ours: dict[str, Any] | None = None
) -> SpeedReport:
    return report(OURS | (ours or {}), OURS | {"cold_s": 0.5}, PLAIN | (plain or {}), sample=24)


def test_a_sample_is_scaled_to_all_configurations() -> None:
    found = reported()
    assert found.plain_warm_s == 324
    assert found.plain_cold_s == 4 + 323
    assert (found.warm_ratio, found.cold_ratio) == (648, 327 / 2)
    assert found.versioned_ratio == pytest.approx(6.48)
    assert found.cached_s == 0.5


def test_what_fits_is_compared_and_what_does_not_is_agreed_upon() -> None:
    found = reported()
    assert (found.compared, found.disagree, found.largest_difference) == (1, 0, 0.0)
    assert found.passed
    assert reported({"points": [[10.0, 2.0, 30.0], [5.0, 2.0, 90.0]]}).disagree == 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_number_that_differs_is_no_pass(place: int) -> None:
    other = [10.0, 2.0, 30.0]
    other[place] *= 1.001
    found = reported({"points": [other, None]})
    assert found.largest_difference == pytest.approx(1e-3, rel=0.01)
    assert not found.same_numbers
    assert not found.passed


def test_missing_a_goal_is_no_pass() -> None:
    assert not reported(ours={"warm_s": 324 / 39}).passed
    assert not reported(ours={"cold_s": 327 / 14}).passed


def test_both_sides_ask_the_same() -> None:
    asked = [
        {
            **{
                name: getattr(found.layout, name)
                for name in ("tp_size", "ctx_tokens", "isl", "osl")
            },
            "gemm_quant_mode": found.layout.gemm_quant_mode,
            "batch_size": found.batch(level),
        }
        for found in (
            question(candidate, grid.scenario(), grid.MODEL, grid.GPU)
            for candidate in grid.candidates()
        )
        for level in grid.BATCHES
    ]
    plain = grid.plain_arguments()
    assert len(asked) == grid.COUNT == 324
    assert asked == [{name: row[name] for name in asked[0]} for row in plain]


@pytest.mark.slow
def test_the_goals_are_reached_with_the_same_numbers() -> None:
    words = ("bench", "predict", "--plain-sample", "3", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "autotuner", *words], capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["same_numbers"]
    assert found["compared"] > 250
    assert found["warm_ratio"] >= found["warm_goal"] == 40
    assert found["cold_ratio"] >= found["cold_goal"] == 15
