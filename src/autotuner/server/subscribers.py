"""Open sockets of this process, counted by what they follow."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Subscribers:
    """Counts who follows a task."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._following: Counter[int] = Counter()

    def count(self, task_id: int) -> int:
        """How many follow a task now."""
        with self._lock:
            return self._following.get(task_id, 0)

    @contextmanager
    def following(self, task_id: int) -> Iterator[None]:
        """Counts one more while the block runs."""
        with self._lock:
            self._following[task_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._following[task_id] -= 1
                if not self._following[task_id]:
                    del self._following[task_id]
