"""An engine's command line -> a v2 task, with a note for every word that it does not say. Pure."""

from __future__ import annotations

from typing import Any

from autotuner.config import parse_task
from autotuner.engines import ParsedCommand, parse_command
from autotuner.engines.command_words import SOURCE
from autotuner.errors import ConfigError, Problem
from autotuner.migrate.draft import Done, Note, Translation
from autotuner.migrate.translate import is_path

_MISSING = {
    "runtime.isl": "a command does not say how long requests are: give tokens in (isl)",
    "runtime.osl": "a command does not say how long answers are: give tokens out (osl)",
    "system.gpu_type": "a command does not say what the GPUs are; without them it runs on a CPU",
}


def translate_command(text: str) -> Translation:
    """The v2 task whose only candidate is what a command starts.

    It lacks the lengths of requests, which a command does not say; a note says so.

    Raises:
        ConfigError: no command that starts an engine, or none that names a model.
    """
    command = parse_command(text)
    if command.model is None:
        raise ConfigError(SOURCE, (Problem("model", "the command names no model"),))
    task = task_of_command(command)
    parse_task(task, source=SOURCE)
    notes = [Note(note.word, Done(note.outcome), note.text) for note in command.notes]
    notes += [Note(path, Done.CHANGED, text) for path, text in _MISSING.items()]
    return Translation(task, (Note("model", Done.TRANSLATED, "model"), *notes))


def task_of_command(command: ParsedCommand) -> dict[str, Any]:
    """A v2 task with the groups of a command, and its model where it names one."""
    task: dict[str, Any] = {"version": 2}
    if command.model is not None:
        name = command.model.rstrip("/").rpartition("/")[2].removesuffix(".gguf")
        task["name"] = name[:200] or "task"
        place = "path" if is_path(command.model) else "id"
        named = {place: command.model, "revision": command.revision}
        named |= {"served_name": command.served_name}
        task["model"] = {key: value for key, value in named.items() if value is not None}
    return task | groups_of_command(command)


def groups_of_command(command: ParsedCommand) -> dict[str, dict[str, Any]]:
    """The groups of a task that launches what a command starts."""
    settings: dict[str, Any] = {"system.backend": command.engine}
    settings |= {"system.backend_version": command.version, "system.total_gpus": command.gpus}
    settings |= command.settings
    settings["misc.extra_args"] = list(command.extra) or None
    groups: dict[str, dict[str, Any]] = {}
    for path, value in settings.items():
        group, _, field = path.partition(".")
        if value is not None:
            groups.setdefault(group, {})[field] = value
    return groups
