"""A v2 document in the making, and a note of what became of every key of the v1 task."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from autotuner.catalog import ModelFacts
from autotuner.migrate.values import distinct, kept_form


class Done(StrEnum):
    """The outcome of translating one key.

    TRANSLATED: the v2 task says the same. CHANGED: it says nearly the same; the note names the
    difference. EXTRA_ARGS: passed to the engine as it is. EMPTY: it sets nothing (an empty list,
    `auto`). OVERRULED: another key of the task says it and wins. KEPT: v2 has no place for it, and
    nothing that is launched or measured depends on it. LOST: something would be launched or
    measured otherwise than v1 did, and v2 cannot say it. OPEN: the v2 task is a draft, and the note
    says what to fill in.

    What is OVERRULED, KEPT, LOST or OPEN lies in the v2 task's `metadata.v1`, under the same keys.
    """

    TRANSLATED = "translated"
    CHANGED = "changed"
    EXTRA_ARGS = "extra_args"
    EMPTY = "empty"
    OVERRULED = "overruled"
    KEPT = "kept"
    LOST = "lost"
    OPEN = "open"


@dataclass(frozen=True)
class Note:
    """One key: `path` is dotted (`parameters.tp-size`), `text` says where it went, or why not."""

    path: str
    done: Done
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.done}: {self.text}"


@dataclass(frozen=True)
class TriedValue:
    """One value that v1 tried of one thing, and how a v2 candidate that tries it is recognised.

    Attributes:
        name: v1's name of what is tried (`tp-size`, `quant_config`).
        value: as v1 wrote it.
        settings: `group.field` -> value that the candidate has.
        words: of the engine's command line that it has.
        beside: name and value of other things tried; the settings hold where these have such a
            value too.
    """

    name: str
    value: Any
    settings: Mapping[str, Any]
    words: tuple[str, ...] = ()
    beside: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Translation:
    """A v1 task as a v2 document.

    Attributes:
        task: `parse_task` accepts it.
        notes: at least one for every key of the v1 task.
        points: what v1's grid was made of, in its order.
    """

    task: dict[str, Any]
    notes: tuple[Note, ...]
    points: tuple[TriedValue, ...] = ()

    def noted(self, *done: Done) -> tuple[Note, ...]:
        """The notes of these kinds."""
        return tuple(note for note in self.notes if note.done in done)


MAX_ALTERNATIVES = 4096
"""Combinations of flags and presets that are written out one by one; of more, the first."""
EXTRA_ARGS = "misc.extra_args"
PARAMETERS = "parameters"
_POINTS = ("quant_config", "parallel_config")

T = TypeVar("T")
Path = tuple[str, ...]
Settings = dict[str, Any]


@dataclass(frozen=True)
class GridPoint:
    """One of several things to try: settings, and words for the engine beside them."""

    settings: Settings = field(default_factory=dict)
    words: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.settings or self.words)

    def __or__(self, other: GridPoint) -> GridPoint:
        """Both; the other's settings win."""
        return GridPoint({**self.settings, **other.settings}, (*self.words, *other.words))


class Draft:
    """Collects settings, alternatives, flags and notes; `finished` makes the document of them.

    Args:
        engine: whose flags the task names.
        facts: of the model, as far as its name shows them.
        source: the v1 task: what is kept of a key is all of it, also where a part was translated.
    """

    def __init__(
        self,
        engine: str,
        facts: ModelFacts,
        *,
        source: Mapping[str, Any] | None = None,
    ) -> None:
        self.engine = engine
        self.facts = facts
        self.source = source or {}
        self.fields_set: set[str] = set()
        self.document: dict[str, Any] = {}
        self.settings: dict[str, list[Any]] = {}
        self.alternatives: list[list[GridPoint]] = []
        self._words: list[list[tuple[str, ...]]] = []
        self._kept: dict[str, Any] = {}
        self._notes: list[Note] = []
        self.points: list[TriedValue] = []

    def note(self, path: Path, done: Done, text: str) -> None:
        """Says what became of a key."""
        self._notes.append(Note(".".join(path), done, text))

    def keep(self, path: Path, value: Any, done: Done, text: str) -> None:
        """Puts a key that the v2 task does not say into `metadata.v1`, and says why."""
        inside, written = self._kept, inside_of(self.source, path[:-1])
        for key in path[:-1]:
            inside = inside.setdefault(key, {})
        is_key = isinstance(written, Mapping) and path[-1] in written
        inside[path[-1]] = kept_form(written[path[-1]] if is_key else value)
        self.note(path, done, text)

    def put(self, place: str, value: Any) -> None:
        """Sets a dotted place of the document outside the groups (`benchmark.concurrency`)."""
        *parents, last = place.split(".")
        inside = self.document
        for parent in parents:
            inside = inside.setdefault(parent, {})
        inside[last] = value

    def setting(self, path: str, values: Sequence[Any]) -> None:
        """Fixes a field (one value), or searches it."""
        self.settings[path] = distinct(list(values))
        self.fields_set.add(path)

    def alternative(self, choices: Sequence[GridPoint]) -> None:
        """One of these is tried at a time, with everything else."""
        found: list[GridPoint] = []
        found.extend(choice for choice in choices if choice not in found)
        self.alternatives.append(found)

    def flag(self, choices: Sequence[tuple[str, ...]]) -> None:
        """One of these lists of words is passed to the engine at a time."""
        self._words.append(list(dict.fromkeys(choices)))

    def point(self, name: str, value: Any, settings: Settings, words: tuple[str, ...] = ()) -> None:
        """A value that v1 tried."""
        self.points.append(TriedValue(name, value, settings, words))

    def finished(self) -> Translation:
        """The document."""
        groups = {path: _scalar(values) for path, values in self.settings.items()}
        points = [merged(chosen) for chosen in self._written_out(self.alternatives, _POINTS)]
        extra = [_joined(chosen) for chosen in self._written_out(self._words, (PARAMETERS,))]
        if any(point.words for point in points):
            points = [_with_words(point, extra) for point in points]
        elif extra != [()]:
            groups[EXTRA_ARGS] = _scalar([list(words) for words in extra])
        if len(points) == 1:
            groups |= points[0].settings
            points = []
        task = self.document | _grouped(groups)
        if points:
            task["combinations"] = [_grouped(point.settings) for point in points]
        if self._kept:
            task["metadata"] = {"v1": self._kept}
        return Translation(task, tuple(self._notes), tuple(self.points))

    def _written_out(self, choices: list[list[T]], places: tuple[str, ...]) -> list[tuple[T, ...]]:
        """One of each, in all combinations; the first ones where they are too many."""
        many = math.prod(map(len, choices))
        if many > MAX_ALTERNATIVES:
            text = f"of {many:,} combinations, which a v2 task writes out, the first"
            for place in places:
                self.note((place,), Done.CHANGED, f"{text} {MAX_ALTERNATIVES:,} are tried")
        return list(itertools.islice(itertools.product(*choices), MAX_ALTERNATIVES))


def inside_of(document: Any, keys: Path) -> Any:
    """The value under these keys of nested mappings; None where there is none."""
    for key in keys:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _scalar(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def merged(chosen: Sequence[GridPoint]) -> GridPoint:
    """All of them as one; later settings win."""
    return functools.reduce(operator.or_, chosen, GridPoint())


def _joined(chosen: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(word for words in chosen for word in words)


def _with_words(point: GridPoint, extra: Sequence[tuple[str, ...]]) -> GridPoint:
    """The point with its own words before each of the task's."""
    written = [[*point.words, *words] for words in extra]
    return GridPoint(
        {**point.settings, **({EXTRA_ARGS: _scalar(written)} if written != [[]] else {})}
    )


def _grouped(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`{"a.b": 1}` -> `{"a": {"b": 1}}`."""
    groups: dict[str, dict[str, Any]] = {}
    for path, value in settings.items():
        group, _, field = path.partition(".")
        groups.setdefault(group, {})[field] = value
    return groups
