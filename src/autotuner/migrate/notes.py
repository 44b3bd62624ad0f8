"""What a translation did with every key of a v1 task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Done(StrEnum):
    """What became of one key.

    TRANSLATED: the v2 task says the same. CHANGED: it says nearly the same; the note tells the
    difference. EXTRA_ARGS: passed to the engine as it is. SILENT: it says nothing (an empty list,
    `auto`). OVERRULED: another key of the task says it and wins. KEPT: v2 has no place for it, and
    nothing that is launched or measured depends on it. LOST: something would be launched or
    measured otherwise than v1 did, and v2 cannot say it.

    What is OVERRULED, KEPT or LOST lies in the v2 task's `metadata.v1`, under the same keys.
    """

    TRANSLATED = "translated"
    CHANGED = "changed"
    EXTRA_ARGS = "extra_args"
    SILENT = "silent"
    OVERRULED = "overruled"
    KEPT = "kept"
    LOST = "lost"


@dataclass(frozen=True)
class Note:
    """One key: `path` is dotted (`parameters.tp-size`), `text` says where it went, or why not."""

    path: str
    done: Done
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.done}: {self.text}"


@dataclass(frozen=True)
class Point:
    """One value that v1 tried of one thing, and how a v2 candidate that tries it is recognised.

    Attributes:
        name: v1's name of what is tried (`tp-size`, `quant_config`).
        value: as v1 wrote it.
        settings: `group.field` -> value that the candidate has.
        words: of the engine's command line that it has.
    """

    name: str
    value: Any
    settings: Mapping[str, Any]
    words: tuple[str, ...] = ()


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
    points: tuple[Point, ...] = ()

    def noted(self, *done: Done) -> tuple[Note, ...]:
        """The notes of these kinds."""
        return tuple(note for note in self.notes if note.done in done)
