"""Task documents from YAML and JSON, with errors that name line, field path and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autotuner.config.document import STORED
from autotuner.config.fault_words import problems_of
from autotuner.config.parse import DocumentError, parse_document
from autotuner.config.task import TaskConfig
from autotuner.errors import AutotunerError, ConfigError, Problem

_MAX_BYTES = 4 << 20


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
    return _parsed(document, source, None)


def parse_stored_task(document: Any, *, source: str) -> TaskConfig:
    """A document that was accepted once: requirements that came later do not hold for it.

    Raises:
        ConfigError: with every problem and its field path.
    """
    return _parsed(document, source, STORED)


def _parsed(document: Any, source: str, context: str | None) -> TaskConfig:
    if not isinstance(document, dict):
        raise ConfigError(source, (Problem("", "a task is a mapping of keys to values"),))
    try:
        return TaskConfig.model_validate(document, context=context)
    except ValidationError as error:
        raise ConfigError(source, problems_of(error)) from None
