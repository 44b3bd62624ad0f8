"""What every search strategy has to do, as tests to inherit from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autotuner.search import (
    Budget,
    OperatingPoint,
    Outcome,
    Proposal,
    SearchState,
    Stop,
    Strategy,
    description,
)

# The same test runs in every class that inherits it.
_INHERITED = settings(
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow], deadline=None
)
_LEVELS = (1, 4, 16)
_AMOUNT = st.floats(0.5, 5000)


@st.composite
def outcomes(draw: st.DrawFn, candidate_id: str) -> Outcome:
    """A finished experiment of that candidate: measured at every level, or failed."""
    if draw(st.integers(0, 3)) == 0:
        kind = draw(st.sampled_from(["out_of_memory", "died_while_loading"]))
        return Outcome(candidate_id, "failed", failure_kind=kind)
    points = [
        OperatingPoint(candidate_id, level, *draw(st.tuples(*[_AMOUNT] * 6))) for level in _LEVELS
    ]
    return Outcome(candidate_id, "completed", tuple(points))


@st.composite
def states(draw: st.DrawFn, *, smallest: int = 1) -> SearchState:
    """A search under way: some candidates finished, some in flight, some untried."""
    size = draw(st.integers(smallest, 12))
    values = [(slots, threads) for slots in (1, 2, 4, 8) for threads in (1, 2, 4)][:size]
    names = draw(st.permutations([f"c{number:02}" for number in range(size)]))
    order = draw(st.permutations(names))
    finished = draw(st.integers(0, size))
    flying = draw(st.integers(0, min(2, size - finished)))
    return SearchState(
        candidates=tuple(names),
        history=tuple(draw(outcomes(name)) for name in order[:finished]),
        objectives=("tok_s_per_gpu", "ttft_ms"),
        spent_experiments=finished,
        spent_minutes=float(finished),
        seed=draw(st.integers(0, 2**32)),
        in_flight=tuple(order[finished : finished + flying]),
        levels=_LEVELS,
        settings={
            name: {"scheduling.max_running_requests": slots, "misc.threads": threads}
            for name, (slots, threads) in zip(names, values, strict=True)
        },
    )


class StrategyContract(ABC):
    """Inherit from it, name the subclass `Test…`, and supply the strategy."""

    @abstractmethod
    def strategy(self) -> Strategy:
        """The strategy under test."""

    @given(states())
    @_INHERITED
    def test_it_proposes_an_untried_candidate_with_reason_and_phase(
        self, state: SearchState
    ) -> None:
        choice = self.strategy().propose(state)
        if state.untried():
            assert isinstance(choice, Proposal), f"stopped with work left: {choice}"
            assert choice.candidate_id in state.untried()
            assert choice.reason.strip()
            assert choice.phase.strip()
        else:
            assert isinstance(choice, Stop)
            assert choice.reason.strip()

    @given(states())
    @_INHERITED
    def test_equal_states_get_equal_answers(self, state: SearchState) -> None:
        strategy = self.strategy()
        first = strategy.propose(state)
        strategy.propose(replace(state, seed=state.seed + 1))
        assert strategy.propose(replace(state)) == first
        assert self.strategy().propose(state) == first

    @given(states())
    @_INHERITED
    def test_what_it_says_of_itself_depends_on_the_state_alone(self, state: SearchState) -> None:
        told = description(self.strategy(), state)
        assert isinstance(told, str)
        assert description(self.strategy(), replace(state)) == told

    @given(states(), st.data())
    @_INHERITED
    def test_it_stops_when_a_budget_is_reached(
        self, state: SearchState, data: st.DataObject
    ) -> None:
        launched = state.spent_experiments + len(state.in_flight)
        budget = data.draw(
            st.sampled_from(
                [
                    Budget(experiments=launched),
                    Budget(experiments=max(launched - 1, 0)),
                    Budget(minutes=state.spent_minutes),
                    Budget(usd=state.spent_usd),
                ]
            )
        )
        choice = self.strategy().propose(replace(state, budget=budget))
        assert isinstance(choice, Stop)
        assert choice.reason.strip()

    @given(states(), st.one_of(st.none(), st.integers(0, 14)), st.data())
    @_INHERITED
    def test_a_replay_visits_each_candidate_once_until_the_budget_is_used(
        self, state: SearchState, experiments: int | None, data: st.DataObject
    ) -> None:
        state = replace(state, budget=Budget(experiments=experiments))
        started = state.spent_experiments + len(state.in_flight)
        room = len(state.candidates) if experiments is None else experiments
        expected = min(max(room - started, 0), len(state.untried()))
        strategy, visited = self.strategy(), list[str]()
        while isinstance(choice := strategy.propose(state), Proposal):
            assert choice.candidate_id in state.untried(), f"{choice.candidate_id} once more"
            visited.append(choice.candidate_id)
            outcome = data.draw(outcomes(choice.candidate_id))
            state = replace(
                state,
                history=(*state.history, outcome),
                spent_experiments=state.spent_experiments + 1,
            )
        assert len(visited) == len(set(visited)) == expected
