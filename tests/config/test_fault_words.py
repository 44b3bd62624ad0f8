"""Every fault that a task file can have is told in our words, with what was given."""

from __future__ import annotations

import copy
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from autotuner.config import TaskConfig, problems_of

MINIMAL: dict[str, Any] = {"version": 2, "name": "n", "model": {"id": "smollm2-135m"}}
VALUES: tuple[Any, ...] = (
    *("x", "8", "", 1.5, -1, 0, 2**40, 10**30, float("nan"), True, None, "x" * 10_000),
    *([], {}, [[]], ["x"], [None], {"a": 1}, {"a" * 10_000: 1}),
)
PYDANTICS = (
    *("Input should", "input should", "should have", "should match", "valid ", "nable to parse"),
    *("validation", "Extra inputs", "instance of", "permitted", "Field required"),
)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from models_in(part)


def places(model: type[BaseModel], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every field, two deep."""
    for name, field in model.model_fields.items():
        yield (*before, name)
        if not before:
            for inner in models_in(field.annotation):
                yield from places(inner, (name,))


def faults(place: tuple[str, ...], value: Any) -> list[str]:
    document = copy.deepcopy(MINIMAL)
    inside = document
    for part in place[:-1]:
        inside[part] = inside[part] if isinstance(inside.get(part), dict) else {}
        inside = inside[part]
    inside[place[-1]] = value
    try:
        TaskConfig.model_validate(document)
    except ValidationError as error:
        return [problem.message for problem in problems_of(error)]
    return []


@pytest.mark.parametrize("place", dict.fromkeys(places(TaskConfig)), ids=".".join)
def test_no_fault_of_a_field_is_in_words_of_the_library(place: tuple[str, ...]) -> None:
    for value in VALUES:
        for message in faults(place, value):
            assert not [words for words in PYDANTICS if words in message], (value, message)
            assert len(message) < 1_000, "of a long value no more than the beginning is repeated"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("runtime", "isl"), "x", "takes a whole number, not 'x'"),
        (("runtime", "isl"), [8, "x"], "takes a whole number, not 'x'"),
        (("runtime", "isl"), 2**31, "has to be 2147483647 or less, not 2147483648"),
        (("runtime", "ttft_target"), 0, "has to be above 0, not 0"),
        (("runtime", "ttft_target"), float("nan"), "takes a finite number, not nan"),
        (("system", "gpu_type"), 100, "takes text, not 100; put it in quotes"),
        (("system", "serving_mode"), "both", "has to be 'agg' or 'disagg', not 'both'"),
        (("attention", "enable_chunked_prefill"), "yes", "takes true or false, not 'yes'"),
        (("memory",), 3, "takes a mapping of keys to values, not 3"),
        (("version",), 3, "has to be 2, not 3"),
        (
            ("name",),
            "x" * 10_000,
            f"has to have 200 characters or fewer, not '{'x' * 80}'… (10,000 characters)",
        ),
    ],
)
def test_a_fault_says_what_the_field_takes_and_what_was_given(
    place: tuple[str, ...], value: Any, message: str
) -> None:
    assert faults(place, value) == [message]


def test_faults_beside_an_unknown_key_are_alike() -> None:
    found = faults(("scheduling",), {"max_running_request": 4, "slots": 0})
    assert "unknown key 'max_running_request', did you mean 'max_running_requests'?" in found
    assert "has to be 1 or more, not 0" in found
