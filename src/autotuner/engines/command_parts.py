"""A rendered command line -> its parts, each word as it is: what a deployment repeats. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from autotuner.engines.command_secrets import without_secrets
from autotuner.engines.command_text import shell_commands
from autotuner.engines.command_words import EngineCommand, engine_command, place_of_engine
from autotuner.engines.spec import DEFAULT_HOST, DEFAULT_PORT, HOST, PORT
from autotuner.engines.table import EngineTable
from autotuner.errors import EngineError

_PATHS = ("/", ".", "~")


@dataclass(frozen=True)
class CommandParts:
    """A command line that starts an engine, word by word.

    Attributes:
        program: what starts it, without its arguments: `vllm serve`, `python -m MODULE`.
        arguments: all words after the program; `{host}` and `{port}` stand where it binds.
        env: variables that it sets.
        files: name -> text of files that it writes and then names.
        model: as the command names it.
        left_out: flags that held a secret; neither they nor their values are among the arguments.
    """

    table: EngineTable
    program: tuple[str, ...]
    arguments: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    model: str
    left_out: tuple[str, ...] = ()

    @property
    def is_downloaded(self) -> bool:
        """Whether the engine fetches its model from a hub."""
        return self.table.model_format != "gguf" and not self.model.startswith(_PATHS)

    def bound(self, host: str = DEFAULT_HOST, port: int | str = DEFAULT_PORT) -> tuple[str, ...]:
        """The arguments with an address in them."""
        return bound(self.arguments, host, port)


def bound(arguments: Sequence[str], host: str, port: int | str) -> tuple[str, ...]:
    """Arguments with an address where the placeholders stand."""
    places = {HOST: host, PORT: str(port)}
    return tuple(places.get(word, word) for word in arguments)


def command_parts(command: str) -> CommandParts:
    """The parts of a command line that a launch was recorded with.

    Raises:
        EngineError: it starts no engine, or names no model.
        ConfigError: the same, or the model's name has the shape of a secret.
    """
    read: EngineCommand = engine_command(command)
    words = next((one.words for one in shell_commands(command) if place_of_engine(one.words)), ())
    place = place_of_engine(words)
    if place is None or read.model is None:
        raise EngineError(
            "the command of this experiment starts no engine with a model",
            remedy="export another point",
        )
    arguments = _unbound(place.table, words[place.end :])
    kept, _ = without_secrets(read)
    secret = [flag for flag in read.flags if flag not in kept.flags]
    for flag in secret:
        arguments = _without(arguments, tuple(flag.words))
    return CommandParts(
        table=place.table,
        program=tuple(words[place.begin : place.end]),
        arguments=arguments,
        env=tuple(read.env.items()),
        files=tuple(read.files.items()),
        model=read.model,
        left_out=tuple(flag.name for flag in secret),
    )


def _unbound(table: EngineTable, arguments: Sequence[str]) -> tuple[str, ...]:
    """The arguments with placeholders for the address: of each flag the first one is ours."""
    places = {flag: word for flag, word in itertools.pairwise(table.argv) if word in (HOST, PORT)}
    found: list[str] = []
    for word in arguments:
        place = places.pop(found[-1], None) if found else None
        found.append(word if place is None else place)
    return tuple(found)


def _without(arguments: tuple[str, ...], words: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments without the first place where these words stand together."""
    for at in range(len(arguments) - len(words) + 1):
        if arguments[at : at + len(words)] == words:
            return arguments[:at] + arguments[at + len(words) :]
    return arguments
