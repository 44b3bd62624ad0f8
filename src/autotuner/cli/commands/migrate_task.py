"""`autotuner migrate task`: task files of version 1 as those of version 2."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.markup import escape
from rich.table import Table

from autotuner.cli import exit_codes
from autotuner.cli.output import err, out, print_json
from autotuner.config import DocumentError, parse_document
from autotuner.errors import AutotunerError, ConfigError, Problem
from autotuner.migrate import Done, Translation, translate_scenarios

_CARRIED = (Done.TRANSLATED, Done.EMPTY)


@dataclass(frozen=True)
class _Read:
    file: Path
    v1: dict[str, Any]
    v2: Translation


def migrate_task(
    files: Sequence[Path], *, preview: bool, as_json: bool, engine: str | None = None
) -> int:
    """`autotuner migrate task`; 1 where something could not be carried over, or is left open."""
    found = [one for file in files for one in _read(file, engine)]
    if as_json:
        print_json({"tasks": [_document(one) for one in found]})
    elif preview:
        for one in found:
            _print_both(one)
    else:
        for place, one in enumerate(found):
            _print_yaml(one, begin=place > 0)
    lost = any(one.v2.noted(Done.LOST, Done.OPEN) for one in found)
    return exit_codes.NOTHING if lost else 0


def _read(file: Path, engine: str | None) -> list[_Read]:
    """A file in both versions: a task of version 2 for each traffic scenario.

    Raises:
        ConfigError: it is no task of version 1.
        AutotunerError: it cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise AutotunerError(f"{file} cannot be read: {why}") from None
    try:
        document = parse_document(text)
    except DocumentError as error:
        raise ConfigError(str(file), (Problem("", str(error)),)) from None
    if not isinstance(document, dict):
        raise ConfigError(str(file), (Problem("", "a task of version 1 is a mapping"),))
    if document.get("version") == 2:
        raise ConfigError(str(file), (Problem("version", "it is of version 2 already"),))
    try:
        return [_Read(file, document, v2) for v2 in translate_scenarios(document, engine=engine)]
    except ConfigError as error:
        raise ConfigError(str(file), error.problems, remedy=error.remedy) from None


def _document(one: _Read) -> dict[str, Any]:
    notes = [{"path": n.path, "outcome": n.done.value, "text": n.text} for n in one.v2.notes]
    return {"file": str(one.file), "task": one.v2.task, "notes": notes}


def _print_yaml(one: _Read, *, begin: bool) -> None:
    sys.stdout.write(f"{'---' + chr(10) if begin else ''}# from {one.file}\n{_yaml(one.v2.task)}")
    sys.stdout.flush()
    for note in one.v2.notes:
        if note.done not in _CARRIED:
            err().print(escape(f"{one.file}: {note}"), soft_wrap=True)


def _print_both(one: _Read) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), title=escape(str(one.file)), title_justify="left")
    table.add_column("version 1", ratio=1, overflow="fold")
    table.add_column("version 2", ratio=1, overflow="fold")
    before = json.dumps(one.v1, indent=2, ensure_ascii=False, default=str).splitlines()
    for left, right in itertools.zip_longest(before, _yaml(one.v2.task).splitlines(), fillvalue=""):
        table.add_row(escape(left), escape(right))
    out().print(table)
    for note in one.v2.notes:
        out().print(escape(str(note)), soft_wrap=True)


def _yaml(task: dict[str, Any]) -> str:
    return str(yaml.safe_dump(task, sort_keys=False, allow_unicode=True))
