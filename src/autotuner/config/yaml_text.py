"""Documents as YAML, written by the library: texts of several lines stay readable."""

from __future__ import annotations

import re
from typing import Any

import yaml

_READ_OTHERWISE = re.compile(
    r"""[-+]?_*(?:
        0[xX][0-9a-fA-F_]+ | 0[oO][0-7_]+ | 0[bB][01_]+
        | (?:\.[0-9_]+ | [0-9][0-9_]*(?:\.[0-9_]*)?) (?:[eE][-+]?[0-9_]+)?
        | [0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    )
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\ ].*)?
    | [yYnN]""",
    re.VERBOSE,
)
"""Texts that a reader of YAML 1.1 or 1.2 takes for numbers, dates or booleans where they stand
without quotation marks; the library knows a part of 1.1, and tools in Go read both."""
_BREAKS = re.compile("[\x85\u2028\u2029]")
"""Line breaks of YAML 1.1 alone: as they are, they do not come back the same."""


class Quoted(str):
    """A text in double quotation marks, for a tool that puts escaped values into the file."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes lists inside mappings indented, and each part in full wherever it stands."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=_style(value))


def _style(value: str) -> str | None:
    if isinstance(value, Quoted) or _BREAKS.search(value):
        return '"'
    return "|" if "\n" in value else "'" if _READ_OTHERWISE.fullmatch(value) else None


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Quoted, _text)


def yaml_text(*documents: Any) -> str:
    """The documents, one after the other."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
