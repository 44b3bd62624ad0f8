"""The words of a command line -> which engine it starts, its model, and its flags. Pure."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from autotuner.config import flag_of
from autotuner.engines import ENGINES, EngineTable
from autotuner.errors import ConfigError, Problem
from autotuner.migrate.flags import meaning

SOURCE = "command line"
_OPERATORS = frozenset(";&|<>\n")
_MODEL = "{model}"
_OPTIONAL = "serve"
"""A word before the model that engines take and do not need."""


@dataclass
class Flag:
    """A flag as it is written, and its values."""

    name: str
    values: list[str] = field(default_factory=list)

    @property
    def value(self) -> Any:
        """True where it stands alone, else its value; all of them where it has several."""
        if not self.values:
            return True
        return self.values[0] if len(self.values) == 1 else list(self.values)


@dataclass(frozen=True)
class EngineCommand:
    """A command that starts an engine.

    Attributes:
        before: words before the program: variables, a container's runtime, wrappers.
        model: None where no word says it.
        flags: all but the model's, in order.
        strays: words that belong to no flag.
        besides: other commands of the same text.
    """

    table: EngineTable
    before: tuple[str, ...]
    model: str | None
    flags: tuple[Flag, ...]
    strays: tuple[str, ...]
    besides: tuple[str, ...]


def starts_engine(text: str) -> bool:
    """Whether a text is a command line that starts an engine."""
    try:
        return any(_place(words) is not None for words in _commands(text))
    except ValueError:
        return False


def engine_command(text: str) -> EngineCommand:
    """The first command of the text that starts an engine.

    Raises:
        ConfigError: a quote that is not closed, or no engine is started.
    """
    try:
        commands = list(_commands(text))
    except ValueError as error:
        raise ConfigError(SOURCE, (Problem("", f"it cannot be read: {error}"),)) from None
    for number, words in enumerate(commands):
        found = _place(words)
        if found is None:
            continue
        table, begin, end = found
        besides = [shlex.join(each) for each in (*commands[:number], *commands[number + 1 :])]
        model, flags, strays = _parsed(table, words[end:])
        return EngineCommand(table, tuple(words[:begin]), model, flags, strays, tuple(besides))
    programs = ", ".join(engine.table.program for engine in ENGINES.values())
    raise ConfigError(SOURCE, (Problem("", f"it starts no engine that is known: {programs}"),))


def _commands(text: str) -> Iterator[list[str]]:
    """The words of each command of a text; a line that a backslash ends goes on."""
    joined = text.replace("\\\r\n", " ").replace("\\\n", " ").replace("\r\n", "\n")
    lexer = shlex.shlex(joined, posix=True, punctuation_chars="".join(_OPERATORS))
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    for word in lexer:
        if word and _OPERATORS.issuperset(word):
            if words:
                yield words
            words = []
        else:
            words.append(word)
    if words:
        yield words


def _place(words: Sequence[str]) -> tuple[EngineTable, int, int] | None:
    """The engine that words start, where its program stands, and where its arguments begin."""
    for at, word in enumerate(words):
        for engine in ENGINES.values():
            table = engine.table
            if PurePosixPath(word).name == table.program:
                return table, at, at + 1 + _literal(table.program_words, words[at + 1 :])
            if list(words[at : at + 2]) == ["-m", table.module]:
                begin = max(at - 1, 0)
                return table, begin, at + 2 + _literal(table.module_words, words[at + 2 :])
            if table.file.image is not None and word.partition(":")[0] == table.file.image:
                return table, at + 1, at + 1
    return None


def _literal(pattern: Sequence[str], words: Sequence[str]) -> int:
    """Number of the first words that are subcommands of the program."""
    count = 0
    for wanted in pattern:
        if wanted == _MODEL or flag_of(wanted) or list(words[count : count + 1]) != [wanted]:
            break
        count += 1
    return count


def model_flags(table: EngineTable) -> frozenset[str]:
    """The flags that carry the model."""
    patterns = (table.program_words, table.module_words)
    named = {
        before
        for words in patterns
        for before, word in itertools.pairwise(words)
        if word == _MODEL and flag_of(before)
    }
    return frozenset({*named, "--model", "-m"})


def _parsed(
    table: EngineTable, words: Sequence[str]
) -> tuple[str | None, tuple[Flag, ...], tuple[str, ...]]:
    """Model, flags, and words that belong to none."""
    of_model = model_flags(table)
    flags: list[Flag] = []
    strays: list[str] = []
    model: str | None = None
    takes_value = False
    for word in words:
        name = flag_of(word)
        if name is not None:
            _, has_value, value = word.partition("=")
            flags.append(Flag(name, [value] if has_value else []))
            takes_value = not has_value and not _is_switch(table.name, name)
        elif takes_value and not flags[-1].values:
            flags[-1].values.append(word)
        elif model is None and word != _OPTIONAL and not any(f.name in of_model for f in flags):
            model = word
        elif takes_value:
            flags[-1].values.append(word)
        elif word != _OPTIONAL:
            strays.append(word)
    for flag in flags:
        if flag.name in of_model and flag.values:
            model = flag.values[0]
    return model, tuple(flag for flag in flags if flag.name not in of_model), tuple(strays)


def _is_switch(engine: str, name: str) -> bool:
    known = meaning(engine, name)
    if known is None or known.row is None:
        return False
    return known.negated or known.row.render in ("switch", "above_one")
