"""Faults that Pydantic finds, in our words: what a field takes, what was given, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from autotuner.config.axes import AXIS, VALUE
from autotuner.config.document import LONGEST_SHOWN, shortened
from autotuner.errors import Problem

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "too_short": "the list is empty; give values to try, or leave the field out",
    "too_long": "has {actual_length} items; give {max_length} at the most",
    "tuple_type": "takes a list",
    "list_type": "takes a list",
    "set_type": "takes a list",
    "dict_type": "takes a mapping of keys to values",
    "mapping_type": "takes a mapping of keys to values",
    "model_type": "takes a mapping of keys to values",
    "model_attributes_type": "takes a mapping of keys to values",
    "dataclass_type": "takes a mapping of keys to values",
    "extra_forbidden": "is not known here; leave it out",
    "unexpected_keyword_argument": "is not known here; leave it out",
    "bool_type": "takes true or false",
    "bool_parsing": "takes true or false",
    "int_type": "takes a whole number",
    "int_parsing": "takes a whole number",
    "int_from_float": "takes a whole number",
    "int_parsing_size": "takes a whole number of fewer digits",
    "float_type": "takes a number",
    "float_parsing": "takes a number",
    "finite_number": "takes a finite number",
    "greater_than": "has to be above {gt}",
    "greater_than_equal": "has to be {ge} or more",
    "less_than": "has to be below {lt}",
    "less_than_equal": "has to be {le} or less",
    "multiple_of": "has to be a multiple of {multiple_of}",
    "string_type": "takes text",
    "string_too_short": "has to have {min_length} characters or more",
    "string_too_long": "has to have {max_length} characters or fewer",
    "string_pattern_mismatch": "has to match {pattern}",
    "literal_error": "has to be {expected}",
    "enum": "has to be {expected}",
    "union_tag_not_found": "has to say {discriminator}",
    "union_tag_invalid": "has to be of {expected_tags}",
    "none_required": "has to be left out",
    "json_invalid": "is no JSON: {error}",
    "json_type": "takes JSON",
}
"""Kind of error -> words in which its context is filled in."""
_REMEDIES: Mapping[str, str] = {"string_type": "put it in quotes"}
"""Kind of error -> what to do where a number or yes/no was given."""
_SAYS_ALL = frozenset({"missing", "too_short", "too_long", "extra_forbidden", "json_invalid"})
"""Kinds of which the given value tells nothing more."""


def problems_of(error: ValidationError) -> tuple[Problem, ...]:
    """Pydantic's errors as field paths and sentences."""
    return problems_in(error.errors(include_url=False))


def problems_in(errors: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """The same, of errors that are reported one by one."""
    problems = []
    for item in errors:
        if item["type"] == "too_short" and item.get("input"):
            # Its items are wrong, which is reported of each, and so none is left of the list.
            continue
        problems.append(Problem(path_of(item["loc"]), _message(item)))
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


def _message(item: Mapping[str, Any]) -> str:
    kind, given = item["type"], item.get("input")
    words = _WORDS.get(kind)
    if words is None:
        # A sentence of a validator of ours, which names what it was given.
        return _own_sentence(item["msg"].removeprefix("Value error, "), given)
    context = item.get("ctx") or {}
    message = words.format_map({name: _bound(value) for name, value in context.items()})
    if kind in _SAYS_ALL:
        return message
    remedy = _REMEDIES.get(kind) if isinstance(given, bool | int | float) else None
    return f"{message}, not {_shown(given)}" + (f"; {remedy}" if remedy else "")


def _bound(value: Any) -> Any:
    """A limit as people write it: 0, not 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _own_sentence(message: str, given: Any) -> str:
    message = message[0].lower() + message[1:]
    if isinstance(given, str):
        message = message.replace(repr(given), shortened(given))
    shown = _shown(given)
    is_repeated = shown in message or not isinstance(given, str | int | float | bool)
    return message if is_repeated else f"{message}, not {shown}"


def _shown(given: Any) -> str:
    if isinstance(given, str):
        return shortened(given)
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, Mapping):
        return "a mapping"
    if isinstance(given, list | tuple):
        return "a list"
    if given is None:
        return "nothing"
    digits = str(given)
    return digits if len(digits) <= LONGEST_SHOWN else f"{digits[:LONGEST_SHOWN]}…"
