"""Task documents: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import (
    AS_RECORDED,
    GROUPS,
    Candidate,
    LengthDistribution,
    TaskConfig,
    parse_stored_task,
    parse_task,
)
from autotuner.errors import ConfigError

MINIMAL: dict[str, Any] = {"version": 2, "name": "t", "model": {"id": "m"}}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def refusal(document: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_task(MINIMAL | document)
    return str(caught.value)


def test_a_list_is_an_axis_and_a_scalar_is_fixed() -> None:
    task = parse_task(MINIMAL | {"scheduling": {"max_running_requests": [2, 8], "policy": "fcfs"}})
    assert task.axes() == {"scheduling.max_running_requests": [2, 8]}
    assert task.fixed() == {"scheduling.policy": "fcfs"}


def test_aliases_are_read_and_never_written() -> None:
    task = parse_task(MINIMAL | {"parallel": {"tp": [1, 2], "moe_ep": 4}})
    written = task.written()
    assert written["parallel"] == {"tensor_parallel": [1, 2], "moe_expert_parallel": 4}


def test_a_field_and_its_alias_together_are_refused() -> None:
    assert "given twice" in refusal({"parallel": {"tp": 1, "tensor_parallel": 2}})


@pytest.mark.parametrize(
    "words",
    [
        ["--seed", "-1"],
        ["--cuda-graph-bs", "1", "2", "4"],
        ["-ctk", "q8_0", "--mlock"],
        ["-O3", "--rope-scaling={'a': 1}"],
        ["--chat-template", ""],
    ],
)
def test_extra_args_are_flags_each_with_its_values(words: list[str]) -> None:
    assert parse_task(MINIMAL | {"misc": {"extra_args": words}}).fixed() == {
        "misc.extra_args": tuple(words)
    }


def test_a_wrong_item_of_a_list_does_not_make_the_list_empty() -> None:
    reported = refusal({"benchmark": {"concurrency": [0]}})
    assert "benchmark.concurrency[0]" in reported
    assert "empty" not in reported


def test_extra_args_is_one_value_and_a_list_of_lists_is_an_axis() -> None:
    one = parse_task(MINIMAL | {"misc": {"extra_args": ["--a", "1"]}})
    two = parse_task(MINIMAL | {"misc": {"extra_args": [["--a", "1"], ["--b"]]}})
    assert one.fixed() == {"misc.extra_args": ("--a", "1")}
    assert two.axes() == {"misc.extra_args": [("--a", "1"), ("--b",)]}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"paralel": {}}, ["'paralel'", "did you mean 'parallel'"]),
        ({"parallel": {"tensor_paralel": 2}}, ["parallel", "did you mean 'tensor_parallel'"]),
        ({"misc": {"threads": []}}, ["misc.threads", "empty"]),
        ({"misc": {"threads": -1}}, ["misc.threads: has to be 1 or more, not -1"]),
        ({"misc": {"threads": "two"}}, ["misc.threads: takes a whole number, not 'two'"]),
        ({"misc": {"threads": [1, 0]}}, ["misc.threads[1]: has to be 1 or more, not 0"]),
        ({"misc": {"threads": True}}, ["misc.threads: takes a whole number, not true"]),
        ({"misc": {"extra_args": ["rm -rf"]}}, ["misc.extra_args", "follows no flag"]),
        ({"misc": {"extra_args": ["--f=1", "x"]}}, ["misc.extra_args", "'x' follows no flag"]),
        ({"misc": {"extra_args": ["-"]}}, ["misc.extra_args", "'-' is no flag"]),
        ({"misc": {"extra_args": ["--a", "--", "x"]}}, ["misc.extra_args", "'--' is no flag"]),
        ({"misc": {"extra_args": ["-1"]}}, ["misc.extra_args", "'-1' follows no flag"]),
        ({"profiles": "balanced"}, ["profiles: takes a list, not 'balanced'"]),
        ({"quantization": {"kvcache_mode": "fp9"}}, ["quantization.kvcache_mode", "'fp9'"]),
        ({"benchmark": {"workload": "X(1,2)"}}, ["benchmark.workload", "D(isl,osl)"]),
        ({"benchmark": {"concurrency": []}}, ["benchmark.concurrency", "empty"]),
        ({"optimization": {"objectives": []}}, ["optimization.objectives", "1, 2 or 3", "not 0"]),
        (
            {"optimization": {"objectives": ["tok_s", "ttft_ms", "tpot_ms", "e2e_p90_ms"]}},
            ["optimization.objectives", "1, 2 or 3", "not 4"],
        ),
        (
            {"optimization": {"objectives": ["tok_s", "tok_s"]}},
            ["optimization.objectives", "twice"],
        ),
        ({"optimization": {"strategy": "hybird"}}, ["optimization.strategy", "'hybrid'", "hybird"]),
        (
            {"optimization": {"budget": {"experiments": 0}}},
            ["optimization.budget.experiments", "a budget of 0 launches nothing", "leave it out"],
        ),
        (
            {"optimization": {"budget": {"minutes": 0.0}}},
            ["optimization.budget.minutes", "a budget of 0.0 launches nothing"],
        ),
        ({"optimization": {"budget": {"usd": -1}}}, ["optimization.budget.usd", "-1"]),
        ({"optimization": {"min_gain": 5}}, ["optimization.min_gain", "0.01 is 1 %", "not 5"]),
        (
            {"optimization": {"min_gain": 0.01, "strategy": "random"}},
            ["min_gain", "'random' expects no gains", "leave it out"],
        ),
        (
            {"optimization": {"levels": "as_needed", "strategy": "grid"}},
            ["optimization.levels", "'grid' measures every load level", "auto or hybrid"],
        ),
        ({"optimization": {"levels": "some"}}, ["optimization.levels", "'all'", "'as_needed'"]),
        (
            {"optimization": {"parallel_launches": 0}},
            ["optimization.parallel_launches", "1 or more, or auto", "not 0"],
        ),
        (
            {"optimization": {"parallel_launches": "all"}},
            ["optimization.parallel_launches", "1 or more, or auto", "'all'"],
        ),
        ({"version": 3}, ["version"]),
        ({"model": {}}, ["model", "give an id"]),
    ],
)
def test_what_is_wrong_is_named_with_its_path(document: dict[str, Any], words: list[str]) -> None:
    message = refusal(document)
    for word in words:
        assert word in message


def test_every_problem_is_shown_at_once() -> None:
    message = refusal({"misc": {"threads": -1}, "parallel": {"tp": "x"}, "slo": {"ttft_ms": 0}})
    assert all(path in message for path in ("misc.threads", "tensor_parallel", "slo.ttft_ms"))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            {"misc": {"thread": 1, "threads": -1}},
            ["misc.thread: unknown key 'thread'", "misc.threads"],
        ),
        ({"moddel": {}, "slo": {"ttft_ms": 0}}, ["unknown key 'moddel'", "slo.ttft_ms"]),
        (
            {"optimization": {"budgett": {}, "budget": {"minuts": 1, "usd": -1}}},
            ["unknown key 'budgett'", "unknown key 'minuts'", "budget.usd"],
        ),
        ({"parallel": {"tp": 1, "tensor_parallel": 2, "pp": "x"}}, ["given twice", "pipeline"]),
        (
            {"combinations": [{"misc": {"x": 1}}, {"parallel": {"tp": "y"}}], "nme": 1},
            ["'nme'", "combinations[0].misc.x: unknown key 'x'", "combinations[1].parallel.tensor"],
        ),
    ],
)
def test_an_unknown_key_hides_no_other_fault(document: dict[str, Any], words: list[str]) -> None:
    message = refusal(document)
    for word in words:
        assert word in message
    assert "Value error" not in message


@pytest.mark.parametrize(
    ("reported", "threshold"),
    [
        ({}, 0.001),
        ({"budget": {"experiments": 12}}, None),
        ({"budget": {"minutes": 30}}, None),
        ({"budget": {"experiments": 12}, "min_gain": 0.02}, 0.02),
        ({"min_gain": 0}, None),
        ({"min_gain": 0, "strategy": "grid"}, None),
    ],
)
def test_without_a_budget_a_search_ends_when_little_is_to_be_gained(
    reported: dict[str, Any], threshold: float | None
) -> None:
    assert parse_task(MINIMAL | {"optimization": reported}).optimization.threshold() == threshold


@pytest.mark.parametrize(
    ("reported", "as_needed"),
    [
        ({}, False),
        ({"budget": {"experiments": 12}}, False),
        ({"budget": {"experiments": 12, "minutes": 30}}, True),
        ({"budget": {"usd": 30}}, True),
        ({"budget": {"minutes": 30}, "levels": "all"}, False),
        ({"budget": {"experiments": 12}, "levels": "as_needed"}, True),
    ],
)
def test_load_levels_are_measured_as_needed_where_time_is_the_budget(
    reported: dict[str, Any], as_needed: bool
) -> None:
    optimization = parse_task(MINIMAL | {"optimization": reported}).optimization
    assert optimization.levels_as_needed() == as_needed


def test_one_objective_is_enough() -> None:
    task = parse_task(MINIMAL | {"optimization": {"objectives": ["ttft_ms"]}})
    assert task.optimization.objectives == ("ttft_ms",)
    assert task.optimization.strategy == "auto"


def test_when_to_end_and_how_many_at_once_do_not_change_the_content_id() -> None:
    plain = parse_task(MINIMAL)
    changes = {"min_gain": 0.1, "parallel_launches": 4, "levels": "as_needed"}
    other = parse_task(MINIMAL | {"optimization": changes})
    assert plain.content_id == other.content_id
    for changed in ({"optimization": {"strategy": "grid"}}, {"benchmark": {"cut_short": False}}):
        assert parse_task(MINIMAL | changed).content_id != plain.content_id


def test_words_slo_and_budget_do_not_change_the_content_id() -> None:
    plain = parse_task(MINIMAL)
    shown = parse_task(
        MINIMAL
        | {
            "name": "other",
            "slo": {"ttft_ms": 5},
            "optimization": {"budget": {"experiments": 3}},
        }
    )
    other = parse_task(MINIMAL | {"misc": {"threads": 2}})
    assert plain.content_id == shown.content_id != other.content_id


def test_every_field_has_a_meaning_in_the_schema() -> None:
    for group in GROUPS.values():
        for name, field in group.model_fields.items():
            assert field.description or name == "extra_args", name
    schema = TaskConfig.model_json_schema()
    assert "GPUs that share" in json.dumps(schema)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "misc.threads": st.integers(1, 512),
            "memory.max_model_len": st.integers(1, 1 << 20),
            "memory.mem_fraction_static": st.floats(0.01, 1),
            "attention.enable_prefix_caching": st.booleans(),
            "misc.load_format": st.text(min_size=1),
        },
    )
)
def test_a_candidate_comes_back_from_its_settings_with_the_same_id(
    settings: dict[str, Any],
) -> None:
    candidate = Candidate.from_settings(settings)
    again = Candidate.from_settings(dict(reversed(candidate.settings().items())))
    assert again == candidate
    assert again.id == candidate.id
    assert candidate.settings() == settings


@given(
    st.floats(min_value=1, max_value=1e7),
    st.integers(min_value=1, max_value=10**7),
)
def test_lengths_are_written_as_they_are_read(tokens: float, whole: int) -> None:
    lengths = LengthDistribution(kind="D", input=(tokens, tokens), output=(whole, whole))
    assert LengthDistribution.parse(str(lengths)) == lengths


def test_a_replay_names_its_table_and_may_leave_the_model_to_it() -> None:
    named = {"version": 2, "name": "r", "deployment_mode": "replay", "replay": {"landscape": "a"}}
    task = parse_task(named)
    assert task.model == AS_RECORDED
    assert parse_task(task.written()) == task
    assert parse_task(named | {"model": {"id": "m"}}).model.id == "m"


def test_a_table_counts_by_its_checksum_wherever_it_lies() -> None:
    def content(**replay: str) -> str:
        named = {"version": 2, "name": "r", "deployment_mode": "replay", "replay": replay}
        return parse_task(named).content_id

    assert content(landscape="a", sha256="0" * 64) == content(landscape="b", sha256="0" * 64)
    assert content(landscape="a", sha256="0" * 64) != content(landscape="a", sha256="1" * 64)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"deployment_mode": "replay"}, "replay.landscape: is missing"),
        ({"replay": {"landscape": "a"}, "model": {"id": "m"}}, "say deployment_mode: replay"),
        ({"deployment_mode": "local"}, "model: is missing"),
        (
            {"deployment_mode": "replay", "replay": {"landscape": "a", "sha256": "1"}},
            "replay.sha256",
        ),
    ],
)
def test_a_replay_without_table_or_a_table_without_replay(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_task({"version": 2, "name": "r"} | changes)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("optimization.seed", 10**30),
        ("system.total_gpus", 2**31),
        ("parallel.tensor_parallel", 10**400),
        ("benchmark.repeats", 10**400),
        ("runtime.isl", 2**31),
    ],
)
def test_a_count_that_nothing_can_hold_is_refused(path: str, value: int) -> None:
    group, _, field = path.partition(".")
    shown = {field: value}
    with pytest.raises(ConfigError) as refused:
        parse_task({"version": 2, "name": "t", "model": {"id": "smollm2-135m"}, group: shown})
    assert [problem.path for problem in refused.value.problems] == [path]


@pytest.mark.parametrize("field", ["id", "path"])
@pytest.mark.parametrize("blank", ["", "  "])
def test_an_empty_name_of_a_model_is_refused_at_its_field(field: str, blank: str) -> None:
    with pytest.raises(ConfigError, match=rf"model\.{field}: is empty") as raised:
        parse_task(MINIMAL | {"model": {"id": "m"} | {field: blank}})
    assert len(raised.value.problems) == 1


@pytest.mark.parametrize("field", ["revision", "served_name"])
@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_detail_of_a_model_counts_as_left_out(field: str, blank: str) -> None:
    plain = parse_task(MINIMAL | {"model": {"id": "m"}})
    given = parse_task(MINIMAL | {"model": {"id": "m", field: blank}})
    assert (given, given.content_id) == (plain, plain.content_id)


@pytest.mark.parametrize("field", ["id", "revision", "served_name"])
@pytest.mark.parametrize("name", ["-lead", "--flag=1", "a\nb", "a\0b"])
def test_a_name_of_a_model_that_no_command_can_hold_is_refused(field: str, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"model\.{field}: .*: name it otherwise") as raised:
        parse_task(MINIMAL | {"model": {"id": "m"} | {field: name}})
    assert len(raised.value.problems) == 1


def test_a_stored_task_is_read_although_its_model_would_be_refused_today() -> None:
    model = {"id": " ", "path": "a.gguf", "served_name": "", "revision": "-x"}
    read = parse_stored_task(MINIMAL | {"model": model}, source="task 1")
    assert read.written()["model"] == {"id": " ", "path": "a.gguf", "revision": "-x"}
    with pytest.raises(ConfigError, match="unknown key"):
        parse_stored_task(MINIMAL | {"model": model, "modle": 1}, source="task 1")
