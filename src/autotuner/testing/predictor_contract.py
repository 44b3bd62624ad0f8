"""Contract of predictors, as tests to inherit from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autotuner.catalog import ModelFacts
from autotuner.config import Candidate, closed_loops
from autotuner.predict import Prediction, Predictions, Predictor, Scenario, tok_s_under

# The same test runs in every class that inherits it.
_INHERITED = settings(
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
    deadline=None,
    max_examples=20,
)
LEVELS = closed_loops(1, 4, 16, 64)
LITTLE_TOLERANCE = 0.1


class PredictorContract(ABC):
    """Inherit from it, name the subclass `Test…`, and supply predictor, scenario, candidates."""

    @abstractmethod
    def predictor(self) -> Predictor:
        """A new predictor under test."""

    @abstractmethod
    def scenario(self) -> Scenario:
        """Circumstances that it supports."""

    @abstractmethod
    def candidates(self) -> Sequence[Candidate]:
        """Some that it can tell, better also one out of memory and one that it refuses."""

    def answer(self) -> Predictions:
        """Predictions of all candidates at all levels."""
        return self.predictor().predict(self.scenario(), self.candidates(), LEVELS)

    def test_it_has_a_name(self) -> None:
        assert self.predictor().name.strip()
        assert self.answer().predictor == self.predictor().name

    def test_it_says_why_it_supports_a_scenario(self) -> None:
        support = self.predictor().supports(self.scenario())
        assert support.supported
        assert support.why.strip()

    def test_what_it_does_not_know_is_refused_with_the_reason(self) -> None:
        unknown = replace(self.scenario(), model="nobody/knows-this", facts=ModelFacts())
        support = self.predictor().supports(unknown)
        assert not support.supported
        assert support.why.strip()
        answer = self.predictor().predict(unknown, self.candidates(), LEVELS)
        assert set(answer.refused) == {candidate.id for candidate in self.candidates()}
        assert all(why.strip() for why in answer.refused.values())
        assert answer.points == ()

    def test_equal_questions_get_equal_answers(self) -> None:
        predictor = self.predictor()
        first = predictor.predict(self.scenario(), self.candidates(), LEVELS)
        assert predictor.predict(self.scenario(), self.candidates(), LEVELS) == first
        assert self.answer() == first

    def test_every_candidate_stands_in_exactly_one_place(self) -> None:
        answer = self.answer()
        reported = {point.candidate_id for point in answer.points}
        places = [*reported, *answer.out_of_memory, *answer.refused]
        assert sorted(places) == sorted(candidate.id for candidate in self.candidates())
        assert reported, "none of the candidates is predicted"

    def test_points_come_in_order_and_complete(self) -> None:
        answer = self.answer()
        reported = {point.candidate_id for point in answer.points}
        wanted = [
            (candidate.id, level)
            for candidate in self.candidates()
            if candidate.id in reported
            for level in LEVELS
        ]
        assert [(point.candidate_id, point.load) for point in answer.points] == wanted

    def test_figures_are_positive_and_finite(self) -> None:
        scenario = self.scenario()
        by_id = {candidate.id: candidate for candidate in self.candidates()}
        for point in self.answer():
            figures = (
                *(point.ttft_ms, point.tok_s, *(() if point.osl <= 1 else (point.tpot_ms,))),
                *(point.ttft_log_std, point.tpot_log_std, point.tok_s_log_std),
            )
            assert all(f is not None and math.isfinite(f) and f > 0 for f in figures), point
            assert point.devices == scenario.devices(by_id[point.candidate_id])
            assert point.osl == scenario.osl
            assert point.source.strip()

    def test_throughput_follows_from_latency(self) -> None:
        for point in self.answer():
            little = tok_s_under(point.load, point.ttft_ms, point.tpot_ms, point.osl)
            assert point.tok_s == pytest.approx(little, rel=LITTLE_TOLERANCE), point

    def test_what_does_not_fit_is_reported(self) -> None:
        for memory in self.answer().out_of_memory.values():
            assert memory.why.strip()
            if memory.needed_gib is not None and memory.available_gib is not None:
                assert memory.needed_gib > memory.available_gib

    @given(st.data())
    @_INHERITED
    def test_an_answer_does_not_depend_on_what_else_is_asked(self, data: st.DataObject) -> None:
        everything = self.answer()
        some = data.draw(st.lists(st.sampled_from(list(self.candidates())), unique=True))
        levels = data.draw(st.lists(st.sampled_from(LEVELS), min_size=1, unique=True))
        answer = self.predictor().predict(self.scenario(), some, levels)
        wanted = [
            point
            for candidate in some
            for point in everything.of(candidate.id)
            if point.load in levels
        ]
        assert [_rounded(point) for point in answer] == [_rounded(point) for point in wanted]
        assert set(answer.refused) == {c.id for c in some} & set(everything.refused)
        assert set(answer.out_of_memory) == {c.id for c in some} & set(everything.out_of_memory)


def _rounded(point: Prediction) -> dict[str, object]:
    """A point, its figures to eight digits: sums may be taken in another order."""
    return {
        name: float(f"{value:.8g}") if isinstance(value, float) else value
        for name, value in vars(point).items()
    }
