"""Gives command lines to an engine's own parser; run by the engine's own Python.

Reads a JSON list of argument lists on stdin, writes the list of parsed values (or of what the
parser said against them) on stdout.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import sys
from typing import Any

from dump_flags import parser_of


def plain(value: Any) -> Any:
    """The value as JSON; a settings object as its fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def main() -> None:
    """Parses them all."""
    parser = parser_of(sys.argv[1])[0]
    parsed: list[Any] = []
    for words in json.load(sys.stdin):
        errors = io.StringIO()
        try:
            with contextlib.redirect_stderr(errors):
                parsed.append(plain(vars(parser.parse_args(words))))
        except SystemExit:
            parsed.append({"refused": errors.getvalue()[-400:]})
    json.dump(parsed, sys.stdout)


if __name__ == "__main__":
    main()
