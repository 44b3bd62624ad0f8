"""An owner's heartbeat to the node of its launch, from a thread of its own.

The owner's event loop may stand still while it waits for its database: that ends no engine.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from autotuner.launch.protocol import LaunchLost

_LOG = logging.getLogger(__name__)


class Heartbeat:
    """Gives signs of life until it is stopped.

    Args:
        give: gives one, and waits until it has arrived.
        every_s: seconds between two.
    """

    def __init__(self, give: Callable[[], None], every_s: float) -> None:
        self._give = give
        self._every_s = every_s
        self._is_over = threading.Event()
        threading.Thread(target=self._go_on, name="heartbeat of a launch", daemon=True).start()

    def stop(self) -> None:
        """Gives none from now on."""
        self._is_over.set()

    def _go_on(self) -> None:
        while not self._is_over.wait(self._every_s):
            try:
                self._give()
            except LaunchLost:
                return  # whoever listens to the engine sees that too
            except Exception as error:
                # A thread that ended unseen would make its owner look dead.
                _LOG.debug("a heartbeat did not arrive: %s: %s", type(error).__name__, error)
