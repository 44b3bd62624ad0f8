"""v1 tasks as v2 tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from v1_examples import NAMES, example, v1_task

from autotuner.config import parse_task
from autotuner.errors import ConfigError
from autotuner.migrate import Done, Translation, refused_mode, translate_task
from autotuner.migrate.draft import Note
from autotuner.migrate.groups import PARALLEL_PRESETS


def translated(**changes: Any) -> Translation:
    return translate_task(v1_task(**changes))


def note(translation: Translation, path: str) -> Note:
    return next(note for note in translation.notes if note.path == path)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_becomes_a_task_that_is_accepted(name: str) -> None:
    translation = translate_task(example(name))
    task = parse_task(translation.task)
    assert task.name == name
    assert not translation.noted(Done.LOST)


def test_a_parameter_becomes_the_field_that_its_engine_says_by_that_flag() -> None:
    task = parse_task(translate_task(example("vllm_bayesian")).task)
    assert task.axes() == {
        "parallel.tensor_parallel": [1, 2, 4],
        "memory.mem_fraction_static": [0.85, 0.92],
        "scheduling.max_running_requests": [64, 256],
        "attention.enable_chunked_prefill": [True, False],
    }
    assert task.fixed()["system.backend"] == "vllm"


@pytest.mark.parametrize(
    ("runtime", "name", "values", "path", "found"),
    [
        ("sglang", "tp", [2], "parallel.tensor_parallel", 2),
        ("sglang", "tensor_parallel_size", ["2"], "parallel.tensor_parallel", 2),
        ("sglang", "mem_frac", ["0.8", 0.9], "memory.mem_fraction_static", [0.8, 0.9]),
        ("sglang", "schedule-policy", ["lpm", "fcfs"], "scheduling.policy", ["lpm", "fcfs"]),
        ("sglang", "disable-radix-cache", [True], "attention.enable_prefix_caching", False),
        ("sglang", "disable_cuda_graph", ["false"], "misc.cuda_graph", True),
        ("sglang", "context-length", [4096.0], "memory.max_model_len", 4096),
        ("sglang", "quantization", ["w8a8_int8"], "quantization.gemm_mode", "sq"),
        ("vllm", "kv-cache-dtype", ["fp8"], "quantization.kvcache_mode", "fp8"),
        ("vllm", "no-enable-prefix-caching", [True], "attention.enable_prefix_caching", False),
        ("vllm", "dtype", {"type": "choice", "values": ["bfloat16"]}, "misc.dtype", "bfloat16"),
        ("tensorrt-llm", "max-batch-size", [64], "scheduling.max_running_requests", 64),
        ("tensorrt-llm", "tp_size", 2, "parallel.tensor_parallel", 2),
    ],
)
def test_any_spelling_of_a_flag_is_understood(
    runtime: str, name: str, values: Any, path: str, found: Any
) -> None:
    task = parse_task(translated(base_runtime=runtime, parameters={name: values}).task)
    assert {**task.fixed(), **task.axes()}[path] == found


def test_a_flag_that_no_field_says_is_passed_as_it_is() -> None:
    translation = translated(parameters={"some_new-flag": ["a", "-b"], "enforce-eager": ["true"]})
    assert parse_task(translation.task).axes()["misc.extra_args"] == [
        ("--some-new-flag", "a", "--enforce-eager"),
        ("--some-new-flag=-b", "--enforce-eager"),
    ]
    assert note(translation, "parameters.some_new-flag").done is Done.EXTRA_ARGS


def test_trtllm_flags_keep_their_underscores() -> None:
    translation = translated(base_runtime="tensorrt-llm", parameters={"some-flag": [1]})
    assert translation.task["misc"]["extra_args"] == ["--some_flag", "1"]


def test_a_value_that_its_field_cannot_say_goes_to_the_engine_as_it_is() -> None:
    translation = translated(parameters={"kv-cache-dtype": ["fp8_e5m2", "auto"]})
    assert translation.task["misc"]["extra_args"] == [
        ["--kv-cache-dtype", "fp8_e5m2"],
        ["--kv-cache-dtype", "auto"],
    ]


def test_a_number_of_gpus_never_hides_among_extra_flags() -> None:
    translation = translated(parameters={"tp-size": ["many"]})
    assert note(translation, "parameters.tp-size").done is Done.LOST
    assert "misc" not in translation.task
    assert translation.task["metadata"]["v1"]["parameters"] == {"tp-size": "many"}


def test_a_flag_that_the_tuner_sets_is_kept_beside() -> None:
    translation = translated(parameters={"port": [30000]})
    assert note(translation, "parameters.port").done is Done.KEPT


def test_of_two_names_of_one_parameter_the_last_wins_and_the_first_is_kept() -> None:
    translation = translate_task(example("unknown_flags"))
    assert translation.task["parallel"] == {"tensor_parallel": 4}
    assert note(translation, "parameters.tp-size").done is Done.OVERRULED
    assert translation.task["metadata"]["v1"]["parameters"] == {"tp-size": ["1", "2"]}


def test_two_names_that_say_the_same_are_one() -> None:
    translation = translated(parameters={"tp-size": ["1", "2"], "tp": [1, 2]})
    assert translation.task["parallel"] == {"tensor_parallel": [1, 2]}
    assert "parameters" not in translation.task.get("metadata", {}).get("v1", {})


def test_each_quantisation_preset_is_a_combination() -> None:
    translation = translate_task(example("quant_presets"))
    assert translation.task["combinations"] == [
        {},
        {"quantization": {"gemm_mode": "fp8", "kvcache_mode": "fp8", "moe_mode": "fp8"}},
    ]
    shown = note(translation, "quant_config.presets.dynamic-fp8.attention_dtype")
    assert shown.done is Done.KEPT


def test_explicit_parameters_win_over_formats_and_widths() -> None:
    translation = translated(
        parameters={"kv-cache-dtype": ["fp8_e4m3"], "tp-size": [1]},
        quant_config={"kvcache_dtype": "bfloat16"},
        parallel_config={"tp": [2, 4], "pp": 2},
    )
    assert translation.task["quantization"] == {"kvcache_mode": "fp8"}
    assert translation.task["parallel"] == {"tensor_parallel": 1, "pipeline_parallel": 2}
    assert {n.path for n in translation.noted(Done.OVERRULED)} == {
        "quant_config.kvcache_dtype",
        "parallel_config.tp",
    }


def test_a_format_without_a_word_is_passed_as_v1_passed_it() -> None:
    mixture = {"id_or_path": "me/moe"}
    parameters = {"some-flag": ["a", "b"]}
    translation = translated(
        model=mixture,
        parameters=parameters,
        quant_config={"presets": ["default", "aggressive-moe"]},
    )
    path = "quant_config.presets.aggressive-moe.moe_dtype"
    assert note(translation, path).done is Done.EXTRA_ARGS
    assert not translation.noted(Done.LOST)
    plain, moe = translation.task["combinations"]
    assert plain["misc"]["extra_args"] == [["--some-flag", "a"], ["--some-flag", "b"]]
    words = ["--quantization", "w4afp8", "--moe-runner-backend", "flashinfer_mxfp4"]
    assert moe["misc"]["extra_args"] == [[*words, "--some-flag", "a"], [*words, "--some-flag", "b"]]
    # What the words say no field says beside them.
    assert "gemm_mode" not in moe["quantization"]


@pytest.mark.parametrize(
    ("runtime", "formats"),
    [
        ("sglang", {"gemm_dtype": "int8", "kvcache_dtype": "int4"}),
        ("vllm", {"moe_dtype": "w4afp8", "attention_dtype": "fp8_e4m3"}),
        ("tensorrt-llm", {"gemm_dtype": "fp8"}),
        ("sglang", {"presets": ["never-heard-of", 7]}),
    ],
)
def test_a_format_that_v1_passed_nothing_for_is_kept_beside(
    runtime: str, formats: dict[str, Any]
) -> None:
    mixture = {"id_or_path": "me/moe"}
    translation = translated(base_runtime=runtime, model=mixture, quant_config=formats)
    assert not translation.noted(Done.LOST)


def test_presets_of_widths_are_points_of_the_grid() -> None:
    translation = translated(parallel_config={"presets": ["single-gpu", "balanced", "odd"]})
    assert translation.task["combinations"] == [
        {"parallel": {"tensor_parallel": 1, "pipeline_parallel": 1, "data_parallel": 1}},
        {"parallel": {"tensor_parallel": 2, "pipeline_parallel": 1, "data_parallel": 4}},
        {},
    ]
    assert note(translation, "parallel_config.presets.odd").done is Done.KEPT
    assert not translation.noted(Done.LOST)


@pytest.mark.parametrize("runtime", ["sglang", "vllm", "tensorrt-llm"])
@pytest.mark.parametrize("preset", PARALLEL_PRESETS)
def test_every_preset_of_widths_is_translated_for_every_engine(runtime: str, preset: str) -> None:
    translation = translated(base_runtime=runtime, parallel_config={"presets": [preset]})
    assert not translation.noted(Done.LOST)
    assert translation.task["parallel"]


def test_a_preset_has_what_its_engine_called_so() -> None:
    moe = {"parallel_config": {"presets": ["moe-optimized"]}, "parameters": {}}
    trtllm = translated(base_runtime="tensorrt-llm", **moe).task["parallel"]
    assert (trtllm["moe_tensor_parallel"], trtllm["moe_expert_parallel"]) == (2, 8)
    sglang = translated(base_runtime="sglang", **moe).task
    assert sglang["misc"]["extra_args"] == ["--moe-dense-tp-size", "2"]
    vllm = translated(base_runtime="vllm", **moe).task["parallel"]
    assert vllm["expert_parallel"] == 16


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ({"type": "categorical", "choices": [0.7, 0.8]}, [0.7, 0.8]),
        ({"type": "continuous", "low": 0.5, "high": 0.9}, 9),
        ({"type": "continuous", "low": 0.5, "high": 0.9, "log": True}, 9),
    ],
)
def test_some_values_of_a_range_are_tried(written: dict[str, Any], values: Any) -> None:
    translation = translated(parameters={"mem-fraction-static": written})
    found = translation.task["memory"]["mem_fraction_static"]
    assert (found if isinstance(values, list) else len(found)) == values
    assert found[0] == pytest.approx(min(found))
    assert not translation.noted(Done.LOST)


def test_a_short_range_of_whole_numbers_is_tried_in_full() -> None:
    written = {"type": "integer", "low": 1, "high": 4}
    translation = translated(parameters={"max-running-requests": written})
    assert translation.task["scheduling"]["max_running_requests"] == [1, 2, 3, 4]


OME_TASK = {
    "task_name": "ome",
    "model": {"id_or_path": "llama-3-1-8b-instruct", "namespace": "autotuner"},
    "base_runtime": "llama-3-2-1b-instruct-rt",
    "parameters": {
        "tp_size": {"type": "choice", "values": [1]},
        "mem_frac": {"type": "choice", "values": [0.8, 0.9]},
        "schedule_policy": {"type": "choice", "values": ["lpm", "fcfs"]},
    },
}


@pytest.mark.parametrize(
    ("changes", "asked", "engine"),
    [
        ({}, None, "sglang"),
        ({}, "vllm", "vllm"),
        ({}, "tensorrt_llm", "trtllm"),
        ({"base_runtime": "my-vllm-runtime"}, None, "vllm"),
        ({"clusterservingruntime_config": {"preset": "vllm-llama-small"}}, None, "vllm"),
        (
            {"clusterservingruntime_config": {"spec": {"image": "lmsysorg/sglang:1"}}},
            None,
            "sglang",
        ),
        ({"runtime_image_tag": "vllm-0.11"}, None, "vllm"),
        ({"parameters": {"tp_size": [1], "mem_frac": [0.8]}}, None, "sglang"),
        ({"parameters": {"gpu-memory-utilization": [0.8]}}, None, "vllm"),
        ({"parameters": {"max_num_tokens": [1024], "max_batch_size": [8]}}, None, "trtllm"),
    ],
)
def test_an_engine_is_found_where_the_runtime_names_none(
    changes: dict[str, Any], asked: str | None, engine: str
) -> None:
    translation = translate_task(OME_TASK | changes, engine=asked)
    assert parse_task(translation.task).fixed()["system.backend"] == engine
    assert note(translation, "base_runtime").done is Done.CHANGED
    assert not translation.noted(Done.LOST, Done.OPEN)


def test_where_nothing_names_an_engine_a_draft_says_what_to_fill_in() -> None:
    v1 = OME_TASK | {"parameters": {"zeal": [1]}, "quant_config": {"gemm_dtype": "fp8"}}
    translation = translate_task(v1)
    task = parse_task(translation.task)
    assert task.fixed()["system.backend"] == "llama-3-2-1b-instruct-rt"
    assert {n.path for n in translation.noted(Done.OPEN)} == {
        "base_runtime",
        "parameters",
        "quant_config",
    }
    assert translation.task["metadata"]["v1"]["parameters"] == {"zeal": [1]}


def test_an_engine_that_does_not_exist_is_not_asked_for() -> None:
    with pytest.raises(ConfigError, match="did you mean 'vllm'"):
        translate_task(OME_TASK, engine="vlm")


def test_what_a_benchmark_leaves_out_is_as_v1_had_it() -> None:
    task = parse_task(translated(benchmark={"num_concurrency": []}, optimization={}).task)
    assert str(task.benchmark.workload) == "D(100,100)"
    assert task.benchmark.concurrency == (1,)
    assert task.benchmark.requests_per_level == 50
    assert task.benchmark.duration_per_level_s == 600
    assert task.optimization.strategy == "grid"
    assert task.optimization.budget.experiments == 100


def test_a_limit_that_cannot_be_together_with_the_lengths_is_left_out() -> None:
    benchmark = {"traffic_scenarios": ["D(100,1)"]}
    translation = translated(benchmark=benchmark, slo={"tpot": {"threshold": 0.1}})
    assert parse_task(translation.task).slo.tpot_ms is None
    assert note(translation, "slo.tpot_ms").done is Done.CHANGED


def test_experts_are_spread_over_as_many_gpus_as_each_candidate_has() -> None:
    translation = translated(
        base_runtime="vllm",
        parallel_config={"tp": [1, 4], "dp": 2, "enable_expert_parallel": True},
    )
    widths = [part["parallel"] for part in translation.task["combinations"]]
    assert widths == [
        {"tensor_parallel": 1, "data_parallel": 2, "expert_parallel": 2},
        {"tensor_parallel": 4, "data_parallel": 2, "expert_parallel": 8},
    ]


@pytest.mark.parametrize(
    ("section", "name"), [("parameters", "dp-size"), ("parallel_config", "dp")]
)
def test_replicas_of_a_mixture_of_experts_are_not_taken_for_replicas_of_its_attention(
    section: str, name: str
) -> None:
    mixture = {"id_or_path": "Qwen/Qwen3-235B-A22B"}
    translation = translated(model=mixture, **{section: {"tp-size": [4], "tp": 4, name: 2}})
    assert note(translation, f"{section}.{name}").done is Done.LOST
    dense = translated(**{section: {name: 2}})
    assert dense.task["parallel"]["data_parallel"] == 2


def test_seconds_and_minutes_become_the_units_of_v2() -> None:
    task = parse_task(translate_task(example("slo")).task)
    assert task.slo.limits() == {"ttft_ms": 800, "tpot_ms": 40, "e2e_p90_ms": 4000}
    assert task.benchmark.duration_per_level_s == 300
    assert task.benchmark.ready_timeout_s == 600


@pytest.mark.parametrize(
    ("objective", "found"),
    [
        ("minimize_latency", "e2e_p90_ms"),
        ("maximize_throughput", "tok_s"),
        ("minimize_ttft", "ttft_ms"),
        ("minimize_tpot", "tpot_ms"),
    ],
)
def test_every_objective_has_its_counterpart(objective: str, found: str) -> None:
    written = {"strategy": "grid_search", "objective": objective, "max_iterations": "7"}
    task = parse_task(translated(optimization=written).task)
    assert task.optimization.objectives == (found,)
    assert task.optimization.strategy == "grid"
    assert task.optimization.budget.experiments == 7


def test_every_level_is_measured_since_v1_averages_over_all() -> None:
    assert parse_task(translated().task).benchmark.cut_short is False


def test_columns_that_v2_gave_v1_fill_the_groups_in() -> None:
    translation = translated(
        system_config={"gpu_type": "h100_sxm", "total_gpus": 8},
        memory_config={"mem_frac": [0.8, 0.9]},
        advanced_tuning_config={"chunked_prefill_size": 512, "cuda_graph": False},
        slo_config={"ttft_ms": 500},
    )
    task = parse_task(translation.task)
    assert task.fixed()["system.total_gpus"] == 8
    assert task.fixed()["misc.cuda_graph"] is False
    assert task.axes() == {"memory.mem_fraction_static": [0.8, 0.9]}
    assert task.slo.ttft_ms == 500


def test_a_model_on_this_machine_is_a_path() -> None:
    assert translated(model={"id_or_path": "/models/a"}).task["model"]["path"] == "/models/a"


@pytest.mark.parametrize("mode", ["ome", "kubernetes"])
def test_modes_without_a_launcher_are_refused_where_they_would_run(mode: str) -> None:
    shown = refused_mode(v1_task(deployment_mode=mode), absent_mode="local")
    assert shown is not None
    assert mode in shown.lower()


@pytest.mark.parametrize("mode", ["local", "docker"])
def test_a_process_may_run(mode: str) -> None:
    assert refused_mode(v1_task(deployment_mode=mode), absent_mode="ome") is None
    task = parse_task(translated(deployment_mode=mode, runtime_image_tag="v0.5.2").task)
    assert task.deployment_mode == "local"


def test_a_version_is_asked_for_only_where_containers_count() -> None:
    v1 = v1_task(deployment_mode="docker", runtime_image_tag="v0.5.2")
    assert translate_task(v1).task["system"]["backend_version"] == "0.5.2"
    assert "backend_version" not in translate_task(v1, containers=False).task["system"]


def test_what_is_no_task_is_refused_with_every_reason() -> None:
    with pytest.raises(ConfigError) as refused:
        translate_task({"base_runtime": "sglong", "model": {}})
    paths = [problem.path for problem in refused.value.problems]
    assert paths == ["task_name", "model.id_or_path", "base_runtime"]


def test_of_a_task_that_says_nothing_a_draft_is_made() -> None:
    translation = translate_task({"task_name": "", "base_runtime": "sglong", "model": {}})
    parse_task(translation.task)
    paths = {found.path for found in translation.noted(Done.OPEN)}
    assert paths == {"model.id_or_path", "base_runtime"}
    assert "did you mean 'sglang'" in note(translation, "base_runtime").text
    assert note(translation, "task_name").done is Done.CHANGED


def test_of_a_grid_too_large_to_write_out_the_first_part_is_tried() -> None:
    parameters = {f"flag-{n}": list(range(100)) for n in range(4)}
    translation = translated(parameters=parameters)
    assert len(translation.task["misc"]["extra_args"]) == 4096
    assert "100,000,000" in note(translation, "parameters").text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FLAGS = st.sampled_from(
    [
        "tp-size",
        "tp_size",
        "tp",
        "dp-size",
        "ep-size",
        "mem_frac",
        "mem-fraction-static",
        "schedule-policy",
        "quantization",
        "kv-cache-dtype",
        "enable-torch-compile",
        "disable-radix-cache",
        "max-num-seqs",
        "speculative-num-steps",
        "enable-expert-parallel",
        "no-enable-expert-parallel",
        "block-size",
        "swap-space",
        "port",
        "c",
        "7",
        "--",
        "a.b",
    ]
) | st.text(max_size=8)
VALUES = st.lists(
    st.sampled_from([1, 2, "4", 0.5, "0.9", True, "false", None, "auto", "fp8", -1, 1e400]) | JSON,
    max_size=3,
)
PARAMETERS = st.dictionaries(
    FLAGS, VALUES | st.builds(lambda v: {"type": "choice", "values": v}, VALUES) | JSON, max_size=4
)
QUANT = st.dictionaries(
    st.sampled_from(["presets", "preset", "gemm_dtype", "kvcache_dtype", "moe_dtype", "other"]),
    st.sampled_from(["auto", "fp8", "float16", "bfloat16", "w4afp8", "default"])
    | st.lists(st.sampled_from(["default", "dynamic-fp8", "bf16-stable", "odd"]), max_size=3)
    | JSON,
    max_size=3,
)
PARALLEL = st.dictionaries(
    st.sampled_from(
        [
            "tp",
            "pp",
            "dp",
            "cp",
            "dcp",
            "moe_tp",
            "moe_ep",
            "enable_expert_parallel",
            "moe_dense_tp",
            "preset",
            "odd",
        ]
    ),
    st.integers(0, 4) | st.lists(st.integers(1, 4), max_size=2) | st.booleans() | JSON,
    max_size=4,
)
SECTIONS = {
    "parameters": PARAMETERS,
    "quant_config": QUANT,
    "parallel_config": PARALLEL,
    "optimization": st.dictionaries(
        st.sampled_from(
            ["strategy", "objective", "max_iterations", "timeout_per_iteration", "odd"]
        ),
        JSON,
    ),
    "benchmark": st.dictionaries(
        st.sampled_from(
            [
                "task",
                "model_name",
                "traffic_scenarios",
                "num_concurrency",
                "max_time_per_iteration",
                "max_requests_per_iteration",
                "additional_params",
                "odd",
            ]
        ),
        JSON,
    ),
    "slo": st.dictionaries(st.sampled_from(["latency", "ttft", "tpot", "steepness", "odd"]), JSON),
    "memory_config": st.dictionaries(
        st.sampled_from(["mem_frac", "mem_fraction_static", "page_size", "x"]), JSON
    ),
    "slo_config": st.dictionaries(st.sampled_from(["ttft_ms", "x"]), JSON),
}
KEYS = [*SECTIONS, "description", "runtime_image_tag", "storage", "metadata", "odd"]


@st.composite
def v1_tasks(draw: st.DrawFn) -> dict[str, Any]:
    runtime = draw(st.sampled_from(["sglang", "vllm", "tensorrt-llm", "llamacpp", "vllm-ome"]))
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=6, unique=True))
    model = {"id_or_path": draw(st.sampled_from(["Qwen/Qwen2.5-7B-Instruct", "a/b", "/m.gguf"]))}
    return {
        "task_name": draw(st.text(min_size=1, max_size=210)),
        "model": model | draw(st.dictionaries(st.text(max_size=4), JSON, max_size=1)),
        "base_runtime": runtime,
        **{key: draw(SECTIONS.get(key, JSON) | JSON) for key in keys},
    }


@given(v1_tasks())
@settings(max_examples=300)
def test_no_key_of_a_task_is_lost(v1: dict[str, Any]) -> None:
    if not isinstance(v1["model"].get("id_or_path"), str) or not v1["model"]["id_or_path"]:
        return
    translation = translate_task(v1)
    parse_task(translation.task)
    json.dumps(translation.task, allow_nan=False)
    noted = {note.path for note in translation.notes}
    kept = translation.task.get("metadata", {}).get("v1", {})
    for path in _keys(v1):
        shown = [".".join(path[:n]) for n in range(1, len(path) + 1)]
        below = any(known.startswith(f"{shown[-1]}.") for known in noted)
        assert below or noted & set(shown), path
    for message in translation.noted(Done.KEPT, Done.LOST, Done.OVERRULED):
        assert message.path in {".".join(path) for path in _keys(kept)}, message


def _keys(document: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of nested mappings."""
    for key, value in document.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _keys(value, (*above, key))
