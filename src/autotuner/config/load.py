"""Task documents from YAML and JSON, with errors that name line, field path and remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from autotuner.config.axes import AXIS, VALUE
from autotuner.config.task import Task
from autotuner.errors import AutotunerError, ConfigError, Problem

_MAX_BYTES = 4 << 20
_MEANT = {
    "missing": "is missing",
    "too_short": "the list is empty; give values to try, or leave the field out",
    "tuple_type": "takes a list",
    "list_type": "takes a list",
}
"""Kind of Pydantic's errors -> what a user is told instead of its own message."""


def load_task(path: Path) -> Task:
    """Reads a task file (`.json`, otherwise YAML).

    Raises:
        ConfigError: not YAML or JSON (with line and column), or not a task (every problem).
        AutotunerError: the file cannot be read.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise AutotunerError(f"{path} is larger than {_MAX_BYTES >> 20} MiB: no task file")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AutotunerError(
            f"there is no file {path}", remedy="give the path of a task file"
        ) from None
    except UnicodeDecodeError as error:
        raise AutotunerError(
            f"{path} is not UTF-8 text (byte {error.start})", remedy="save it as UTF-8"
        ) from None
    except OSError as error:
        raise AutotunerError(f"{path} cannot be read: {error.strerror}") from None
    return parse_task(_parse(text, str(path), is_json=path.suffix == ".json"), source=str(path))


def parse_task(document: Any, *, source: str = "task") -> Task:
    """Validates a document that was read elsewhere.

    Raises:
        ConfigError: with every problem and its field path.
    """
    if not isinstance(document, dict):
        raise ConfigError(source, (Problem("", "a task is a mapping of keys to values"),))
    try:
        return Task.model_validate(document)
    except ValidationError as error:
        raise ConfigError(source, problems_of(error)) from None


def problems_of(error: ValidationError) -> tuple[Problem, ...]:
    """Pydantic's errors as field paths and sentences."""
    problems = []
    for item in error.errors(include_url=False):
        words = [str(part) for part in item["loc"] if part not in (VALUE, AXIS)]
        message = item["msg"].removeprefix("Value error, ")
        message = message[0].lower() + message[1:]
        given = item.get("input")
        if item["type"] == "too_short" and given:
            # Its items are wrong, which is told of each, and so none is left of the list.
            continue
        message = _MEANT.get(item["type"], message)
        shown = isinstance(given, str | int | float | bool) and repr(given) not in message
        if shown and item["type"] != "missing":
            message = f"{message}, not {given!r}"
        problems.append(Problem(".".join(words), message))
    return tuple(dict.fromkeys(problems))


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML lets a later key silently replace an earlier one; a task file may not."""


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is not text", key_node.start_mark
            )
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is given twice", key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _parse(text: str, source: str, *, is_json: bool) -> Any:
    try:
        if is_json:
            return json.loads(text)
        return yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - derived from SafeLoader
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ConfigError(source, (Problem("", f"broken JSON at {where}: {error.msg}"),)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "an unknown place"
        raise ConfigError(
            source, (Problem("", f"broken YAML at {where}: {error.problem}"),)
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(source, (Problem("", f"broken YAML: {error}"),)) from None
