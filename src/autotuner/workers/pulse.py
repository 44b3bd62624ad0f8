"""Something that is done again and again in a thread of its own, until it is told to end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_LONGEST_S = 10.0
"""To wait for a call that hangs, as in a database that answers nothing."""
_LOG = logging.getLogger(__name__)


class Pulse:
    """Calls `act` at once and then every `every_s` seconds while its block runs.

    What `act` raises is logged, and it is called again: a thread that ended unseen would make a
    worker look dead.
    """

    def __init__(self, act: Callable[[], None], every_s: float, *, name: str) -> None:
        self._act = act
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(_LONGEST_S)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._act()
            except Exception:
                _LOG.exception("%s failed; it goes on", self._thread.name)
            self._over.wait(self._every_s)
