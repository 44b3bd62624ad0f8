"""What readers see of the recommended point beside the baseline."""

from __future__ import annotations

from typing import Any

import pytest

from autotuner.tuning.baseline_words import certainty_text, gain


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.382, "+38 %"),
        (0.959, "-4.1 %"),
        (0.9996, "no change"),
        (1.0, "no change"),
        (2.999, "+200 %"),
        (3.24, "3.24 times"),
    ],
)
def test_a_ratio_reads_as_a_change(ratio: float, text: str) -> None:
    assert gain(ratio) == text


@pytest.mark.parametrize(
    ("better", "settled", "text"),
    [
        (0.93, "unclear", "better with 93 %: not settled"),
        (0.2, "unclear", "worse with 80 %: not settled"),
        (0.5, "unclear", "no difference seen"),
        (0.9979, "unclear", "better with 99.7 %: not settled"),
        (0.9981, "better", "better, 99.8 %"),
        (1.0, "better", "better, 99.9 %"),
        (0.0, "worse", "worse, 99.9 %"),
    ],
)
def test_certainty_never_claims_more_than_is_settled(
    better: float, settled: Any, text: str
) -> None:
    assert certainty_text(better, settled) == text
