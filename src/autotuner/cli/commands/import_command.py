"""`autotuner import-command`: a command line that runs today, in the groups of a task."""

from __future__ import annotations

import sys
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.markup import escape

from autotuner.catalog import ModelFacts, model_named, resolve_model
from autotuner.cli.output import err, out, print_json, refuse_unwritable
from autotuner.config.secret_values import holds_secret, looks_secret
from autotuner.engines import CommandNote, ParsedCommand, options_file, parse_command
from autotuner.errors import AutotunerError, ModelError
from autotuner.migrate import groups_of_command, task_of_command
from autotuner.report.html import write_aside

_STDIN = "-"
_LONGEST_FILE = 1_000_000
"""Bytes of a file with a command or with options: more is none."""
_STILL_OPEN = """\
# A command does not say these; fill them in:
# runtime: {isl: 2000, osl: 500}     tokens of a request and of its answer
# system.gpu_type: h100              the GPU, as `autotuner doctor` names it; without it, a CPU
# slo: {ttft_ms: 1000, tpot_ms: 50}  limits, where there are any
# A field that gets a list of values is searched.
"""


@dataclass(frozen=True)
class _Imported:
    """A command, read, and the file that has the task made of it."""

    command: ParsedCommand
    file: Path | None


def import_command(
    words: Sequence[str],
    *,
    engine: str | None,
    task: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Prints the groups that a command says, or writes a task file with them.

    Raises:
        AutotunerError: it starts no engine, has a flag of another engine or widths that cannot be
            read, or the file cannot be read or written.
    """
    if task is not None and task.exists() and not force:
        raise AutotunerError(
            f"--task: {task} is there already", remedy="give another place, or --force"
        )
    given = _given(words)
    options = options_file(given, engine)
    files = {} if options is None else _options_text(options)
    command = parse_command(given, engine, files=files)
    facts = _facts(command.model)
    if facts is not None:
        command = parse_command(given, engine, files=files, facts=facts)
    if task is not None:
        _write(command, task)
    _report(_Imported(command, task), as_json=as_json)


def _given(words: Sequence[str]) -> str | list[str]:
    """The command: its words, its text, or what the file of that name or stdin has."""
    if len(words) > 1:
        return list(words)
    (word,) = words
    if word == _STDIN:
        return sys.stdin.read()
    is_name = len(word.split()) == 1
    return _text_of(Path(word)) if is_name and _is_file(Path(word)) else word


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise AutotunerError(f"{path} is too long for a command", remedy="give its text")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise AutotunerError(f"{path} cannot be read: {why}") from None


def _options_text(name: str) -> dict[str, str]:
    """The text of the file with options; none where it is not here."""
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # the home of a user whom nobody knows
        return {}
    return {name: _text_of(path)} if _is_file(path) else {}


def _is_file(path: Path) -> bool:
    """Whether a file is there; none is where the name is too long for one, or not readable."""
    try:
        return path.is_file()
    except OSError:
        return False


def _facts(model: str | None) -> ModelFacts | None:
    """Facts of a model whose file or folder is here."""
    if model is None:
        return None
    try:
        named = model_named(model, base=Path.cwd())
        if named.path is None:
            return None
        return resolve_model(named, base=Path.cwd()).facts
    except ModelError:
        return None


def _write(command: ParsedCommand, path: Path) -> None:
    if command.model is None:
        raise AutotunerError(
            "model: the command names no model, and a task needs one",
            remedy="add the model to the command, or leave --task out and paste the groups",
        )
    with refuse_unwritable(path):
        write_aside(path, f"{_STILL_OPEN}{_yaml(task_of_command(command))}")


def _report(imported: _Imported, *, as_json: bool) -> None:
    command = imported.command
    if as_json:
        print_json(_document(imported))
        return
    if imported.file is None:
        sys.stdout.write(_yaml(groups_of_command(command)))
        sys.stdout.flush()
    else:
        count = f"{_counted(command.settings, 'setting')}, "
        count += _counted(command.extra, "extra argument")
        out().print(escape(f"{imported.file}: {command.engine}, {count}"), soft_wrap=True)
        text = f"next: fill in what its head names, then autotuner plan {imported.file}"
        out().print(escape(text), soft_wrap=True)
    for note in command.notes:
        if note.outcome != "translated":
            err().print(escape(_line(note)), soft_wrap=True)


def _counted(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _line(note: CommandNote) -> str:
    return f"{note.word}: {note.text}"


def _document(imported: _Imported) -> dict[str, Any]:
    command = imported.command
    shown = {
        name: None if looks_secret(name) or holds_secret(text) else text
        for name, text in command.env.items()
    }
    return {
        "engine": command.engine,
        "engine_version": command.version,
        "model": command.model,
        "revision": command.revision,
        "served_name": command.served_name,
        "gpus": command.gpus,
        "settings": dict(command.settings),
        "extra_args": list(command.extra),
        "env": shown,
        "groups": groups_of_command(command),
        "notes": [vars(note) for note in command.notes],
        "file": None if imported.file is None else str(imported.file),
    }


def _yaml(document: dict[str, Any]) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
