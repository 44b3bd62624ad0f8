"""Limits that a comparison has to keep."""

from __future__ import annotations

import pytest

from autotuner.config import LoadLevel
from autotuner.errors import VerifyError
from autotuner.report.comparison import comparison_document
from autotuner.verify import Comparison, Point, Side, compare_pairs, judge, pair_of
from autotuner.verify.requirements import known, parse_requirements

WITHIN = (10.0, 20.0)
SIDES = {"predicted": Side("p", "csv", 2), "actual": Side("a", "csv", 2)}


def comparison() -> Comparison:
    """TTFT 25 and 5 % too low, TPOT right, no throughput."""
    pairs = [
        pair_of(
            Point(LoadLevel.concurrency(level), ttft_ms=predicted, tpot_ms=10.0 * level),
            Point(LoadLevel.concurrency(level), ttft_ms=100.0, tpot_ms=10.0 * level),
        )
        for level, predicted in ((1, 75.0), (2, 95.0))
    ]
    return compare_pairs(pairs, within=WITHIN, **SIDES)


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("pairs=2", True),
        ("pairs=3", False),
        ("ttft_median_ape=15", True),
        ("ttft_median_ape=14.9", False),
        ("ttft_mape=15", True),
        ("ttft_bias=1.2", True),
        ("ttft_bias=1.1", False),
        ("ttft_within_10=50", True),
        ("ttft_within_20=51", False),
        ("tpot_spearman=1", True),
        ("ttft_spearman=0", False),
        ("tok_s_mape=1000", False),
        ("regret=100", False),
    ],
)
def test_a_limit_is_kept_or_missed_and_what_is_unknown_misses_it(text: str, met: bool) -> None:
    (verdict,) = judge(comparison(), parse_requirements([text], WITHIN))
    assert verdict.met == met


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ttft_median_ape", "has no limit"),
        ("ttft_medianape=3", "did you mean 'ttft_median_ape'"),
        ("ttft_within_15=3", "ttft_within_10"),
        ("pairs=many", "no number"),
        ("pairs=nan", "no number"),
    ],
)
def test_an_impossible_requirement_is_refused(text: str, word: str) -> None:
    with pytest.raises(VerifyError, match=word):
        parse_requirements([text], WITHIN)


def test_every_requirement_that_is_known_can_be_judged() -> None:
    texts = [f"{name}=0" for name in known(WITHIN)]
    verdicts = judge(comparison(), parse_requirements(texts, WITHIN))
    assert len(verdicts) == len(texts)
    shown = comparison_document(comparison(), verdicts)["requirements"]
    assert [one["name"] for one in shown] == list(known(WITHIN))
    assert {one["bound"] for one in shown} == {"at most", "at least"}
