"""What a launch teaches calibration."""

from __future__ import annotations

from typing import Any

import pytest

from autotuner.config import LoadLevel
from autotuner.measure import Measurement
from autotuner.tuning.points import FEWEST_REQUESTS, informative_levels


def level(**changes: Any) -> Measurement:
    """A load level at which all went well."""
    shown: dict[str, Any] = {
        "load": LoadLevel.concurrency(8),
        "duration_s": 10.0,
        "requests_completed": 32,
        "requests_failed": 0,
        "requests_short": 0,
        "ended_by": "requests",
        "valid": True,
        "tok_s": 100.0,
        "requests_s": 3.2,
        "input_tokens": 1024,
        "output_tokens": 1024,
    }
    return Measurement(**{**shown, **changes})


def test_a_level_at_which_all_went_well_teaches() -> None:
    assert informative_levels([level()]) == [level()]
    assert informative_levels([level(requests_completed=FEWEST_REQUESTS)])


@pytest.mark.parametrize(
    "changes", [{"requests_completed": FEWEST_REQUESTS - 1}, {"client_bottleneck": True}]
)
def test_a_level_that_says_little_of_the_engine_teaches_nothing(changes: dict[str, Any]) -> None:
    assert informative_levels([level(**changes)]) == []
