"""v1 tasks as v2 tasks."""

from __future__ import annotations

from typing import Any

import pytest
from v1_examples import NAMES, example, note, translated, v1_task

from autotuner.config import parse_task
from autotuner.errors import ConfigError
from autotuner.migrate import Done, refused_mode, translate_scenarios, translate_task


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
    assert translation.task["metadata"]["v1"]["parameters"] == {"tp-size": ["many"]}


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
        {"quantization": {"gemm_mode": "fp8", "kvcache_mode": "fp8_e5m2", "moe_mode": "fp8"}},
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
def test_a_process_and_a_container_may_run(mode: str) -> None:
    assert refused_mode(v1_task(deployment_mode=mode), absent_mode="ome") is None
    task = parse_task(translated(deployment_mode=mode, runtime_image_tag="v0.5.2").task)
    assert task.deployment_mode == mode


def test_a_version_is_asked_for_only_where_containers_count() -> None:
    v1 = v1_task(deployment_mode="docker", runtime_image_tag="v0.5.2")
    assert translate_task(v1).task["system"]["backend_version"] == "0.5.2"
    assert translate_task(v1).task["docker"] == {"image": "lmsysorg/sglang:v0.5.2"}
    assert "backend_version" not in translate_task(v1, containers=False).task["system"]


@pytest.mark.parametrize("model", [{}, {"id_or_path": "  "}])
def test_what_is_no_task_is_refused_with_every_reason(model: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as refused:
        translate_task({"base_runtime": "sglong", "model": model})
    paths = [problem.path for problem in refused.value.problems]
    assert paths == ["task_name", "model.id_or_path", "base_runtime"]


@pytest.mark.parametrize("model", [{}, {"id_or_path": "  "}])
def test_of_a_task_that_says_nothing_a_draft_is_made(model: dict[str, str]) -> None:
    translation = translate_task({"task_name": "", "base_runtime": "sglong", "model": model})
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


def test_of_several_scenarios_none_is_forgotten() -> None:
    v1 = v1_task(benchmark={"traffic_scenarios": ["D(64,16)", "D(8,8)"]})
    first, second = translate_scenarios(v1)
    assert [one.task["benchmark"]["workload"] for one in (first, second)] == ["D(64,16)", "D(8,8)"]
    assert len({first.task["name"], second.task["name"]}) == 2
    shown = note(translate_task(v1), "benchmark.traffic_scenarios")
    assert shown.done is Done.CHANGED and "D(8,8)" in shown.text


@pytest.mark.parametrize("benchmark", [None, 7, {}, {"traffic_scenarios": {"odd": 1}}])
def test_without_several_scenarios_there_is_one_task(benchmark: Any) -> None:
    (found,) = translate_scenarios(v1_task(benchmark=benchmark))
    assert found == translate_task(v1_task(benchmark=benchmark))
