"""Settings in cells of a CSV file: text that reads back as the value that was written."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from autotuner.config import GROUPS


def written_cell(value: Any) -> str:
    """A setting's value as text; a list of words as JSON."""
    return json.dumps(list(value)) if isinstance(value, list | tuple) else str(value)


@functools.lru_cache(maxsize=4096)
def read_cell(path: str, text: str) -> Any:
    """The value of `group.field` that a cell holds: its first reading that the field takes.

    A field that no group has takes a number or a truth where the text is one.
    """
    group, _, field = path.partition(".")
    model = GROUPS.get(group)
    if model is None or field not in model.model_fields:
        return list(_readings(text))[-1]
    for reading in _readings(text):
        try:
            model.model_validate({field: reading})
        except ValidationError:
            continue
        return reading
    return text


def _readings(text: str) -> Iterator[Any]:
    """What the text may mean, as it stands first."""
    yield text
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        yield int(number) if number.is_integer() else number
    if text in ("True", "False"):
        yield text == "True"
    if text.startswith("["):
        try:
            yield json.loads(text)
        except ValueError:
            return
