"""Who has gone quiet: a pure account of what an observer has seen, by its own clock alone.

Only time in which the observer could look counts, and of the time between two looks no more than
two looks take: an observer that was stopped, or slept with its machine, accuses nobody on waking.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

Mark = tuple[int, ...]
"""What grows while somebody lives: the lease and the beat of a task, the beat of a worker."""


@dataclass(frozen=True)
class _Seen:
    mark: Mark
    quiet_s: float


@dataclass(frozen=True)
class Watch:
    """What was seen until now; `looked` gives the next one.

    Attributes:
        look_s: seconds that usually lie between two looks.
    """

    look_s: float
    _seen: Mapping[Hashable, _Seen] = field(default_factory=dict)
    _looked_at_s: float | None = None

    def looked(self, marks: Mapping[Hashable, Mark], now_s: float) -> Watch:
        """After a look that found these marks; whoever is not among them is forgotten."""
        since_s = 0.0 if self._looked_at_s is None else now_s - self._looked_at_s
        counted_s = min(max(since_s, 0.0), 2 * self.look_s)
        seen = {key: _after(self._seen.get(key), mark, counted_s) for key, mark in marks.items()}
        return Watch(self.look_s, seen, now_s)

    def blinded(self) -> Watch:
        """After a look that failed: the time until the next one counts for nobody."""
        return Watch(self.look_s, self._seen, None)

    def quiet_s(self, key: Hashable) -> float:
        """For how long a mark has certainly not changed; 0 for one that was never seen."""
        found = self._seen.get(key)
        return 0.0 if found is None else found.quiet_s


def _after(before: _Seen | None, mark: Mark, counted_s: float) -> _Seen:
    if before is None or before.mark != mark:
        return _Seen(mark, 0.0)
    return _Seen(mark, before.quiet_s + counted_s)
