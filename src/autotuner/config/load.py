"""Task documents from YAML and JSON, with errors that name line, field path and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autotuner.config.axes import AXIS, VALUE
from autotuner.config.parse import DocumentError, parse_document
from autotuner.config.task import TaskConfig
from autotuner.errors import AutotunerError, ConfigError, Problem

_MAX_BYTES = 4 << 20
_MEANT = {
    "missing": "is missing",
    "too_short": "the list is empty; give values to try, or leave the field out",
    "tuple_type": "takes a list",
    "list_type": "takes a list",
}
"""Kind of Pydantic's errors -> the message that a user gets instead of its own."""


def load_task(path: Path) -> TaskConfig:
    """Reads a task file (`.json`, otherwise YAML).

    Raises:
        ConfigError: not YAML or JSON (with line and column), or not a task (every problem).
        AutotunerError: the file cannot be read.
    """
    return parse_task(load_document(path, kind="task file"), source=str(path))


def load_document(path: Path, *, kind: str) -> Any:
    """The content of a file (`.json`, otherwise YAML); `kind` is what it is meant to be.

    Raises:
        ConfigError: not YAML or JSON, with line and column.
        AutotunerError: the file cannot be read.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise AutotunerError(f"{path} is larger than {_MAX_BYTES >> 20} MiB: no {kind}")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AutotunerError(
            f"there is no file {path}", remedy=f"give the path of a {kind}"
        ) from None
    except UnicodeDecodeError as error:
        raise AutotunerError(
            f"{path} is not UTF-8 text (byte {error.start})", remedy="save it as UTF-8"
        ) from None
    except OSError as error:
        raise AutotunerError(f"{path} cannot be read: {error.strerror}") from None
    try:
        return parse_document(text, is_json=path.suffix == ".json")
    except DocumentError as error:
        raise ConfigError(str(path), (Problem("", str(error)),)) from None


def parse_task(document: Any, *, source: str = "task") -> TaskConfig:
    """Validates a document that was read elsewhere.

    Raises:
        ConfigError: with every problem and its field path.
    """
    if not isinstance(document, dict):
        raise ConfigError(source, (Problem("", "a task is a mapping of keys to values"),))
    try:
        return TaskConfig.model_validate(document)
    except ValidationError as error:
        raise ConfigError(source, problems_of(error)) from None


def problems_of(error: ValidationError) -> tuple[Problem, ...]:
    """Pydantic's errors as field paths and sentences."""
    return problems_in(error.errors(include_url=False))


def problems_in(errors: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """The same, of errors that are reported one by one."""
    problems = []
    for item in errors:
        message = item["msg"].removeprefix("Value error, ")
        message = message[0].lower() + message[1:]
        given = item.get("input")
        if item["type"] == "too_short" and given:
            # Its items are wrong, which is reported of each, and so none is left of the list.
            continue
        message = _MEANT.get(item["type"], message)
        shown = isinstance(given, str | int | float | bool) and repr(given) not in message
        if shown and item["type"] != "missing":
            message = f"{message}, not {given!r}"
        problems.append(Problem(path_of(item["loc"]), message))
    return tuple(dict.fromkeys(problems))


def path_of(place: Iterable[str | int]) -> str:
    """The place of a field as people write it: `scheduling.max_running_requests[1]`."""
    path = ""
    for part in place:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in (VALUE, AXIS):
            path += f".{part}" if path else part
    return path
