"""Small levels of load, what they showed, and the repetition of those that were disturbed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from autotuner.config import LengthDistribution, LoadLevel
from autotuner.measure import LevelPlan, Measurement, StoppingRule

LONG_S = 120.0
"""More seconds than any of these levels takes."""
_TRIES = 4


def plan(
    concurrency: int = 2,
    requests: int = 6,
    *,
    rate: float | None = None,
    lengths: str = "D(16,8)",
    duration_s: float = LONG_S,
    warmup_requests: int = 0,
    ci_width: float | None = None,
    request_timeout_s: float = LONG_S,
    most_in_flight: int = 100,
) -> LevelPlan:
    """A small level: of `concurrency` requests in flight, or of `rate` requests per second."""
    return LevelPlan(
        lengths=LengthDistribution.parse(lengths),
        load=LoadLevel.rate(rate) if rate else LoadLevel.concurrency(concurrency),
        stop=StoppingRule(requests, duration_s, ci_width),
        warmup_requests=warmup_requests,
        request_timeout_s=request_timeout_s,
        most_in_flight=most_in_flight,
    )


@dataclass
class ObservedLevel:
    """One level that was run: what it showed, and its progress."""

    shown: Measurement
    wall_s: float
    alive_after: bool
    progress: list[tuple[int, int]] = field(default_factory=list)


def undisturbed(attempt: Callable[[], None]) -> None:
    """Makes an attempt again that an `AssertionError` ends, a few times at most.

    For figures that have to be those of the engine: other work on the machine makes it slower now
    and then, and never faster.
    """
    for left in reversed(range(_TRIES)):
        try:
            attempt()
        except AssertionError:
            if not left:
                raise
        else:
            return
