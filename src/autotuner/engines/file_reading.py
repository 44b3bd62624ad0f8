"""An engine's file as text -> its document, or every fault with the line where it stands."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from autotuner.config import DocumentError, nearest, parse_document, problems_in
from autotuner.config.backends import BUILT_IN
from autotuner.config.tables import fast_document
from autotuner.engines.engine_file import EngineFile
from autotuner.errors import EngineError


def read_engine_file(path: Path) -> EngineFile:
    """The document of a file.

    Raises:
        EngineError: it cannot be read or is no engine's; every fault with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        # Files of ours are tested; of others', a key that is given twice is found too.
        raw = fast_document(text) if path.parent == BUILT_IN else parse_document(text)
        file = EngineFile.model_validate(raw)
    except (OSError, UnicodeDecodeError, DocumentError) as error:
        raise EngineError(f"{path}: {error}") from None
    except ValidationError as error:
        faults = [fault for item in error.errors() for fault in _faults(path, text, item)]
        raise EngineError("\n  ".join(faults), remedy="docs/engines.md has every key") from None
    if file.name != path.stem:
        line = _line(text, ("name",))
        raise EngineError(
            f"{path}:{line}: name: {file.name!r} is not the file's own name",
            remedy=f"write name: {path.stem}, or rename the file to {file.name}.yaml",
        )
    return file


def _faults(path: Path, text: str, item: Any) -> Iterator[str]:
    """A fault in our words; none where its items have theirs."""
    where: tuple[int | str, ...] = item["loc"]
    dotted = ".".join(str(part) for part in where)
    for problem in problems_in([item]):
        message = problem.message
        if item["type"] == "extra_forbidden":
            message = f"unknown key; {nearest(str(where[-1]), _keys_at(where[:-1]))}"
        yield f"{path}:{_line(text, where)}: {dotted}: {message}"


def _keys_at(where: tuple[int | str, ...]) -> list[str]:
    """Keys that the mapping at a place may have."""
    model: type[BaseModel] = EngineFile
    for part in where:
        field = model.model_fields.get(str(part))
        if field is not None:
            model = model_in(field.annotation) or model
    return list(model.model_fields)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The mapping that a key holds, or the items of its list are; None where it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = map(model_in, typing.get_args(annotation))
    return next((model for model in inner if model is not None), None)


def _line(text: str, where: tuple[int | str, ...]) -> int:
    """The line of a place, or of the innermost mapping or list around it that is written."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if pair is None:
                continue
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
