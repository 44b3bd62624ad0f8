"""Launches whose machine was lost: they count as not made, and are made again."""

from __future__ import annotations

from pathlib import Path

from autotuner.engines import FailureKind
from autotuner.errors import LaunchError
from autotuner.launch import Failure, LaunchLost
from autotuner.launch.engine_log import read_tail

_TRIES = 3
"""Times that one launch may be lost: whatever it does to its machine, it is not made again."""
_DIFFERENT = 5
"""Different launches, beyond those that one event may hit at once, that are lost with none coming
to its end between them: then it is the machines that do not work."""


class LostLaunches:
    """Says whether a lost launch is made again, and whether any comes to its end at all.

    Args:
        at_once: how many launches may be under way.
    """

    def __init__(self, *, at_once: int) -> None:
        self._most = _DIFFERENT + at_once - 1
        self._times: dict[tuple[int, int | None], int] = {}
        self._in_a_row: set[tuple[int, int | None]] = set()

    def failure(
        self, experiment_id: int, lost: LaunchLost, log_path: Path, *, relaunch: int | None = None
    ) -> Failure | None:
        """Notes that a launch was lost: None where it is made again, else why it is not.

        Args:
            experiment_id: number of the experiment in the store.
            relaunch: number of a further launch of it.
        """
        key = (experiment_id, relaunch)
        self._in_a_row.add(key)
        self._times[key] = self._times.get(key, 0) + 1
        if self._times[key] < _TRIES:
            return None
        message = f"its machine was lost {_TRIES} times, the last time with: {lost}"
        return Failure(FailureKind.MACHINE_LOST, message, read_tail(log_path))

    def require_some_landed(self, lost: LaunchLost) -> None:
        """Ends the task where its machines, and not its launches, are at fault.

        Raises:
            LaunchError: one launch after the other is lost.
        """
        if len(self._in_a_row) >= self._most:
            raise LaunchError(
                f"{len(self._in_a_row)} launches were lost, and none came to its end meanwhile; "
                f"the last with: {lost}",
                remedy="see whether the machines that engines are started on work, and go on",
            ) from None

    def landed(self) -> None:
        """Notes that a launch came to its end."""
        self._in_a_row.clear()

    @property
    def given_up(self) -> tuple[int, ...]:
        """Experiments (numbers in the store) that failed for their machines while no launch came to
        its end: where the machines are at fault, they are not."""
        return tuple(
            experiment_id
            for experiment_id, relaunch in self._in_a_row
            if relaunch is None and self._times[experiment_id, relaunch] >= _TRIES
        )
