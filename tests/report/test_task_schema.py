"""What forms need of a task's fields, under `x-` keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from autotuner.catalog import gpu_named
from autotuner.config import GROUPS, parse_task
from autotuner.config.tables import packaged_table
from autotuner.engines import ENGINES, FIELDS
from autotuner.report.task_schema import task_schema

PARTS = ("model", "optimization", "benchmark", "slo", "prediction", "replay")


def fields_of(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    def walk(part: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, field in part.get("properties", {}).items():
            yield place + name, field
            forms = (field, *field.get("anyOf", ()), *field.get("allOf", ()))
            for form in forms:
                if "$ref" in form:
                    inner = schema["$defs"][form["$ref"].rpartition("/")[2]]
                    yield from walk(inner, f"{place}{name}.")

    return dict(walk(schema, ""))


@pytest.fixture(scope="module")
def fields() -> dict[str, dict[str, Any]]:
    return fields_of(task_schema())


def test_every_field_has_what_a_form_shows_of_it(fields: dict[str, dict[str, Any]]) -> None:
    assert set(FIELDS) <= set(fields)
    for path, field in fields.items():
        assert field["title"], path
        assert {"x-group", "x-order", "x-level", "x-searchable"} <= set(field), path
        if path.partition(".")[0] in (*GROUPS, *PARTS) and "." in path:
            assert field["description"], path
            assert field["x-group"] == path.partition(".")[0]


def test_titles_and_orders_are_distinct_within_a_group(fields: dict[str, dict[str, Any]]) -> None:
    for group in (*GROUPS, *PARTS):
        inside = [field for path, field in fields.items() if path.startswith(f"{group}.")]
        for key in ("title", "x-order"):
            values = [field[key] for field in inside]
            assert len(set(values)) == len(values), (group, key)


def test_the_table_names_fields_that_are_there(fields: dict[str, dict[str, Any]]) -> None:
    table = packaged_table("autotuner.report", "task_fields")
    for part in ("titles", "units", "choices"):
        assert set(table[part]) <= set(fields), part
    assert set(table["basic"]) <= set(fields)
    groups = [group["name"] for group in task_schema()["x-groups"]]
    assert set(groups) >= {field["x-group"] for field in fields.values()}


def test_searchable_fields_take_lists_and_the_others_do_not_matter(
    fields: dict[str, dict[str, Any]],
) -> None:
    searchable = {path for path, field in fields.items() if field["x-searchable"]}
    assert {"parallel.tensor_parallel", "system.backend", "misc.extra_args"} <= searchable
    assert not searchable & {"runtime.isl", "system.gpu_type", "runtime.ttft_target", "name"}


def test_engines_choices_and_defaults_are_those_of_the_tables(
    fields: dict[str, dict[str, Any]],
) -> None:
    assert "llamacpp" not in fields["parallel.tensor_parallel"]["x-engines"]
    assert set(fields["runtime.isl"]["x-engines"]) == set(ENGINES)
    assert fields["scheduling.policy"]["x-choices"]["values"]["vllm"] == ["fcfs", "priority"]
    assert fields["scheduling.policy"]["x-choices"]["values"]["llamacpp"] == ["fcfs"]
    formats = fields["quantization.kvcache_mode"]["x-choices"]["values"]
    assert "int5" in formats["llamacpp"] and "int5" not in formats["vllm"]
    assert "bfloat16" in fields["quantization.gemm_mode"]["x-choices"]["values"]["vllm"]
    assert fields["system.gpu_type"]["x-choices"] == "gpus"
    assert "tok_s_per_gpu" in fields["optimization.objectives"]["x-choices"]
    assert fields["deployment_mode"]["x-choices"] == ["local", "docker", "ray", "replay"]
    assert fields["benchmark.ready_timeout_s"]["x-unit"] == "s"
    assert fields["scheduling.max_running_requests"]["x-engine-defaults"]["llamacpp"] == 4


def test_defaults_depend_on_the_gpu() -> None:
    path = "scheduling.max_running_requests"
    small, large = (
        fields_of(task_schema(gpu))[path]["x-engine-defaults"]["vllm"]
        for gpu in (None, gpu_named("h100"))
    )
    assert (small, large) == (256, 1024)


def test_every_choice_of_an_engine_is_accepted(fields: dict[str, dict[str, Any]]) -> None:
    for path in FIELDS:
        choices = fields[path].get("x-choices")
        if not isinstance(choices, dict):
            continue
        assert set(choices["values"]) <= set(ENGINES)
        group, _, name = path.partition(".")
        for engine, values in choices["values"].items():
            document = {"version": 2, "name": "t", "model": {"id": "x/y"}}
            task = parse_task({**document, group: {name: values}})
            assert task.axes()[path] == values, (path, engine)
