"""Whether prediction and measurement would have chosen the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.verify import Pair, Point, pair_of
from autotuner.verify.analysis import choices

FIGURE = st.floats(1, 1000)
POINTS = st.lists(st.tuples(*[FIGURE] * 6), min_size=2, max_size=12)


def pair(
    predicted: tuple[float, float, float], actual: tuple[float, float, float], **shown: str
) -> Pair:
    """A pair of (TTFT ms, TPOT ms, tok/s) on one GPU."""
    sides = [
        Point(LoadLevel.concurrency(1), ttft_ms=ttft, tpot_ms=tpot, tok_s=tok_s, gpus=1, **shown)  # type: ignore[arg-type]  # names
        for ttft, tpot, tok_s in (predicted, actual)
    ]
    return pair_of(*sides)


def test_a_small_example_worked_out_by_hand() -> None:
    # (tok/s per user, tok/s): measured (100, 10), (50, 40), (20, 50); predicted, the middle one is
    # beaten by the first, which is taken to give 60.
    pairs = [
        pair((10, 10, 60), (10, 10, 10)),
        pair((10, 20, 40), (10, 20, 40)),
        pair((10, 50, 90), (10, 50, 50)),
    ]
    (found,) = choices(pairs)
    assert (found.predicted_frontier, found.actual_frontier, found.common) == (2, 3, 2)
    # Reference (12, 6): all three (88 x 4) + (38 x 30) + (8 x 10) = 1572; without the middle one
    # (88 x 4) + (8 x 40) = 672.
    assert found.hypervolume_ratio == pytest.approx(672 / 1572)
    assert found.chosen is pairs[0]
    assert found.best is pairs[1]
    assert not found.same
    assert found.regret == pytest.approx(100 * (1 - 1000 / 2000))
    assert found.meets_slo is None


def test_within_an_slo_the_throughput_counts_and_a_broken_limit_is_worth_nothing() -> None:
    pairs = [pair((90, 10, 50), (150, 10, 50)), pair((80, 10, 40), (80, 10, 40))]
    (found,) = choices(pairs, {"ttft_ms": 100})
    assert (found.chosen, found.best) == (pairs[0], pairs[1])
    assert (found.regret, found.meets_slo) == (100, False)
    (kept,) = choices(pairs[1:] * 2, {"ttft_ms": 100})
    assert (kept.regret, kept.meets_slo, kept.same) == (0, True, True)
    (none,) = choices(pairs, {"ttft_ms": 1})
    assert none.regret is None


def test_scenarios_do_not_compete_with_each_other() -> None:
    one = [pair((1, 1, 1), (1, 1, 1), model="a"), pair((1, 2, 3), (1, 2, 3), model="a")]
    two = [pair((1, 1, 9), (1, 1, 9), model="b"), pair((1, 2, 9), (1, 2, 9), model="b")]
    alone = [pair((1, 1, 1), (1, 1, 1), model="c")]
    assert [found.scenario for found in choices([*one, *two, *alone])] == ["a", "b"]


def test_a_point_that_does_not_state_all_takes_no_part() -> None:
    blind = pair_of(
        Point(LoadLevel.concurrency(1), ttft_ms=1), Point(LoadLevel.concurrency(1), ttft_ms=1)
    )
    assert choices([blind, blind]) == ()


@given(POINTS)
def test_what_was_foretold_exactly_is_chosen_right(points: list[tuple[float, ...]]) -> None:
    (found,) = choices([pair(p[:3], p[:3]) for p in points])
    assert found.same
    assert found.regret == pytest.approx(0)
    assert found.hypervolume_ratio == pytest.approx(1)
    assert found.common == found.actual_frontier == found.predicted_frontier


@given(POINTS)
def test_no_choice_is_better_than_the_best(points: list[tuple[float, ...]]) -> None:
    (found,) = choices([pair(p[:3], p[3:]) for p in points])
    assert found.regret is not None
    assert -1e-9 <= found.regret <= 100
    assert 0 <= found.hypervolume_ratio <= 1 + 1e-9


@given(POINTS, st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_bias_that_all_points_share_changes_no_choice(
    points: list[tuple[float, ...]], latency: float, speed: float
) -> None:
    true = choices([pair(p[:3], p[3:]) for p in points])[0]
    off = choices([pair((p[0] * latency, p[1] * latency, p[2] * speed), p[3:]) for p in points])[0]
    assert off.regret == pytest.approx(true.regret, abs=1e-6)
