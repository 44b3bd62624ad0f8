"""A command line as the fields of a task have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["translated", "changed", "extra_args", "overruled", "kept", "lost"]


@dataclass(frozen=True)
class CommandNote:
    """One word of a command, and what becomes of it.

    Attributes:
        word: a flag, a variable's name, or another word.
        outcome: `translated`: a field says it. `changed`: it is said, but not as it was.
            `extra_args`: passed to the engine as it is. `overruled`: a later word wins. `kept`:
            nothing that is launched depends on it. `lost`: a task cannot say it.
        text: the field, or the reason.
    """

    word: str
    outcome: Outcome
    text: str


@dataclass(frozen=True)
class ParsedCommand:
    """A command line in the fields of a task.

    Attributes:
        model: as the command names it; None where it names none.
        settings: `group.field` -> value, of the flags and of variables that a field says.
        extra: words that no field says, for `misc.extra_args`; not among `settings`.
        env: variables that no field says. Their values may be secrets.
        version: of the engine, where a container image has it in its tag.
        gpus: that the command occupies; None where it does not say.
    """

    engine: str
    model: str | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[CommandNote, ...] = ()
    revision: str | None = None
    served_name: str | None = None
    version: str | None = None
    gpus: int | None = None

    def noted(self, *outcomes: Outcome) -> tuple[CommandNote, ...]:
        """The notes of these outcomes."""
        return tuple(note for note in self.notes if note.outcome in outcomes)
