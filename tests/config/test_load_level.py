"""Load levels: forms that they are written in, their order, and values that are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from autotuner.config import LoadKind, LoadLevel, TaskLoadLevel, kind_of_levels, parse_task
from autotuner.errors import ConfigError

TASK: dict[str, Any] = {"version": 2, "name": "t", "model": {"id": "m"}}
CONCURRENCY = st.integers(1, 2**31 - 1).map(LoadLevel.concurrency)
RATE = st.floats(1e-6, 1e6).map(LoadLevel.rate)
LEVELS = CONCURRENCY | RATE


class Holder(BaseModel):
    load: LoadLevel


@given(LEVELS)
def test_each_form_is_read_as_it_was_written(level: LoadLevel) -> None:
    assert LoadLevel.from_task(level.to_task()) == level
    assert LoadLevel.from_json(json.loads(json.dumps(level.to_json()))) == level
    held = Holder(load=level)
    assert held.model_dump(mode="json") == {"load": level.to_json()}
    assert Holder.model_validate_json(held.model_dump_json()) == held
    in_task = TypeAdapter[LoadLevel](TaskLoadLevel)
    assert in_task.dump_python(level, mode="json") == level.to_task()
    assert in_task.validate_python(level.to_task()) == level


@given(st.lists(CONCURRENCY) | st.lists(RATE))
def test_levels_of_one_kind_are_ordered_by_value(levels: list[LoadLevel]) -> None:
    assert [x.value for x in sorted(levels)] == sorted(x.value for x in levels)


def test_a_concurrency_is_whole_however_it_was_given() -> None:
    assert json.dumps(LoadLevel.concurrency(8.0).to_json()) == '{"kind": "concurrency", "value": 8}'
    assert hash(LoadLevel.concurrency(8.0)) == hash(LoadLevel.concurrency(8))


def test_text_names_the_unit() -> None:
    eight, rate = LoadLevel.concurrency(8), LoadLevel.rate(2.5)
    assert [str(eight), eight.short, eight.long] == ["8", "8 concurrent", "8 concurrent requests"]
    assert [str(rate), rate.short, rate.long] == ["2.5 req/s", "2.5 req/s", "2.5 requests/s"]
    assert str(LoadLevel.concurrency(12_345_678)) == "12345678"


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "2", None, 2**31])
@pytest.mark.parametrize("kind", list(LoadKind))
def test_a_value_that_is_no_load_is_refused_with_field_and_remedy(
    kind: LoadKind, value: Any
) -> None:
    with pytest.raises(ValueError, match=rf"^{kind.value}: .* is no load; give .*"):
        LoadLevel(kind, value)


def test_a_broken_concurrency_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2\.5 is no load; give a whole number"):
        LoadLevel.concurrency(2.5)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"rate": 0}, "rate: 0 is no load; give requests per second above 0"),
        ({"rps": 2}, "'rps' is no kind of load; give {concurrency: 8} or {rate: 2.5}"),
        ({"rate": 2, "concurrency": 8}, "is no load level; give {concurrency: 8} or {rate: 2.5}"),
        (8, "8 is no load level"),
        ([], "no load level"),
    ],
)
def test_the_message_of_a_wrong_form_has_the_right_one(form: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(TaskLoadLevel).validate_python(form)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "form", [{"kind": "rate"}, {"kind": "rps", "value": 1}, {"kind": "rate", "value": 1, "x": 2}]
)
def test_a_wrong_form_of_json_is_refused(form: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        LoadLevel.from_json(form)
    with pytest.raises(ValidationError):
        Holder.model_validate({"load": form})


def test_kinds_are_never_mixed() -> None:
    eight, rate = LoadLevel.concurrency(8), LoadLevel.rate(2.5)
    assert kind_of_levels([]) is None
    assert kind_of_levels([eight, LoadLevel.concurrency(1)]) is LoadKind.CONCURRENCY
    with pytest.raises(ValueError, match=r"two kinds.*keep one"):
        kind_of_levels([eight, rate])


def test_the_long_form_of_concurrencies_is_the_short_one() -> None:
    short = parse_task(TASK | {"benchmark": {"concurrency": [1, 8]}})
    long = parse_task(TASK | {"benchmark": {"load": [{"concurrency": 1}, {"concurrency": 8}]}})
    assert long == short
    assert long.written()["benchmark"] == {"concurrency": [1, 8]}
    assert long.content_id == short.content_id
    assert short.content_id == "e25d740a49f7", "runs of earlier versions would not go on"


def test_rates_are_read_written_and_distinguished() -> None:
    task = parse_task(TASK | {"benchmark": {"load": [{"rate": 2.5}, {"rate": 1}]}})
    assert task.benchmark.levels == (LoadLevel.rate(2.5), LoadLevel.rate(1))
    assert parse_task(task.written()) == task
    other = task.at_levels([LoadLevel.concurrency(4)])
    assert other.benchmark.concurrency == (4,)
    assert other.benchmark.load is None
    assert len({task.content_id, other.content_id}) == 2


@pytest.mark.parametrize(
    ("benchmark", "words"),
    [
        ({"load": [{"rate": 0}]}, ["benchmark.load[0]", "rate: 0 is no load", "above 0"]),
        ({"load": [{"rate": 1}, {"concurrency": 8}]}, ["{rate: 1} and {concurrency: 8}", "keep"]),
        ({"load": [{"rate": 1}], "concurrency": [1]}, ["concurrency and load", "keep one"]),
        ({"load": [{"concurrency": 1}], "concurrency": [1]}, ["concurrency and load", "keep one"]),
        ({"load": [{"rate": 1}, {"rate": 1.0}]}, ["a rate is given twice"]),
        ({"load": [{"concurrency": 8}, {"concurrency": 8}]}, ["a concurrency is given twice"]),
        ({"load": [{"concurrency": 0}]}, ["benchmark.concurrency[0]", "not 0"]),
        ({"load": []}, ["benchmark.load", "empty"]),
        ({"load": {"rate": 1}}, ["benchmark.load", "takes a list"]),
        ({"load": [8]}, ["benchmark.load[0]", "{concurrency: 8} or {rate: 2.5}"]),
    ],
)
def test_loads_that_no_task_can_have_are_refused(
    benchmark: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_task(TASK | {"benchmark": benchmark})
    assert all(word in str(caught.value) for word in words), caught.value
