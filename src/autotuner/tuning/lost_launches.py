"""Launches whose machine was lost: they count as not made, and are made again."""

from __future__ import annotations

from collections.abc import Callable

from autotuner.errors import LaunchError
from autotuner.launch import LaunchLost
from autotuner.store import Store
from autotuner.tuning.events import Event, LaunchTakenBack

_IN_A_ROW = 5
"""Lost launches, for each of those that may be under way at once, after which a task gives up."""
_OF_A_LAUNCH = 3
"""Times that one launch may be lost: others that come to their end say nothing of it."""


class LostLaunches:
    """Takes lost launches back; gives up where hardly any other comes to its end.

    Args:
        at_once: how many launches may be under way.
    """

    def __init__(self, store: Store, listen: Callable[[Event], None], *, at_once: int) -> None:
        self._store = store
        self._listen = listen
        self._most = _IN_A_ROW * at_once
        self._in_a_row = 0
        self._of_a_launch: dict[tuple[int, int | None], int] = {}

    def take_back(
        self, experiment_id: int, index: int, lost: LaunchLost, *, relaunch: int | None = None
    ) -> None:
        """Takes a launch back. The levels that an experiment has measured stay for the next one.

        Args:
            experiment_id, index: number of the experiment in the store, and in its task.
            relaunch: number of a further launch of it.

        Raises:
            LaunchError: one launch after the other is lost, or one again and again.
        """
        if relaunch is None:
            self._store.take_experiment_back(experiment_id)
        else:
            self._store.take_relaunch_back(experiment_id, relaunch)
        self._listen(LaunchTakenBack(index, str(lost)))
        lost_before = self._of_a_launch.get((experiment_id, relaunch), 0)
        self._of_a_launch[experiment_id, relaunch] = lost_before + 1
        if lost_before + 1 >= _OF_A_LAUNCH:
            raise LaunchError(
                f"launch {index} was lost {_OF_A_LAUNCH} times, the last time with: {lost}",
                remedy="see whether it ends its machine (its log has the end), exclude its "
                "settings, and go on",
            )
        self._in_a_row += 1
        if self._in_a_row >= self._most:
            raise LaunchError(
                f"{self._in_a_row} launches were lost one after the other, the last with: {lost}",
                remedy="see whether the machines that engines are started on work, and go on",
            )

    def landed(self) -> None:
        """Notes that a launch came to its end."""
        self._in_a_row = 0

    def has_seen(self, experiment_id: int) -> bool:
        """Whether an earlier launch of the experiment was lost in this call."""
        return (experiment_id, None) in self._of_a_launch
