"""A command without the secrets among its words: no file, note or error has their values. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace

from autotuner.config.secret_values import holds_secret, looks_secret, secrets_in
from autotuner.engines.command_words import (
    SOURCE,
    EngineCommand,
    Flag,
    engine_command,
    json_or_text,
)
from autotuner.engines.flag_names import FlagNames, dashed
from autotuner.engines.parsed_command import CommandNote
from autotuner.engines.table import EngineTable
from autotuner.errors import ConfigError, EngineError, Problem

_UNNAMED = "(a secret)"
_LEFT_OUT = "a secret is left out and its value not repeated; set it in the engine's environment"
_COUNT = re.compile(r"tokens=-?[\d.]+", re.IGNORECASE)
"""A flag that counts tokens, with its value."""


def without_secrets(command: EngineCommand) -> tuple[EngineCommand, tuple[CommandNote, ...]]:
    """The command without flags and other words that hold a secret, and a note for each.

    Variables stay: they are no part of a task.

    Raises:
        ConfigError: the model's name has the shape of a secret.
    """
    if command.model is not None and holds_secret(command.model):
        text = "the model's name has the shape of a secret, and is not repeated"
        remedy = "name the model without it, and set the secret in the engine's environment"
        raise ConfigError(SOURCE, (Problem("model", text),), remedy=remedy)
    secret = [flag.name for flag in command.flags if _is_secret(command.table, flag)]
    kept = tuple(flag for flag in command.flags if not _is_secret(command.table, flag))
    words = (command.before, command.strays, command.besides)
    before, strays, besides = (tuple(w for w in each if not holds_secret(w)) for each in words)
    named = len(command.strays) - len(strays)
    notes = [CommandNote(name, "lost", _LEFT_OUT) for name in (*secret, *[_UNNAMED] * named)]
    return replace(command, flags=kept, before=before, strays=strays, besides=besides), tuple(notes)


def secrets_as_variables(command: str) -> str:
    """A rendered command line in which a shell puts the values of secrets from variables: without
    them it starts nothing, and says which is missing."""
    try:
        read = engine_command(command)
        kept, _ = without_secrets(read)
    except (ConfigError, EngineError):
        return command
    for name, value in read.env.items():
        if looks_secret(name) or holds_secret(value):
            written = f"{name}={shlex.quote(value)}"
            command = command.replace(written, f"{name}={_demanded(name)}", 1)
    for flag in (flag for flag in read.flags if flag not in kept.flags):
        name = re.sub(r"\W", "_", flag.name.lstrip("-"), flags=re.ASCII).upper()
        names = [f"{name}_{n}" if n > 1 else name for n in range(1, len(flag.values) + 1)]
        sign = "=" if flag.words[0].startswith(f"{flag.name}=") else " "
        written = f"{flag.name}{sign}{' '.join(map(_demanded, names))}"
        command = command.replace(shlex.join(flag.words), written, 1)
    return command


def _demanded(name: str) -> str:
    return f'"${{{name}:?is a secret: set it before}}"'


def _is_secret(table: EngineTable, flag: Flag) -> bool:
    """Whether a flag has a secret's name and a value, or a value with a secret's shape."""
    if any(secrets_in(json_or_text(value)) for value in flag.values):
        return True
    names = FlagNames.of(table)
    own = names.own(flag.name)
    named = looks_secret(flag.name) or looks_secret(own)
    return bool(named and flag.values) and not _is_setting(table, names, own, flag.values)


def _is_setting(table: EngineTable, names: FlagNames, own: str, values: Sequence[str]) -> bool:
    """Whether a flag only sounds like a secret: `--max-num-batched-tokens`."""
    claimed = (word for rows in table.rows.values() for row in rows for word in row.claims)
    counts = all(_COUNT.fullmatch(f"tokens={value}") for value in values)
    return own in names.passed or own in map(dashed, claimed) or (own.endswith("tokens") and counts)
