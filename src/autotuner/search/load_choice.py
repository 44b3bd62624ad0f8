"""Which load level a launch measures next: an optional seam beside `Strategy`.

A launch costs a start and then its levels. While the engine is up, a strategy may say which level
is next, and when another launch is worth more; one that does not gets every level, rising.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from autotuner.config import LoadLevel
from autotuner.search.strategy import Outcome, SearchState, Strategy


@dataclass(frozen=True)
class RunningLaunch:
    """A launch whose engine is up.

    Attributes:
        measured: what it has shown until now; without any level at first.
        left: load levels that it could measure, rising; at least one.
    """

    measured: Outcome
    left: tuple[LoadLevel, ...]

    @property
    def candidate_id(self) -> str:
        """Id of the candidate that is launched."""
        return self.measured.candidate_id

    @property
    def has_begun(self) -> bool:
        """Whether any level was tried."""
        return bool(self.measured.points or self.measured.failed_levels)


@dataclass(frozen=True)
class NextLevel:
    """The load level to measure next, one of those left."""

    load: LoadLevel


@dataclass(frozen=True)
class EndLaunch:
    """The launch is over, and why."""

    reason: str


@runtime_checkable
class ChoosesLevels(Protocol):
    """Optional method of a strategy; as pure as `propose`.

    Example:
        choice = next_level(strategy, state, running)
        if isinstance(choice, EndLaunch): print(choice.reason)
    """

    def next_level(self, state: SearchState, running: RunningLaunch) -> NextLevel | EndLaunch:
        """The next choice for a running launch.

        Args:
            state: the search without that launch, neither in its history nor in flight, but with
                the minutes that it has taken.
        """


def next_level(
    strategy: Strategy, state: SearchState, running: RunningLaunch
) -> NextLevel | EndLaunch:
    """The choice of `strategy`; the lowest level left where it makes none."""
    if isinstance(strategy, ChoosesLevels):
        return strategy.next_level(state, running)
    return NextLevel(running.left[0])
