"""The forecast: each candidate asked once, corrected by what belongs to it, never fatal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from made_up_predictor import MadeUpPredictor, MeanRatio

from autotuner.catalog import ModelFacts, gpu_named
from autotuner.config import Candidate, LoadLevel, closed_loops
from autotuner.predict import Observation, Predictions, Predictor, Scenario
from autotuner.predict.combined import FirstThatAnswers
from autotuner.tuning.forecast import Forecast

SCENARIO = Scenario("m", ModelFacts(), "llamacpp", "1", gpu_named("cpu"), "here", 8, 4)
CANDIDATES = tuple(
    Candidate.from_settings({"scheduling.max_running_requests": n}) for n in (1, 2, 4)
)
IDS = [candidate.id for candidate in CANDIDATES]


def forecast(predictor: Predictor, calibrate: Any = MeanRatio) -> Forecast:
    return Forecast(
        ((SCENARIO, CANDIDATES),),
        closed_loops(4, 1),
        choose=lambda scenario: (predictor, "it is the only one"),
        calibrate=calibrate,
    )


def seen(base: str = "made-up-1") -> Observation:
    return Observation(
        *("m", None, "llamacpp", "1", "here", 1, {}, 8, 4, LoadLevel.concurrency(1)),
        *(10.0, 5.0, 100.0, base, 40.0, 10.0, "first"),
    )


def test_each_candidate_is_asked_once_however_often_it_is_wanted() -> None:
    predictor = MadeUpPredictor()
    asked = forecast(predictor)
    asked.expected(IDS[:1])
    found = asked.expected([*IDS, *IDS])
    assert predictor.asked == IDS
    assert list(found) == IDS
    assert [point.load.value for point in found[IDS[0]].base] == [1, 4]
    assert asked.whys == {"made-up-1": "it is the only one"}


def test_only_observations_of_the_same_predictor_correct() -> None:
    asked = forecast(MadeUpPredictor())
    ours, others = seen(), [seen(base="made-up-2")]
    untouched = asked.expected(IDS, others)[IDS[0]]
    assert untouched.calibrated == untouched.base
    corrected = asked.expected(IDS, [*others, ours])[IDS[0]]
    assert corrected.points[0].ttft_ms == pytest.approx(10.0)
    assert corrected.base == untouched.base
    assert asked.relevant([*others, ours]) == (ours,)


def test_without_calibration_observations_change_nothing() -> None:
    asked = forecast(MadeUpPredictor(), calibrate=None)
    expected = asked.expected(IDS, [seen()])[IDS[0]]
    assert expected.points == expected.base
    assert asked.relevant([seen()]) == ()


def test_each_of_two_predictors_is_corrected_by_its_own() -> None:
    first = MadeUpPredictor("first", refused={4: "too many"})
    second = MadeUpPredictor("second")
    asked = forecast(FirstThatAnswers((first, second)))
    found = asked.expected(IDS, [seen(base="second")])
    assert [found[key].predictor for key in IDS] == ["first", "first", "second"]
    assert [found[key].points[0].ttft_ms for key in IDS] == pytest.approx([40.0, 40.0, 10.0])


def test_out_of_memory_and_refusal_say_why_there_is_nothing() -> None:
    asked = forecast(MadeUpPredictor(refused={1: "unknown"}, too_large=[2]))
    found = asked.expected(IDS)
    assert [found[key].absent for key in IDS] == ["unknown", "out of memory: too large", None]


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -1.0])
def test_figures_that_cannot_be_measured_are_refused(wrong: float) -> None:
    asked = forecast(MadeUpPredictor(factor=wrong))
    found = asked.expected(IDS)
    assert all("made-up-1" in (expected.refused or "") for expected in found.values())
    assert len(asked.warnings) == 1


def test_a_predictor_that_cannot_be_chosen_is_shown_once() -> None:
    def choose(scenario: Scenario) -> tuple[Predictor, str]:
        raise ModuleNotFoundError("No module named 'physics'")

    asked = Forecast(((SCENARIO, CANDIDATES),), closed_loops(1), choose=choose)
    asked.expected(IDS[:1])
    found = asked.expected(IDS)
    assert asked.warnings == [
        "the predictor failed: ModuleNotFoundError: No module named 'physics'"
    ]
    assert {expected.refused for expected in found.values()} == set(asked.warnings)


def test_calibration_that_fails_leaves_the_prediction() -> None:
    class Broken(MeanRatio):
        def predict(self, *_: Any) -> Predictions:
            raise ZeroDivisionError("by nothing")

    asked = forecast(MadeUpPredictor(), calibrate=Broken)
    found = asked.expected(IDS, [seen()])
    assert all(expected.points == expected.base != () for expected in found.values())
    assert asked.warnings == ["calibration failed: ZeroDivisionError: by nothing"]


def test_what_is_outside_of_all_questions_is_refused_with_the_reason() -> None:
    asked = Forecast((), closed_loops(1), silent="nobody is asked")
    assert asked.expected(["x"])["x"].absent == "nobody is asked"


def test_two_scenarios_keep_their_own_predictors() -> None:
    other = replace(SCENARIO, engine="vllm")
    predictors = {"llamacpp": MadeUpPredictor("a"), "vllm": MadeUpPredictor("b")}

    def choose(scenario: Scenario) -> tuple[Predictor, str]:
        return predictors[scenario.engine], scenario.engine

    questions: Sequence[Any] = ((SCENARIO, CANDIDATES[:1]), (other, CANDIDATES[1:]))
    found = Forecast(questions, closed_loops(1), choose=choose).expected(IDS)
    assert [found[key].predictor for key in IDS] == ["a", "b", "b"]
