"""Which numbers of events have been seen, where numbers may come late. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

LATE_S = 60.0
"""After so long, a number that was given and has not come belongs to a write that was undone."""
MOST_LATE = 1_000


@dataclass(frozen=True)
class Window:
    """What has been seen: every number up to `last` but the `late` ones.

    Two transactions of PostgreSQL may be given numbers in one order and become visible in the
    other, so that a number that is passed over may come later.

    Attributes:
        late: number -> since when it is missing, in seconds of the caller's clock.
    """

    last: int = 0
    late: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def beginning(cls, newest: Iterable[int], now_s: float) -> Window:
        """All that is older than the newest numbers counts as seen."""
        ids = sorted(newest)
        return cls(ids[0] - 1).seeing(ids, now_s) if ids else cls()

    def seeing(self, ids: Iterable[int], now_s: float) -> Window:
        """The window after these numbers, in rising order, have been seen."""
        late = {number: since for number, since in self.late.items() if now_s - since < LATE_S}
        last = self.last
        for number in ids:
            late.pop(number, None)
            late.update((missing, now_s) for missing in _between(last, number))
            last = max(last, number)
        return Window(last, dict(list(late.items())[-MOST_LATE:]))


def _between(last: int, number: int) -> Iterator[int]:
    """The numbers passed over; of a great many only the newest."""
    return iter(range(max(last + 1, number - MOST_LATE), number))
