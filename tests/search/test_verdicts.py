"""How a measured value stands to a limit: by its interval."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.search import OperatingPoint, recommend
from autotuner.search.slo import beyond, verdict, verdicts


def point(
    name: str,
    tok_s: float,
    ttft_ms: float,
    *,
    half_ms: float | None = None,
    e2e_p90_ms: float = 1.0,
) -> OperatingPoint:
    ends = () if half_ms is None else (("ttft_ms", ttft_ms - half_ms, ttft_ms + half_ms),)
    figures = (tok_s, tok_s, 50.0, ttft_ms, 20.0, e2e_p90_ms)
    return OperatingPoint(name, LoadLevel.concurrency(8), *figures, intervals95=ends)


@pytest.mark.parametrize(
    ("ttft_ms", "half_ms", "right"),
    [
        (200.0, 50.0, "meets"),
        (290.0, 50.0, "unclear"),
        (310.0, 50.0, "unclear"),
        (400.0, 50.0, "misses"),
        (290.0, None, "meets"),
        (310.0, None, "misses"),
        (290.0, math.inf, "unclear"),
    ],
)
def test_the_interval_of_a_value_decides(ttft_ms: float, half_ms: float, right: str) -> None:
    assert verdicts(point("a", 1.0, ttft_ms, half_ms=half_ms), {"ttft_ms": 300.0}) == {
        "ttft_ms": right
    }


def test_the_least_clear_of_several_limits_is_that_of_the_point() -> None:
    shown = point("a", 1.0, 290.0, half_ms=50.0, e2e_p90_ms=5000.0)
    assert verdict(shown, {"ttft_ms": 300.0}) == "unclear"
    assert verdict(shown, {"ttft_ms": 300.0, "e2e_p90_ms": 4000.0}) == "misses"
    assert verdict(shown, {}) == "meets"


def test_a_point_that_meets_the_slo_clearly_is_preferred() -> None:
    clear, unclear = point("a", 100.0, 200.0, half_ms=20.0), point("b", 150.0, 290.0, half_ms=50.0)
    chosen = recommend([unclear, clear], {"ttft_ms": 300.0})
    assert chosen is not None
    assert (chosen[0].candidate_id, chosen[2]) == ("a", True)
    assert "of 1 operating points that clearly meet the SLO" in chosen[1]
    assert "; 1 more does as measured)" in chosen[1]


def test_where_nothing_is_clear_the_reason_says_what_is_not() -> None:
    chosen = recommend([point("b", 150.0, 290.0, half_ms=50.0)], {"ttft_ms": 300.0})
    assert chosen is not None
    assert chosen[2]
    assert "not clearly: TTFT lies between 240 and 340 ms" in chosen[1]


@given(st.floats(1, 1e4), st.floats(0, 1e4), st.floats(1, 1e4))
def test_a_narrower_interval_never_contradicts(value: float, half: float, limit: float) -> None:
    wide = verdict(point("a", 1.0, value, half_ms=half), {"ttft_ms": limit})
    narrow = verdict(point("a", 1.0, value, half_ms=half / 2), {"ttft_ms": limit})
    assert wide in ("unclear", narrow)


def test_the_distance_to_a_limit_has_one_wording() -> None:
    assert beyond(0.24) == "24 % over its limit"
    assert beyond(-0.031) == "3.1 % below its limit"
    assert beyond(1.5, "the limit of 500 ms") == "150 % over the limit of 500 ms"
    assert beyond(0.24, "") == "24 % over"
