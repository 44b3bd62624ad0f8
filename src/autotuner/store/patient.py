"""A store that outlasts a database that is away: each of its calls waits and is made again.

A call may have been done although its answer was lost, so each can be made twice: see `Store`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from autotuner.errors import StoreUnavailableError
from autotuner.store.sessions import Sessions
from autotuner.store.store import Store

Patience = Callable[[StoreUnavailableError], None]
"""Waits before a call is made again, or raises where it is not worth it any longer."""
T = TypeVar("T")

_CALLS = (
    *("find_run", "get_run", "runs", "set_run_status", "end_run", "update_plan"),
    *("begin_experiment", "add_measurement", "add_predictions", "finish_experiment"),
    *("keep_wall_time", "interrupt_running", "forget_interrupted", "experiments", "set_standings"),
    *(
        "add_observations",
        "observations",
        "observations_about",
        "newest_observation",
        "add_event",
        "events",
    ),
)


class PatientStore(Store):
    """See the module.

    Args:
        patience: called with what went wrong before each new try.
    """

    def __init__(self, sessions: Sessions, patience: Patience) -> None:
        super().__init__(sessions)
        self.patience = patience


def _patiently(call: Callable[..., T]) -> Callable[..., T]:
    @functools.wraps(call)
    def again_and_again(store: PatientStore, *given: Any, **named: Any) -> T:
        while True:
            try:
                return call(store, *given, **named)
            except StoreUnavailableError as error:
                store.patience(error)

    return again_and_again


for _name in _CALLS:
    setattr(PatientStore, _name, _patiently(getattr(Store, _name)))
