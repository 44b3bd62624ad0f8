"""Expected time until an engine is ready, of each launch, and where it is from.

A first start of settings compiles what a later one finds in the engine's caches, so the two are
kept apart: by candidate and engine version, of launches of the same model on the same device.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

_PROCESS_S = 5.0
_COMPILING_S = 60.0
"""On a GPU, of an engine that compiles: vLLM 0.24.0 with an 8B model took 51 s on an H200 with what
it had compiled before, 75 to 103 s without."""
_LOAD_GIB_S = 1.0
"""About what one NVMe disk reads."""
StartSource = Literal["recorded", "again", "first", "assumed"]
"""The recorded launch of a replay; starts of these settings; first ones of others; a guess."""


@dataclass(frozen=True)
class Start:
    """A start of an earlier launch that succeeded."""

    candidate_id: str
    engine_version: str
    seconds: float


@dataclass(frozen=True)
class ExpectedStart:
    """Seconds until the engine is ready.

    Attributes:
        launches: earlier ones of which it is the median; 0 where it is none.
    """

    seconds: float
    source: StartSource
    launches: int = 0


@dataclass(frozen=True)
class AssumedStart:
    """A guess, for engines that were not started yet.

    Attributes:
        compiles: whether it compiles or captures for a GPU before it serves.
    """

    weights_gib: float
    compiles: bool

    @property
    def _process_s(self) -> float:
        return _COMPILING_S if self.compiles else _PROCESS_S

    def expected(self) -> ExpectedStart:
        """The process, and its weights from a disk."""
        return ExpectedStart(self._process_s + self.weights_gib / _LOAD_GIB_S, "assumed")

    @property
    def why(self) -> str:
        """Where it is from, in words."""
        return (
            f"assumed, no such launch is known: {self._process_s:g} s, and the weights at "
            f"{_LOAD_GIB_S:g} GiB/s"
        )


@dataclass(frozen=True)
class KnownStarts:
    """Starts of earlier launches of an engine with a model on a device.

    Attributes:
        first: median of the first starts, each of other settings.
        again: candidate -> median of its later starts, or its only one.
        engine: its name, for words.
    """

    first: ExpectedStart
    again: Mapping[str, ExpectedStart]
    engine: str

    @classmethod
    def of(cls, starts: Sequence[Start], *, engine: str, engine_version: str) -> Self:
        """Medians of starts, of which there is at least one.

        Args:
            starts: the newest first.
            engine_version: the one that will run; another one has compiled nothing for it.
        """
        by_settings: dict[tuple[str, str], list[float]] = defaultdict(list)
        for start in reversed(starts):
            by_settings[start.candidate_id, start.engine_version].append(start.seconds)
        return cls(
            _median((seconds[0] for seconds in by_settings.values()), "first"),
            {
                candidate: _median(seconds[1:] or seconds, "again")
                for (candidate, version), seconds in by_settings.items()
                if version == engine_version
            },
            engine,
        )

    def expected(self, candidate_id: str) -> ExpectedStart:
        """The start of a launch of this candidate."""
        return self.again.get(candidate_id, self.first)

    def why(self, candidate_ids: Iterable[str]) -> str:
        """Origin of what is expected of these candidates, in words."""
        ids = list(candidate_ids)
        seen = [self.again[key] for key in ids if key in self.again]
        parts = []
        if len(seen) < len(ids):
            parts.append(f"{_counted(self.first.launches, 'first start')} of other settings")
        if seen:
            launches = _counted(sum(start.launches for start in seen), "start")
            share = "" if len(seen) == len(ids) else f"for {len(seen)} of {len(ids)} launches "
            parts.append(f"{share}{launches} of the same settings")
        which = ", and ".join(parts)
        return f"by {which}: {self.engine} with this model on this device"


def _median(seconds: Iterable[float], source: StartSource) -> ExpectedStart:
    found = list(seconds)
    return ExpectedStart(statistics.median(found), source, len(found))


def _counted(count: int, what: str) -> str:
    return f"{count} earlier {what}{'' if count == 1 else 's'}"
