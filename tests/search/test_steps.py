"""What each launch brought: never worse, complete at the end, and reported for any history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.search import OperatingPoint, Outcome, objective_vector, pareto_front, steps
from autotuner.search.points import has
from autotuner.search.slo import within
from autotuner.testing.search_states import outcomes

PLANE = ("tok_s_per_gpu", "tok_s_per_user")
OBJECTIVES = [PLANE, (*PLANE, "ttft_ms"), ("usd_per_million_tokens", "e2e_p90_ms")]


def done(name: str, *figures: tuple[float, float], ttft_ms: float = 100.0) -> Outcome:
    """A launch with these tok/s/GPU and tok/s/user."""
    points = tuple(
        OperatingPoint(name, LoadLevel.concurrency(level), x, x, y, ttft_ms, 1000 / y, 5000.0)
        for level, (x, y) in enumerate(figures, start=1)
    )
    return Outcome(name, "completed", points)


def failed(name: str) -> Outcome:
    return Outcome(name, "failed", failure_kind="out_of_memory")


def final(history: list[Outcome], objectives: tuple[str, ...]) -> list[OperatingPoint]:
    points = [p for outcome in history for p in outcome.points if has(p, objectives)]
    return pareto_front(points, lambda point: objective_vector(point, objectives))


@st.composite
def histories(draw: st.DrawFn) -> list[Outcome]:
    return [draw(outcomes(f"c{number}")) for number in range(draw(st.integers(1, 8)))]


@given(histories(), histories(), st.sampled_from(OBJECTIVES))
def test_hypervolume_never_falls_and_ends_at_the_whole(
    history: list[Outcome], predicted: list[Outcome], objectives: tuple[str, ...]
) -> None:
    front = final(history, objectives)
    expected = [point for outcome in predicted for point in outcome.points]
    found = steps(history, front, objectives=objectives, slo={}, predicted=expected)
    values = [step.value or 0.0 for step in found]
    assert values == sorted(values)
    assert values[-1] == (1.0 if front else 0.0)
    assert sum(step.added or 0.0 for step in found) == pytest.approx(values[-1])
    assert [step.candidate_id for step in found] == [outcome.candidate_id for outcome in history]
    assert sum(step.frontier_points for step in found) == len(front)


@given(histories(), st.sampled_from(["tok_s_per_gpu", "ttft_ms"]), st.floats(1, 5000))
def test_the_best_value_within_the_slo_never_gets_worse(
    history: list[Outcome], name: str, limit_ms: float
) -> None:
    found = steps(history, (), objectives=(name,), slo={"tpot_ms": limit_ms})
    feasible = [
        getattr(point, name)
        for outcome in history
        for point in outcome.points
        if has(point, ["tpot_ms"]) and within(point, {"tpot_ms": limit_ms})
    ]
    known = [step.value for step in found if step.value is not None]
    assert known == sorted(known, reverse=name == "ttft_ms")
    best = (min if name == "ttft_ms" else max)(feasible, default=None)
    assert found[-1].value == best
    assert all(step.added is None or step.added >= 0 for step in found)


def test_a_launch_that_others_beat_later_was_in_vain_though_it_added_something() -> None:
    history = [done("a", (1, 1)), done("b", (2, 2)), failed("c"), done("d", (1, 3), (3, 1))]
    found = steps(history, final(history, PLANE), objectives=PLANE, slo={})
    assert [step.in_vain for step in found] == [True, False, True, False]
    assert [step.frontier_points for step in found] == [0, 1, 0, 2]
    # Scaled: a at (0.1, 0.1), b at (0.6, 0.6), d at (0.1, 1.1) and (1.1, 0.1).
    shares = [0.01 / 0.46, 0.36 / 0.46, 0.36 / 0.46, 1.0]
    assert [step.value for step in found] == pytest.approx(shares)
    assert found[2].added == 0


def test_what_was_predicted_widens_the_scale() -> None:
    history = [done("a", (1, 3)), done("b", (3, 1))]
    front = final(history, PLANE)
    alone = steps(history, front, objectives=PLANE, slo={})
    hoped = done("a", (11, 3)).points
    beside = steps(history, front, objectives=PLANE, slo={}, predicted=hoped)
    assert alone[0].value == pytest.approx(0.11 / 0.21)
    # Throughput spans 1 to 11: a is at (0.1, 1.1), b at (0.3, 0.1).
    assert beside[0].value == pytest.approx(0.11 / 0.13)


def test_one_launch_is_all_there_is() -> None:
    history = [done("a", (5, 5))]
    (step,) = steps(history, final(history, PLANE), objectives=PLANE, slo={})
    assert (step.value, step.added, step.in_vain) == (1.0, 1.0, False)


@pytest.mark.parametrize("objectives", [PLANE, ("tok_s_per_gpu",)])
def test_where_all_fail_nothing_is_reached(objectives: tuple[str, ...]) -> None:
    found = steps([failed("a"), failed("b")], (), objectives=objectives, slo={})
    assert {step.value for step in found} == {0.0 if len(objectives) > 1 else None}
    assert [(step.added, step.in_vain) for step in found] == [(0.0, True)] * 2


def test_the_first_value_within_the_slo_has_nothing_to_improve_on() -> None:
    history = [done("a", (9, 1)), done("b", (4, 20)), done("c", (6, 20))]
    found = steps(history, history[2].points, objectives=("tok_s_per_gpu",), slo={"tpot_ms": 60})
    assert [step.value for step in found] == [None, 4, 6]
    assert [step.added for step in found] == [0.0, None, 2]
    assert [step.in_vain for step in found] == [True, True, False]


def test_a_search_without_launches_has_no_steps() -> None:
    assert steps((), (), objectives=PLANE, slo={}) == []
