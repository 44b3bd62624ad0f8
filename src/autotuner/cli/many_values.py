"""Options that take several values after one name, as a shell writes `--landscape *.csv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand


def command_with_many(*options: str) -> type[TyperCommand]:
    """A command whose named options take every word up to the next option."""

    class Command(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            return super().parse_args(ctx, repeated(args, options))

    return Command


def repeated(words: Sequence[str], options: Sequence[str]) -> list[str]:
    """The words with the option before each of its values: `--a 1 2` becomes `--a 1 --a 2`."""
    repeated_words: list[str] = []
    option, values = "", 0
    for word in words:
        if word.startswith("-") and word != "-":
            option, values = word if word in options else "", 0
        elif option:
            values += 1
            if values > 1:
                repeated_words.append(option)
        repeated_words.append(word)
    return repeated_words
