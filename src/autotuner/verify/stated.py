"""What the user states of a file's points, as `FIELD=VALUE`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import yaml
from pydantic import ValidationError

from autotuner.config import Candidate, nearest
from autotuner.config.load import problems_of
from autotuner.errors import VerifyError
from autotuner.verify.csv_reader import setting_paths
from autotuner.verify.points import PointFile
from autotuner.verify.units import figure, whole

_TEXTS = ("model", "engine", "engine_version", "system", "candidate", "layout")
_NUMBERS = {"isl": figure, "osl": figure, "gpus": whole}


def stated(file: PointFile, option: str, texts: Sequence[str]) -> PointFile:
    """The file's points with what the user states of them in place of what the file says.

    Args:
        option: the option that the texts come from, for errors.
        texts: `FIELD=VALUE`; a field is one of a point's names or lengths, or a setting.

    Raises:
        VerifyError: an unknown field, or a value that it cannot have.
    """
    paths = setting_paths()
    known = (*_TEXTS, *_NUMBERS, *paths)
    names: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for name, text in named_values(option, texts, known):
        if name in paths:
            settings[paths[name]] = _value(option, name, text)
        else:
            names[name] = text if name in _TEXTS else number(option, name, text)
    if not texts:
        return file
    try:
        settings = Candidate.from_settings(settings).settings()
    except ValidationError as error:
        raise VerifyError(f"{option} {problems_of(error)[0]}") from None
    points = tuple(point.with_settings(settings, **names) for point in file.points)
    return replace(file, points=points, notes=(*file.notes, f"you say: {', '.join(texts)}"))


def named_values(option: str, texts: Sequence[str], known: Sequence[str]) -> list[tuple[str, str]]:
    """`NAME=VALUE` texts in two parts.

    Raises:
        VerifyError: a text without a value, or a name that is not among `known`.
    """
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise VerifyError(f"{option} {text!r} says no value", remedy="write NAME=VALUE")
        if name not in known:
            raise VerifyError(f"{option} {name!r}: {nearest(name, list(known))}")
        found.append((name, value))
    return found


def number(option: str, name: str, text: str) -> float:
    """The number that an option's text is.

    Raises:
        VerifyError: it is none that the field can have.
    """
    try:
        return _NUMBERS.get(name, figure)(name, text)
    except ValueError as error:
        raise VerifyError(f"{option} {error}") from None


def _value(option: str, name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise VerifyError(f"{option} {name}={text}: the value is no YAML") from None
