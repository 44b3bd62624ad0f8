"""The words of a command line -> which engine it starts, its model, and its flags. Pure."""

from __future__ import annotations

import functools
import itertools
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from autotuner.catalog import known_model
from autotuner.config import BACKENDS, flag_of
from autotuner.config.secret_values import looks_secret
from autotuner.engines.command_text import ShellCommand, shell_commands
from autotuner.engines.engine import MODEL
from autotuner.engines.flag_names import FlagNames, dashed
from autotuner.engines.table import EngineTable, checked_engine, engine_table
from autotuner.errors import ConfigError, Problem

SOURCE = "command line"
_OPTIONAL = "serve"
"""A word before the model that engines take and do not need."""
_VARIABLE = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_WRITES = ("printf", "%s")
"""A command that writes a file, as rendered command lines have it."""
_DEEPEST = 50
"""Levels of a JSON value that is read."""
_OF_CONTAINERS = ("-e", "--env")
"""Flags of a container's runtime that set a variable."""


_LIKE_MODEL = re.compile(r"(~|\.{0,2}/).+|[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
"""A path, or a hub's name of a model."""
_OF_PLACES = re.compile(r"(dir|path|file|template|tokenizer|config|model|parser|plugin|module)s?$")
"""Flags that take a path, or another name that looks like a model's."""


@dataclass
class Flag:
    """A flag as it is written, its values, and all its words."""

    name: str
    values: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def value(self) -> str | None:
        """Its only value; None where it has none or several."""
        return self.values[0] if len(self.values) == 1 else None


@dataclass(frozen=True)
class EngineCommand:
    """A command that starts an engine.

    Attributes:
        tag: of the container image; None where no image is named.
        env: variables that the command sets; of two of one name the last counts.
        before: other words before the program: a container's runtime, wrappers.
        model: None where no word names it.
        download_flag: the flag that has the engine download it; None where none does.
        flags: all but the model's, in order.
        strays: words that belong to no flag.
        besides: other commands of the same text.
        files: name -> text of files that the same text writes.
    """

    table: EngineTable
    tag: str | None
    env: Mapping[str, str]
    before: tuple[str, ...]
    model: str | None
    flags: tuple[Flag, ...]
    strays: tuple[str, ...]
    besides: tuple[str, ...]
    files: Mapping[str, str]
    download_flag: str | None = None


@dataclass(frozen=True)
class EnginePlace:
    """The engine that words start: its program begins at `begin`, its arguments at `end`."""

    table: EngineTable
    begin: int
    end: int
    tag: str | None = None


def starts_engine(text: str) -> bool:
    """Whether a text is a command line that starts an engine."""
    try:
        return any(place_of_engine(one.words) is not None for one in shell_commands(text))
    except ValueError:
        return False


def engine_command(given: str | Sequence[str], engine: str | None = None) -> EngineCommand:
    """The first command of a text, or of a list of words, that starts an engine.

    Args:
        engine: its name, for a program that is none of the engines'; all from the first flag on
            are then the engine's arguments.

    Raises:
        ConfigError: a quote that is not closed, no engine is started, or another than `engine`.
        EngineError: `engine` is none.
    """
    try:
        commands = _given(given)
    except ValueError as error:
        raise ConfigError(SOURCE, (Problem("", f"it cannot be read: {error}"),)) from None
    wanted = None if engine is None else engine_table(checked_engine(engine))
    for number, command in enumerate(commands):
        place = place_of_engine(command.words)
        if place is not None:
            return _command_at(place, commands, number, wanted)
    if wanted is not None and commands and commands[0].words:
        words = commands[0].words
        begin = next((at for at, word in enumerate(words) if flag_of(word)), len(words))
        return _command_at(EnginePlace(wanted, begin, begin), commands, 0, wanted)
    programs = ", ".join(engine_table(name).program for name in BACKENDS)
    raise ConfigError(
        SOURCE,
        (Problem("", f"it starts no engine that is known: {programs}"),),
        remedy=f"name the engine of its flags: {', '.join(BACKENDS)}",
    )


def json_or_text(text: str | None) -> Any:
    """The JSON document that a value is; the text where it is none, or deeper than any setting."""
    steps = (1 if sign in "[{" else -1 if sign in "]}" else 0 for sign in text or "")
    if max(itertools.accumulate(steps), default=0) > _DEEPEST:
        return text
    try:
        return json.loads(text or "")
    except ValueError:
        return text


def _given(command: str | Sequence[str]) -> list[ShellCommand]:
    if isinstance(command, str):
        return list(shell_commands(command))
    return [ShellCommand(tuple(command))]


def _command_at(
    place: EnginePlace, commands: Sequence[ShellCommand], number: int, wanted: EngineTable | None
) -> EngineCommand:
    table, words = place.table, commands[number].words
    if wanted is not None and wanted.name != table.name:
        message = f"it is {wanted.name}, and the command starts {table.name}"
        remedy = "leave the engine out, or give a command of that engine"
        raise ConfigError(SOURCE, (Problem("engine", message),), remedy=remedy)
    env: dict[str, str] = {}
    files: dict[str, str] = {}
    besides = []
    for at, command in enumerate(commands):
        others = command.words
        if at == number:
            continue
        if others[:2] == _WRITES and len(others) == 3 and command.makes is not None:
            files[command.makes] = others[2]
        elif at < number and others[0] == "export" and all(map(_VARIABLE.fullmatch, others[1:])):
            env |= dict(_assigned(others[1:]))
        else:
            besides.append(shlex.join(others))
    own_env, before = _surroundings(words[: place.begin])
    model, download_flag, flags, strays = _parsed(table, words[place.end :])
    return EngineCommand(
        table=table,
        tag=place.tag,
        env=env | own_env,
        before=before,
        model=model,
        flags=flags,
        strays=strays,
        besides=tuple(besides),
        files=files,
        download_flag=download_flag,
    )


def _surroundings(words: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Variables that words before a program set, and the other words."""
    env: dict[str, str] = {}
    others: list[str] = []
    of_container = False
    for word in words:
        flag, has_value, value = word.partition("=")
        if of_container or not others:
            assigned = _VARIABLE.fullmatch(word)
        else:
            assigned = _VARIABLE.fullmatch(value) if has_value and flag in _OF_CONTAINERS else None
        of_container = word in _OF_CONTAINERS
        if assigned is not None:
            env[assigned.group(1)] = assigned.group(2)
        elif not of_container and not (word == "env" and not others):
            others.append(word)
    return env, tuple(others)


def _assigned(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        name, _, value = word.partition("=")
        yield name, value


def place_of_engine(words: Sequence[str]) -> EnginePlace | None:
    """The engine that words start, and where."""
    tables = [engine_table(name) for name in BACKENDS]
    for at, word in enumerate(words):
        for table in tables:
            if PurePosixPath(word).name == table.program:
                end = _after_literals(table.program_words, words, at + 1)
                if end is not None:
                    return EnginePlace(table, at, end)
            if list(words[at : at + 2]) == ["-m", table.module]:
                end = _after_literals(table.module_words, words, at + 2)
                if end is not None:
                    return EnginePlace(table, max(at - 1, 0), end)
            tag = _tag_of(word, table.file.image)
            if tag is not None:
                inner = place_of_engine(words[at + 1 :])
                if inner is None or inner.table.name != table.name:
                    return EnginePlace(table, at, at + 1, tag)
                return EnginePlace(table, at, at + 1 + inner.end, tag)
    return None


def _tag_of(word: str, image: str | None) -> str | None:
    """The tag of a container image of the engine; empty without one, None where it is another."""
    if image is None:
        return None
    name, _, _ = word.partition("@")
    folder, _, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    found = f"{folder}/{last}" if folder else last
    return tag if found == image or found.endswith(f"/{image}") else None


def _after_literals(pattern: Sequence[str], words: Sequence[str], at: int) -> int | None:
    """Where the words after a program's subcommands begin; None where these are others."""
    literal = list(itertools.takewhile(lambda word: word != MODEL and not flag_of(word), pattern))
    end = at + len(literal)
    return end if list(words[at:end]) == literal else None


@functools.cache
def _model_flags(program: tuple[str, ...], module: tuple[str, ...]) -> frozenset[str]:
    """The flags that carry the model."""
    named = {
        before
        for words in (program, module)
        for before, word in itertools.pairwise(words)
        if word == MODEL and flag_of(before)
    }
    return frozenset({*named, "--model", "-m"})


def _parsed(
    table: EngineTable, words: Sequence[str]
) -> tuple[str | None, str | None, tuple[Flag, ...], tuple[str, ...]]:
    """Model, the flag that downloads it, other flags, and words that belong to none."""
    of_model = _model_flags(table.program_words, table.module_words)
    names = FlagNames.of(table)
    flags: list[Flag] = []
    strays: list[str] = []
    model: str | None = None
    takes_value = False
    for word in words:
        name = flag_of(word)
        if name is not None:
            _, has_value, value = word.partition("=")
            flags.append(Flag(name, [value] if has_value else [], [word]))
            takes_value = not has_value and names.own(name) not in names.switches
        elif takes_value and not flags[-1].values:
            flags[-1].values.append(word)
            flags[-1].words.append(word)
        elif model is None and word != _OPTIONAL and _may_be_model(word, flags, of_model):
            model = word
        elif takes_value:
            flags[-1].values.append(word)
            flags[-1].words.append(word)
        elif word != _OPTIONAL:
            strays.append(word)
    named = [flag for flag in flags if flag.name in of_model and flag.values]
    # Beside the name of a file they say where that is from: the file is the model.
    downloads = () if named else table.file.download_flags
    downloaded = [flag for flag in flags if flag.name in downloads and flag.values]
    for flag in named or downloaded:
        model = flag.values[0]
    others = [flag for flag in flags if flag.name not in of_model and flag not in downloaded]
    if model is None:
        model = _swallowed_model(table, names, others)
    return model, downloaded[-1].name if downloaded else None, tuple(others), tuple(strays)


def _may_be_model(word: str, flags: Sequence[Flag], of_model: frozenset[str]) -> bool:
    """Whether a word that belongs to no flag may be the model; one more secret of a flag is not."""
    if any(flag.name in of_model for flag in flags):
        return False
    follows_secret = bool(flags) and looks_secret(flags[-1].name)
    return not follows_secret or _LIKE_MODEL.fullmatch(word) is not None


def _swallowed_model(table: EngineTable, names: FlagNames, flags: Sequence[Flag]) -> str | None:
    """The model where it follows a flag of which no table says whether it takes a value.

    A name of the catalog counts before what only looks like a model; taken from the flag.
    """
    if MODEL not in (*table.program_words[:1], *table.program_words[-1:]):
        return None
    given = [flag for flag in flags if _may_be_switch(names, flag)]
    known = (flag for flag in given if known_model(flag.values[0]) is not None)
    alike = (
        flag
        for flag in given
        if _LIKE_MODEL.fullmatch(flag.values[0]) and not _OF_PLACES.search(dashed(flag.name))
    )
    flag = next(itertools.chain(known, alike), None)
    if flag is None:
        return None
    flag.words.pop()
    return flag.values.pop()


def _may_be_switch(names: FlagNames, flag: Flag) -> bool:
    """Whether a flag is given one word, and no field says if it takes any."""
    unknown = not names.knows(flag.name) or names.own(flag.name) in names.passed
    return unknown and len(flag.words) == 2 and not looks_secret(flag.name)
