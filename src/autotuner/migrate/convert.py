"""A text that somebody has -> a v2 document: a task file of either version, or a command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from autotuner.config import DocumentError, TaskConfig, parse_document, parse_task
from autotuner.engines import starts_engine
from autotuner.errors import ConfigError, Problem
from autotuner.migrate.command_line import translate_command
from autotuner.migrate.draft import Done, Translation
from autotuner.migrate.translate import refused_mode, translate_task

_FILE_MODE = "ome"
"""Mode of a v1 file without `deployment_mode`."""
OF_V1 = ("task_name", "base_runtime", "parameters")
"""Keys by which a task file of version 1 is known."""
_CARRIED = (Done.TRANSLATED, Done.EMPTY)
_NOT_CARRIED = (Done.OVERRULED, Done.KEPT, Done.LOST, Done.OPEN)


class TextFormat(StrEnum):
    """Format of a text."""

    V1 = "v1"
    V2 = "v2"
    COMMAND = "command"


@dataclass(frozen=True)
class Converted:
    """A text as a v2 document.

    Attributes:
        notes: what the document does not say as the text did, with its place in the text.
    """

    format: TextFormat
    document: dict[str, Any]
    notes: tuple[Problem, ...]


def convert(text: str, wanted: TextFormat | None = None) -> Converted:
    """The v2 document that a text means; one of version 2 is kept with its faults as notes.

    Args:
        wanted: the text's format; found out where left out.

    Raises:
        ConfigError: it is none of these formats, or not the one that is wanted.
    """
    chosen = wanted or _format_of(text)
    return _READERS[chosen](text)


def _format_of(text: str) -> TextFormat:
    try:
        keys = set(_mapping(text))
    except ConfigError:
        keys = set()
    # A command may hold JSON, and is then a mapping of YAML too.
    if not keys & {*OF_V1, *TaskConfig.model_fields} and starts_engine(text):
        return TextFormat.COMMAND
    return TextFormat.V1 if "version" not in keys and keys & set(OF_V1) else TextFormat.V2


def _mapping(text: str) -> dict[str, Any]:
    try:
        document = parse_document(text)
    except DocumentError as error:
        raise ConfigError("", (Problem("text", str(error)),)) from None
    if not isinstance(document, dict):
        message = "it is neither a task file nor a command that starts an engine (vllm serve …)"
        raise ConfigError("", (Problem("text", message),))
    return document


def _from_v2(text: str) -> Converted:
    document = _mapping(text)
    try:
        task = parse_task(document)
    except ConfigError as error:
        return Converted(TextFormat.V2, document, error.problems)
    own_names = task.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return Converted(TextFormat.V2, own_names, ())


def _from_v1(text: str) -> Converted:
    document = _mapping(text)
    translation = translate_task(document, absent_mode=_FILE_MODE)
    notes = _noted(translation)
    refused = None
    if document.get("deployment_mode") not in (None, _FILE_MODE):
        refused = refused_mode(document, absent_mode=_FILE_MODE)
    if refused is not None:
        notes = (*notes, Problem("deployment_mode", refused))
    return Converted(TextFormat.V1, translation.task, notes)


def _from_command(text: str) -> Converted:
    translation = translate_command(text)
    return Converted(TextFormat.COMMAND, translation.task, _noted(translation))


def _noted(translation: Translation) -> tuple[Problem, ...]:
    """The notes of what is not carried over as it was."""
    found = (note for note in translation.notes if note.done not in _CARRIED)
    return tuple(
        Problem(note.path, f"not carried over: {note.text}")
        if note.done in _NOT_CARRIED
        else Problem(note.path, note.text)
        for note in found
    )


_READERS: dict[TextFormat, Callable[[str], Converted]] = {
    TextFormat.V1: _from_v1,
    TextFormat.V2: _from_v2,
    TextFormat.COMMAND: _from_command,
}
