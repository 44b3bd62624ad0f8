"""A text as a shell takes it -> its commands, each without redirections and comments. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_QUOTED = r"""'[^']*'|"(?:\\.|[^"\\])*"|\\."""
_TOKEN = re.compile(
    rf"""
    (?P<blank>[ \t\r]+)
    | (?P<comment>\#[^\n]*)
    | (?P<copied>\d*[<>]&[ \t]*(?:\d+-?|-)(?![^ \t\r\n;&|<>]))
    | (?P<process>[<>]\([^()]*\))
    | (?P<redirection>(?:\d+|&)?(?:<<<|<<-?|<>|>>|>\||[<>]&?))
    | (?P<end>(?:[;|\n]|&(?!>))+)
    | (?P<word>(?:{_QUOTED}|[^ \t\r\n;&|<>'"\\])+)
    """,
    re.DOTALL | re.VERBOSE,
)
"""Tokens of a shell. Words are taken whole, so that a comment and the number of a descriptor are
only found where a word begins; `2>&1` copies a descriptor, and other redirections have a target."""
_QUOTES = re.compile(_QUOTED, re.DOTALL)
_ESCAPED = re.compile(r"""\\(["\\$`])""")
"""Characters that a backslash keeps as they are, between double quotation marks."""
_OVERWRITES = frozenset({">", "1>", ">|", "1>|"})


@dataclass(frozen=True)
class ShellCommand:
    """Words of a command, and the file that its output makes; None where it makes none."""

    words: tuple[str, ...]
    makes: str | None = None


def shell_commands(text: str) -> Iterator[ShellCommand]:
    """Each command of a text; a line that a backslash ends goes on.

    Raises:
        ValueError: a quotation mark that is not closed, or a redirection without a target.
    """
    words: list[str] = []
    makes: str | None = None
    redirection = ""
    for kind, token in _tokens(text):
        if kind in ("word", "process"):
            word = token if kind == "process" else _QUOTES.sub(_unquoted, token)
            if not redirection:
                words.append(word)
            elif redirection in _OVERWRITES:
                makes = word
            redirection = ""
        elif redirection:
            raise ValueError(f"nothing follows {redirection}")
        elif kind == "redirection":
            redirection = token
        elif kind == "end":
            if words:
                yield ShellCommand(tuple(words), makes)
            words, makes = [], None
    if redirection:
        raise ValueError(f"nothing follows {redirection}")
    if words:
        yield ShellCommand(tuple(words), makes)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each token but blanks and comments."""
    joined = text.replace("\\\r\n", " ").replace("\\\n", " ").replace("\r\n", "\n")
    at = 0
    while at < len(joined):
        found = _TOKEN.match(joined, at)
        if found is None:
            raise ValueError("a quotation mark is not closed, or it ends with a backslash")
        at = found.end()
        kind = found.lastgroup or ""
        if kind not in ("blank", "comment"):
            yield kind, found[0]


def _unquoted(part: re.Match[str]) -> str:
    """The text that a quotation, or an escaped character, stands for."""
    text = part[0]
    if text.startswith("\\"):
        return text[1:]
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text[1:-1]
