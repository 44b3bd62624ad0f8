"""Several predictors as one: nothing is asked twice, nothing is lost, who answered is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import ModelFacts, gpu_named
from autotuner.config import Candidate, LoadLevel, closed_loops
from autotuner.predict import OutOfMemory, Prediction, Predictions, Scenario, Support
from autotuner.predict.combined import FirstThatAnswers, answers
from autotuner.predict.predictor import CLOSED_LOOPS, scaled_percentiles

SCENARIO = Scenario("m", ModelFacts(), "vllm", None, gpu_named("h100"), "h100_sxm", 8, 4)
CANDIDATES = tuple(
    Candidate.from_settings({"scheduling.max_running_requests": n}) for n in range(1, 7)
)


class Fixed:
    """Answers, refuses or says out of memory by the number of slots."""

    def __init__(self, name: str, stated: Sequence[str]) -> None:
        self.name, self.stated = name, stated
        self.asked: list[str] = []

    load_kinds = CLOSED_LOOPS

    def supports(self, scenario: Scenario) -> Support:
        return Support("points" in self.stated, f"{self.name} was asked")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        self.asked += [candidate.id for candidate in candidates]
        found: dict[str, list[str]] = {"points": [], "out of memory": [], "refused": []}
        for candidate in candidates:
            found[self.stated[CANDIDATES.index(candidate)]].append(candidate.id)
        return Predictions(
            self.name,
            tuple(self._point(key, level) for key in found["points"] for level in load_levels),
            {key: OutOfMemory("too large") for key in found["out of memory"]},
            dict.fromkeys(found["refused"], f"unknown to {self.name}"),
        )

    def _point(self, key: str, level: LoadLevel) -> Prediction:
        return Prediction(key, level, 9, 9, 9, 1, 4, 0.1, 0.1, 0.1, self.name)


STATED = st.lists(st.sampled_from(["points", "out of memory", "refused"]), min_size=6, max_size=6)


@given(st.lists(STATED, min_size=1, max_size=3))
def test_every_candidate_is_answered_once_by_the_first_that_can(stated: list[list[str]]) -> None:
    predictors = [Fixed(f"p{n}", words) for n, words in enumerate(stated)]
    parts = FirstThatAnswers(predictors).each(SCENARIO, CANDIDATES, closed_loops(1, 2))
    for place, candidate in enumerate(CANDIDATES):
        able = [n for n, words in enumerate(stated) if words[place] != "refused"]
        first = able[0] if able else len(stated) - 1
        for n, predictor in enumerate(predictors):
            assert predictor.asked.count(candidate.id) == int(n <= first)
        reported = [
            part.predictor
            for part in parts
            if part.of(candidate.id) or candidate.id in {**part.out_of_memory, **part.refused}
        ]
        assert reported == [f"p{first}"]


def test_a_point_says_why_those_before_did_not_answer() -> None:
    both = FirstThatAnswers((Fixed("a", ["refused"] * 6), Fixed("b", ["points"] * 6)))
    found = both.predict(SCENARIO, CANDIDATES, closed_loops(1))
    assert found.predictor == both.name == "a, else b"
    assert [point.candidate_id for point in found] == [c.id for c in CANDIDATES]
    assert {(point.source, point.note) for point in found} == {("b", "a: unknown to a")}
    assert both.supports(SCENARIO)
    assert "a was asked" in both.supports(SCENARIO).why


def test_what_all_refuse_has_the_reason_of_each() -> None:
    both = FirstThatAnswers((Fixed("a", ["refused"] * 6), Fixed("b", ["refused"] * 6)))
    (reason,) = set(both.predict(SCENARIO, CANDIDATES, closed_loops(1)).refused.values())
    assert reason == "a: unknown to a; b: unknown to b"
    assert not both.supports(SCENARIO)


def test_a_single_predictor_answers_as_one_part() -> None:
    one = Fixed("a", ["points"] * 6)
    assert [part.predictor for part in answers(one, SCENARIO, CANDIDATES, closed_loops(1))] == ["a"]


def test_percentiles_follow_the_means_that_are_changed() -> None:
    point = Prediction("c", LoadLevel.concurrency(2), 100, 10, 9, 1, 11, 0.1, 0.1, 0.1, "p")
    assert set(scaled_percentiles(point, 50, 10).values()) == {None, ""}
    tailed = replace(point, ttft_p90_ms=150, ttft_p99_ms=300, e2e_p90_ms=400, e2e_p99_ms=600)
    tailed = replace(tailed, tpot_p90_ms=12, percentiles_from="a test")
    assert scaled_percentiles(tailed, 50, 5) == {
        "percentiles_from": "a test",
        "ttft_p90_ms": 75,
        "ttft_p99_ms": 150,
        "tpot_p90_ms": 6,
        "tpot_p99_ms": None,
        "e2e_p90_ms": 200,
        "e2e_p99_ms": 300,
    }
