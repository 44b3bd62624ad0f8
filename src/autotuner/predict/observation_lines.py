"""Observations as JSON Lines: one a line, every field by its name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from autotuner.config import content_id, nearest
from autotuner.errors import ConfigError, Problem
from autotuner.predict.observation import Observation

_KNOWN = [field.name for field in fields(Observation)]
_SHOWN_PROBLEMS = 10
_WHERE = ("source", "at")
"""Fields that say where an observation comes from, and not what was seen."""


def observation_id(observation: Observation) -> str:
    """A hash of what was seen: the same observation from two files has one id."""
    seen = {key: value for key, value in plain(observation).items() if key not in _WHERE}
    return content_id(seen, 16)


def written_lines(observations: Iterable[Observation]) -> str:
    """One JSON object a line."""
    lines = [json.dumps(plain(found), ensure_ascii=False) for found in observations]
    return "".join(f"{line}\n" for line in lines)


def read_lines(text: str, *, source: str) -> tuple[Observation, ...]:
    """The inverse of `written_lines`; blank lines are passed over.

    Args:
        source: the file's name, for errors and for observations that do not say theirs.

    Raises:
        ConfigError: with line and field of every fault; then nothing is read.
    """
    found: list[Observation] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        observation, faults = _read(line, source)
        problems.extend(Problem(f"line {number}", fault) for fault in faults)
        if observation is not None:
            found.append(observation)
    if problems:
        shown, hidden = problems[:_SHOWN_PROBLEMS], problems[_SHOWN_PROBLEMS:]
        more = f"; {len(hidden)} more faults" if hidden else ""
        raise ConfigError(source, tuple(shown), remedy=f"nothing was imported{more}")
    return tuple(found)


def _read(line: str, source: str) -> tuple[Observation | None, list[str]]:
    try:
        document = json.loads(line)
    except ValueError as error:
        return None, [f"no JSON: {error}"]
    if not isinstance(document, dict):
        return None, [f"expected an object, got {type(document).__name__}"]
    unknown = [key for key in document if key not in _KNOWN]
    if unknown:
        return None, [f"{key}: unknown field, {nearest(key, _KNOWN)}" for key in unknown]
    try:
        return _ADAPTER.validate_python({"source": source} | document), []
    except ValidationError as error:
        return None, [_fault(detail) for detail in error.errors()]


def _fault(detail: Any) -> str:
    place = ".".join(map(str, detail["loc"]))
    message = str(detail["msg"]).removeprefix("Value error, ")
    got = "" if detail["type"] in ("missing", "value_error") else f", got {detail['input']!r}"
    return f"{place}: {message.lower()}{got}" if place else message


def plain(observation: Observation) -> dict[str, Any]:
    """Every field by its name, in JSON values."""
    at = observation.at
    return {
        **asdict(observation),
        "settings": dict(observation.settings),
        "at": None if at is None else at.isoformat(),
    }


_ADAPTER = TypeAdapter(Observation)
