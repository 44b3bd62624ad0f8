"""Contract of search strategies, as tests to inherit from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from autotuner.config import LATENCIES
from autotuner.search import (
    OBJECTIVES,
    Budget,
    Outcome,
    Proposal,
    SearchState,
    Stop,
    Strategy,
    description,
    objective_vector,
    quantity,
)
from autotuner.search.slo import within
from autotuner.testing.made_up_search import made_up_search
from autotuner.testing.search_states import searches, states

_OBJECTIVES_AT = {
    200.0: tuple(OBJECTIVES),
    1.0: ("requests_per_s", "requests_per_s_per_gpu", "ttft_ms"),
}
"""Mean output tokens -> the objectives that are tried. Answers of one token have no TPOT."""
_LIMITS_AT = {200.0: tuple(LATENCIES), 1.0: ("ttft_ms", "e2e_p90_ms")}
_ALWAYS = 8
"""Launches of a strategy that looks at no goal."""


class StrategyContract(ABC):
    """Inherit from it, name the subclass `Test…`, and supply the strategy.

    Attributes:
        exhaustive: whether it goes on until every candidate is launched where no budget ends it
            before. One that may stop earlier says False, and then has to say why it stops.
        examples: how many searches each test draws; fewer for a strategy that thinks long.
        finds_within: launches, of 64 candidates that are predicted exactly, in which it finds what
            any goal asks for; None for a strategy that goes over the space whatever the goal is.
        falls_short: by what share of it, at the most; more for one that draws at random.
    """

    exhaustive: ClassVar[bool] = True
    examples: ClassVar[int] = 30
    finds_within: ClassVar[int | None] = 12
    falls_short: ClassVar[float] = 0.03

    @abstractmethod
    def strategy(self) -> Strategy:
        """The strategy under test."""

    def for_all(self, holds: Callable[..., None], *drawn: SearchStrategy[Any]) -> None:
        """Runs `holds` on drawn arguments."""
        checked = settings(
            max_examples=self.examples, deadline=None, suppress_health_check=list(HealthCheck)
        )(given(*drawn)(holds))
        checked()

    def test_it_proposes_an_untried_candidate_with_reason_and_phase(self) -> None:
        def holds(state: SearchState) -> None:
            choice = self.strategy().propose(state)
            assert choice.reason.strip()
            if isinstance(choice, Proposal):
                assert choice.candidate_id in state.untried()
                assert choice.phase.strip()
            else:
                assert not (self.exhaustive and state.untried()), f"stopped early: {choice}"

        self.for_all(holds, states())

    def test_a_search_that_has_not_begun_begins(self) -> None:
        def holds(search: tuple[SearchState, object], experiments: int | None) -> None:
            state = replace(search[0], budget=Budget(experiments=experiments))
            choice = self.strategy().propose(state)
            nothing_fits = set(state.candidates) <= state.knowledge.out_of_memory.keys()
            assert isinstance(choice, Proposal) or (nothing_fits and not self.exhaustive)

        self.for_all(holds, searches(), st.one_of(st.none(), st.integers(1, 30)))

    def test_equal_states_get_equal_answers(self) -> None:
        def holds(state: SearchState) -> None:
            strategy = self.strategy()
            first = strategy.propose(state)
            strategy.propose(replace(state, seed=state.seed + 1))
            assert strategy.propose(replace(state)) == first
            assert self.strategy().propose(state) == first

        self.for_all(holds, states())

    def test_it_stops_when_a_budget_is_reached(self) -> None:
        def holds(state: SearchState, data: st.DataObject) -> None:
            budgets = [
                Budget(experiments=state.launched),
                Budget(experiments=0),
                Budget(minutes=state.spent_minutes),
                Budget(usd=state.spent_usd),
            ]
            spent = replace(state, budget=data.draw(st.sampled_from(budgets)))
            choice = self.strategy().propose(spent)
            assert isinstance(choice, Stop)
            assert choice.reason.strip()

        self.for_all(holds, states(), st.data())

    def test_what_it_says_of_itself_depends_on_the_state_alone(self) -> None:
        def holds(state: SearchState) -> None:
            reported = description(self.strategy(), state)
            assert isinstance(reported, str)
            assert description(self.strategy(), replace(state)) == reported

        self.for_all(holds, states())

    def test_each_candidate_is_launched_once_until_the_budget_is_used(self) -> None:
        def holds(
            search: tuple[SearchState, Mapping[str, Outcome]], experiments: int | None
        ) -> None:
            state = replace(search[0], budget=Budget(experiments=experiments))
            launched = self._launched(state, search[1])
            size = len(state.candidates)
            most = size if experiments is None else min(experiments, size)
            assert len(set(launched)) == len(launched) <= most
            assert not self.exhaustive or len(launched) == most

        self.for_all(holds, searches(), st.one_of(st.none(), st.integers(0, 14)))

    def test_a_resumed_search_makes_the_same_choices(self) -> None:
        def holds(search: tuple[SearchState, Mapping[str, Outcome]], data: st.DataObject) -> None:
            state, truth = search
            whole = self._launched(state, truth)
            done = data.draw(st.integers(0, len(whole)))
            history = tuple(truth[candidate] for candidate in whole[:done])
            resumed = replace(state, history=history, spent_experiments=done)
            assert self._launched(resumed, truth) == whole[done:]

        self.for_all(holds, searches(), st.data())

    def test_what_is_in_flight_is_not_launched_again(self) -> None:
        def holds(search: tuple[SearchState, Mapping[str, Outcome]]) -> None:
            state, _ = search
            strategy = self.strategy()
            while isinstance(choice := strategy.propose(state), Proposal):
                assert choice.candidate_id not in state.in_flight
                state = replace(state, in_flight=(*state.in_flight, choice.candidate_id))
            assert choice.reason.strip()

        self.for_all(holds, searches())

    def test_every_objective_is_followed(self) -> None:
        for osl, names in _OBJECTIVES_AT.items():
            for name in names:
                self._honours(osl, name, {})

    def test_every_limit_binds(self) -> None:
        for osl, names in _LIMITS_AT.items():
            objective = "requests_per_s_per_gpu" if osl == 1 else "tok_s_per_gpu"
            points = [p for o in made_up_search(osl)[1].values() for p in o.points]
            for name in names:
                rising = sorted(quantity(point, name) for point in points)
                self._honours(osl, objective, {name: rising[len(rising) // 5]})

    def _honours(self, osl: float, objective: str, slo: Mapping[str, float]) -> None:
        """Checks that it comes close to the best point within the SLO, or ignores the goal."""
        goalless, truth = made_up_search(osl)
        launches = self.finds_within or _ALWAYS
        goalless = replace(goalless, budget=Budget(experiments=launches))
        state = replace(goalless, objectives=(objective,), slo=slo)
        launched = self._launched(state, truth)
        if self.finds_within is None:
            assert launched == self._launched(goalless, truth)
            return
        reached, best = (
            max((objective_vector(p, (objective,)) for p in points if within(p, slo)), default=None)
            for points in (
                [point for candidate in some for point in truth[candidate].points]
                for some in (launched, truth)
            )
        )
        assert reached is not None, f"nothing within {slo} by {launched}"
        assert best is not None
        missing = abs(best[0] - reached[0]) / abs(best[0])
        assert missing <= self.falls_short, (
            f"{missing:.0%} short in {objective} within {slo} by {launched}"
        )

    def _launched(self, state: SearchState, truth: Mapping[str, Outcome]) -> list[str]:
        """Candidates launched from `state` on by one strategy, each finished before the next."""
        strategy, launched = self.strategy(), list[str]()
        while isinstance(choice := strategy.propose(state), Proposal):
            assert choice.candidate_id in state.untried(), f"{choice.candidate_id} once more"
            launched.append(choice.candidate_id)
            state = replace(
                state,
                history=(*state.history, truth[choice.candidate_id]),
                spent_experiments=state.spent_experiments + 1,
            )
        return launched
