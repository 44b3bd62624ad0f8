"""Posterior of configurations from their launches: what it says, and what it must not depend on."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.certainty import SETTLED, LaunchFigure, LaunchPosterior, Ratio, settled

FIGURES = st.lists(
    st.builds(
        LaunchFigure,
        st.sampled_from("abc"),
        st.floats(0, 3600),
        st.floats(-2, 8),
        st.floats(0, 0.2),
    ),
    min_size=0,
    max_size=6,
).map(lambda more: [LaunchFigure("a", 10.0, 1.0), LaunchFigure("b", 20.0, 1.1), *more])


def pairs(difference: float, count: int, scatter: float = 0.01) -> list[LaunchFigure]:
    """Launches of `a` and `b` in turns, each off by `scatter` up and down."""
    return [
        LaunchFigure(name, 60.0 * (2 * turn + place), mean + scatter * (-1) ** turn)
        for turn in range(count)
        for place, (name, mean) in enumerate((("a", difference), ("b", 0.0)))
    ]


@given(FIGURES)
@settings(max_examples=25, deadline=None)
def test_a_ratio_is_the_inverse_of_the_other_way_round(made: list[LaunchFigure]) -> None:
    posterior = LaunchPosterior(made)
    there, back = posterior.ratio("a", "b"), posterior.ratio("b", "a")
    assert there.median == pytest.approx(1 / back.median, rel=1e-6)
    assert there.low == pytest.approx(1 / back.high, rel=1e-6)
    assert there.above_one == pytest.approx(1 - back.above_one, abs=1e-9)
    assert there.low <= there.median <= there.high


@given(FIGURES, st.floats(-5, 5), st.floats(0, 1e6))
@settings(max_examples=25, deadline=None)
def test_neither_unit_nor_clock_nor_order_matter(
    made: list[LaunchFigure], shift: float, later_s: float
) -> None:
    moved = [replace(one, log=one.log + shift, at_s=one.at_s + later_s) for one in reversed(made)]
    one, other = (LaunchPosterior(found).ratio("a", "b") for found in (made, moved))
    assert other.median == pytest.approx(one.median, rel=1e-3)
    assert other.above_one == pytest.approx(one.above_one, abs=1e-3)


def test_launches_settle_what_one_launch_leaves_open() -> None:
    once = LaunchPosterior(pairs(0.1, 1)).ratio("a", "b")
    often = LaunchPosterior(pairs(0.1, 5)).ratio("a", "b")
    assert settled(once) == "unclear"
    assert settled(often) == "better"
    assert settled(often, maximise=False) == "worse"
    assert often.high - often.low < once.high - once.low
    assert often.median == pytest.approx(math.exp(0.1), rel=0.01)


def test_what_scatters_more_is_less_sure() -> None:
    quiet, noisy = (LaunchPosterior(pairs(0.1, 3, scatter)) for scatter in (0.005, 0.1))
    assert quiet.launch_std < 0.03 < noisy.launch_std
    assert quiet.ratio("a", "b").above_one > noisy.ratio("a", "b").above_one


def test_a_drift_of_the_machine_is_seen_and_makes_no_difference() -> None:
    walk = [replace(one, log=0.05 * place) for place, one in enumerate(pairs(0.0, 6))]
    posterior = LaunchPosterior(walk)
    assert posterior.drift().above_one > 0.95
    assert posterior.drift().median > 1.1
    assert settled(posterior.ratio("b", "a")) == "unclear"


def test_a_drift_is_known_at_any_moment() -> None:
    walk = [replace(one, log=0.05 * place) for place, one in enumerate(pairs(0.0, 6))]
    posterior, times = LaunchPosterior(walk), sorted(one.at_s for one in walk)
    first, last, gap_s = times[0], times[-1], times[1] - times[0]
    assert posterior.drift(first).median == pytest.approx(1, abs=1e-3)
    assert posterior.drift(last) == posterior.drift()
    middle = posterior.drift((first + last) / 2)
    assert 1.05 < middle.median < posterior.drift().median
    later = posterior.drift(last + 5 * gap_s)
    assert later.median == pytest.approx(posterior.drift().median, rel=0.02)
    assert later.high / later.low > posterior.drift().high / posterior.drift().low
    earlier = posterior.drift(first - 5 * gap_s)
    assert earlier.low < 1 < earlier.high


def test_one_launch_shows_no_drift() -> None:
    drift = LaunchPosterior(pairs(0.1, 1)[:1]).drift()
    assert drift.low < 1 < drift.high


def test_probabilities_of_being_best_add_up_and_follow_the_means() -> None:
    made = [*pairs(0.1, 4), *(replace(one, configuration="c") for one in pairs(0.1, 4)[::2])]
    best = LaunchPosterior(made).best(["a", "b", "c"])
    assert sum(best.values()) == pytest.approx(1)
    assert best["a"] == pytest.approx(best["c"], abs=0.1)
    assert best["b"] < 0.02


def test_what_was_not_launched_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no launches"):
        LaunchPosterior([])
    with pytest.raises(KeyError):
        LaunchPosterior(pairs(0.1, 1)).ratio("a", "d")


@given(st.floats(0, 1))
def test_no_probability_is_both_better_and_worse(above_one: float) -> None:
    ratio = Ratio(1.0, 0.9, 1.1, above_one)
    assert (settled(ratio) == "better") == (above_one >= SETTLED)
    opposite = {"better": "worse", "worse": "better", "unclear": "unclear"}
    assert settled(ratio, maximise=False) == opposite[settled(ratio)]
