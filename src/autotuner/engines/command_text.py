"""A text as a shell takes it -> its commands, each without redirections, here-documents and
comments. Pure."""

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
_HERE_DOCUMENTS = frozenset({"<<", "<<-"})
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
    at, opened = 0, ""
    pending: list[tuple[str, bool]] = []
    while at < len(joined):
        found = _TOKEN.match(joined, at)
        if found is None:
            raise ValueError("a quotation mark is not closed, or it ends with a backslash")
        at = found.end()
        kind, token = found.lastgroup or "", found[0]
        if kind in ("blank", "comment"):
            continue
        if kind == "word" and opened:
            pending.append((_QUOTES.sub(_unquoted, token), opened.endswith("-")))
        is_here = kind == "redirection" and token.lstrip("0123456789") in _HERE_DOCUMENTS
        opened = token if is_here else ""
        if kind == "end" and pending and "\n" in token:
            at = found.start() + token.index("\n") + 1
            for ending, is_indented in pending:
                at = _after_here_document(joined, at, ending, is_indented=is_indented)
            pending = []
        yield kind, token


def _after_here_document(text: str, at: int, ending: str, *, is_indented: bool) -> int:
    """Where the text goes on after a here-document; at its end where no line is its last.

    Args:
        at: where its first line begins.
        ending: its last line.
        is_indented: whether tabs may stand before the last line.
    """
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        at = min(end + 1, len(text))
        if (line.lstrip("\t") if is_indented else line) == ending:
            break
    return at


def _unquoted(part: re.Match[str]) -> str:
    """The text that a quotation, or an escaped character, stands for."""
    text = part[0]
    if text.startswith("\\"):
        return text[1:]
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text[1:-1]
