"""The outcome of a comparison, added up leaf by leaf."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_SHOWN = 50
PLACES = ("carried", "verbatim", "converted", "translated", "observed")


@dataclass
class MovedComparison:
    """Counts of what was found of the source, and the differences.

    Attributes:
        found: where leaves were found -> how many: `carried` in version 1's tables as they were,
            `verbatim` in a record beside, `converted` in a measurement too, in its unit,
            `translated` keys of tasks in the task of version 2 or a note too, `observed` raw
            results in observations too.
        differences: leaves that are not there, or are something else; the first of them.
        worked_on: tasks that were worked on here since: theirs are other values by now.
    """

    found: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    differing: int = 0
    units: int = 0
    skipped: int = 0
    worked_on: int = 0

    def differ(self, place: str, why: str) -> None:
        """Notes a leaf that is not as it was."""
        self.differing += 1
        if len(self.differences) < _SHOWN:
            self.differences.append(f"{place}: {why}")

    def expect(self, place: str, expected: Any, here: Any) -> None:
        """Notes every leaf of a document of ours that is something else here."""
        for path, wanted, found in unlike(expected, here):
            inside = f"{place}.{path}" if path else place
            self.differ(inside, f"it is {found!r:.200} here, and would be {wanted!r:.200}")

    def to_json(self) -> dict[str, Any]:
        """The whole of it."""
        return {
            "units": self.units,
            "skipped": self.skipped,
            "worked_on": self.worked_on,
            "leaves": {place: self.found[place] for place in PLACES},
            "differing": self.differing,
            "differences": self.differences,
        }


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def unlike(expected: Any, here: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted paths at which two documents differ, and what either has there."""
    if isinstance(expected, dict) and isinstance(here, dict):
        for key in {**expected, **here}:
            inside = f"{path}.{key}" if path else str(key)
            yield from unlike(expected.get(key, _ABSENT), here.get(key, _ABSENT), inside)
    elif isinstance(expected, list) and isinstance(here, list) and len(expected) == len(here):
        for place, (one, other) in enumerate(zip(expected, here, strict=True)):
            yield from unlike(one, other, f"{path}.{place}" if path else str(place))
    elif expected != here or isinstance(expected, bool) is not isinstance(here, bool):
        yield path, expected, here
