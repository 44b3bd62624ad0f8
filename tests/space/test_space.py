"""Axes become candidates; what cannot work is excluded, with its reason, and counted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import (
    GgufHeader,
    ResolvedModel,
    Widths,
    facts_from_gguf,
    known_model,
    kv_gib_per_gpu,
    weights_gib_per_gpu,
)
from autotuner.config import Candidate, parse_task
from autotuner.config.groups import Memory
from autotuner.engines import Installation, engine_named
from autotuner.errors import ConfigError, EngineError
from autotuner.profiles import ProfileRegistry, builtin_registry, profile_from
from autotuner.space import Region, Space, SpaceContext, build_space, kv_cache_gib
from autotuner.tuning.prepare import prepare

COUNTS = {"llama.attention.head_count": 9, "llama.attention.head_count_kv": 3}
HEADER = GgufHeader(Path("/m.gguf"), 1 << 20, "llama", "m", 8192, 30, 9, 3, 576, COUNTS)
FACTS = facts_from_gguf(HEADER)
HERE = Installation("llamacpp", ("llama-server",), "1", "here")


LLAMACPP = engine_named("llamacpp")
MODEL = ResolvedModel("m", "/m.gguf", FACTS, HEADER.path, HEADER)


def setting(largest: int = 160) -> SpaceContext:
    defaults = LLAMACPP.table.defaults
    return SpaceContext(largest, defaults, FACTS, 24.0, use=LLAMACPP.table.memory)


def space(groups: dict[str, Any], largest: int = 160) -> Space:
    task = parse_task({"version": 2, "name": "t", "model": {"id": "m"}} | groups)
    settings = {**task.fixed(), **task.axes()}
    return build_space(
        [Region(settings, frozenset(settings), setting(largest), LLAMACPP, MODEL, HERE)]
    )


def test_the_grid_is_the_product_with_the_last_axis_turning_fastest() -> None:
    found = space({"scheduling": {"slots": [1, 2]}, "misc": {"threads": [1, 2]}})
    pairs = [(c.scheduling.max_running_requests, c.misc.threads) for c in found.candidates]
    assert pairs == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert found.combinations == 4
    assert found.excluded == {}


def test_a_context_below_isl_plus_osl_is_excluded_with_the_reason() -> None:
    found = space({"memory": {"max_model_len": [128, 256]}})
    assert [c.memory.max_model_len for c in found.candidates] == [256]
    assert list(found.excluded.values()) == [1]
    assert "smaller than isl + osl (160)" in next(iter(found.excluded))


def test_a_total_context_is_shared_by_the_slots() -> None:
    found = space({"memory": {"max_total_tokens": 640}, "scheduling": {"slots": [4, 8]}})
    assert [c.scheduling.max_running_requests for c in found.candidates] == [4]


def test_combinations_that_render_alike_are_one_candidate() -> None:
    found = space({"scheduling": {"slots": [2, 2]}, "runtime": {"ttft_target": [5.0, 6.0]}})
    assert len(found.candidates) == 1
    assert sum(found.excluded.values()) == 3


def test_an_axis_value_the_engine_cannot_express_is_excluded() -> None:
    found = space({"quantization": {"kvcache_mode": ["int8", "fp8"]}})
    assert [c.quantization.kvcache_mode for c in found.candidates] == ["int8"]
    assert "cannot express 'fp8'" in next(iter(found.excluded))


def test_a_fixed_value_the_engine_cannot_express_is_an_error() -> None:
    with pytest.raises(EngineError, match="fp8"):
        space({"quantization": {"kvcache_mode": "fp8"}})


def test_a_space_with_nothing_feasible_is_an_error_with_the_reasons() -> None:
    with pytest.raises(ConfigError, match="smaller than isl"):
        space({"memory": {"max_model_len": 64}})


def test_a_grid_too_large_is_refused() -> None:
    wide = list(range(1, 2400))
    with pytest.raises(ConfigError, match="combinations"):
        space({"misc": {"threads": wide}, "scheduling": {"slots": wide}})


def test_the_kv_cache_is_counted_as_the_engine_counts_it() -> None:
    candidate = Candidate.from_settings(
        {"memory.max_model_len": 1024, "scheduling.max_running_requests": 4}
    )
    # 2 x 30 layers x 3 heads x 64 x 4096 tokens x 2 bytes = 90 MiB
    assert kv_cache_gib(candidate, setting()) == pytest.approx(90 / 1024)


@given(
    st.lists(st.integers(1, 16), min_size=1, max_size=4),
    st.lists(st.integers(1, 400), min_size=1, max_size=4),
    st.integers(1, 300),
)
def test_every_combination_is_a_candidate_or_counted(
    slots: list[int], lengths: list[int], largest: int
) -> None:
    groups = {"scheduling": {"slots": slots}, "memory": {"max_model_len": lengths}}
    try:
        found = space(groups, largest)
    except ConfigError:
        assert all(length < largest for length in lengths)
        return
    assert len(found.candidates) + sum(found.excluded.values()) == found.combinations
    assert len({c.id for c in found.candidates}) == len(found.candidates) == len(found.specs)
    assert all((c.memory.max_model_len or 0) >= largest for c in found.candidates)


def feasible(
    model: str, gpu: str, gpus: int, groups: dict[str, Any], engine: str = "vllm"
) -> Space:
    where = {"gpu_type": gpu, "total_gpus": gpus, "backend": engine}
    document = {
        "version": 2,
        "name": "t",
        "model": {"id": model},
        "runtime": {"isl": 1024, "osl": 256},
        "system": where,
    }
    return prepare(parse_task(document | groups), base=Path()).space


@pytest.mark.parametrize(
    ("model", "gpu", "gpus", "groups", "reason"),
    [
        ("llama-3.1-8b", "h100", 2, {"parallel": {"tp": [1, 4]}}, "is more than total_gpus (2)"),
        ("llama-3.1-8b", "h100", 8, {"parallel": {"tp": [1, 3]}}, "does not divide the 32"),
        ("llama-3.1-8b", "h100", 8, {"parallel": {"tp": 1, "moe_ep": [1, 2]}}, "dense model"),
        ("llama-3.1-70b", "h100", 8, {"parallel": {"tp": [1, 8]}}, "weights and one request need"),
        (
            "qwen3-30b-a3b-fp8",
            "h100",
            8,
            {"parallel": {"tp": [1, 4]}},
            "768 columns over 4 ranks do not keep FP8 blocks",
        ),
        (
            "qwen3-30b-a3b",
            "h100",
            8,
            {"parallel": {"tp": 2, "dp": 2, "moe_tp": [2, 4], "moe_ep": 1}},
            "is not TP x DP (4)",
        ),
        ("llama-3.1-8b", "a100", 1, {"quantization": {"gemm": ["bfloat16", "fp8"]}}, "h100_sxm"),
        ("qwen3-8b", "h100", 1, {"memory": {"max_model_len": [512, 2048]}}, "isl + osl (1280)"),
    ],
)
def test_what_cannot_work_is_counted_with_its_reason(
    model: str, gpu: str, gpus: int, groups: dict[str, Any], reason: str
) -> None:
    if "quantization" in groups:
        groups = {"quantization": {"gemm_mode": groups["quantization"]["gemm"]}}
    found = feasible(model, gpu, gpus, groups)
    assert len(found.candidates) == 1
    assert sum(found.excluded.values()) == 1
    assert reason in next(iter(found.excluded))


def test_a_format_the_gpu_lacks_is_an_error_that_names_gpus_that_have_it() -> None:
    with pytest.raises(ConfigError, match="these GPUs do: h100_sxm"):
        feasible("llama-3.1-8b", "a100", 1, {"quantization": {"gemm_mode": "fp8"}})


def test_combinations_are_tried_as_they_stand() -> None:
    combinations = [
        {"parallel": {"tp": 8}},
        {"parallel": {"tp": 2, "dp": [2, 4]}, "quantization": {"gemm_mode": "fp8"}},
    ]
    found = feasible("llama-3.1-70b", "h100", 8, {"combinations": combinations})
    message = [
        (c.parallel.tensor_parallel, c.parallel.data_parallel, c.quantization.gemm_mode)
        for c in found.candidates
    ]
    assert message == [(8, None, None), (2, 2, "fp8"), (2, 4, "fp8")]


def test_combinations_that_differ_in_one_value_are_all_there() -> None:
    combinations = [{"parallel": {"tp": 4}}, {"parallel": {"tp": 8}}, {"parallel": {"tp": 4}}]
    found = feasible("llama-3.1-70b", "h100", 8, {"combinations": combinations})
    assert [c.parallel.tensor_parallel for c in found.candidates] == [4, 8]
    assert list(found.excluded.values()) == [1]


def test_one_launch_set_by_other_fields_is_one_candidate() -> None:
    spread = [{"parallel": {"tp": 4, "ep": 4}}, {"parallel": {"moe_ep": 4, "tp": 4}}]
    found = feasible("qwen3-30b-a3b", "h100", 8, {"combinations": spread})
    assert len(found.candidates) == 1
    assert "--enable-expert-parallel" in found.specs[found.candidates[0].id].argv


@given(st.lists(st.sampled_from([1, 2, 4, 8]), min_size=1, max_size=4), st.booleans())
def test_no_two_candidates_of_any_combinations_are_one_launch(widths: list[int], dp: bool) -> None:
    combinations = [
        {"parallel": {"tp": width} | ({"dp": 1} if dp and index % 2 else {})}
        for index, width in enumerate(widths)
    ]
    found = feasible("qwen3-8b", "h100", 8, {"combinations": combinations})
    commands = [spec.command() for spec in found.specs.values()]
    assert len(set(commands)) == len(commands)
    assert {c.parallel.tensor_parallel for c in found.candidates} == set(widths)


def excluded(model: str, gpu: str, gpus: int, groups: dict[str, Any], engine: str = "vllm") -> str:
    """Why nothing of this can be."""
    with pytest.raises(ConfigError) as caught:
        feasible(model, gpu, gpus, groups, engine)
    return str(caught.value)


@pytest.mark.parametrize(
    ("model", "gpu", "groups", "reason"),
    [
        ("deepseek-v3", "h100", {"parallel": {"tp": 8}}, "weights and one request need"),
        ("deepseek-v3", "h100", {"parallel": {"tp": 1, "dp": 8}}, "weights and one request need"),
        (
            "llama-3.1-8b",
            "l4",
            {"memory": {"max_total_tokens": 10**9, "max_model_len": 2048}},
            "weights and memory.max_total_tokens (1000000000) need",
        ),
        (
            "llama-3.1-8b",
            "l4",
            {"memory": {"max_model_len": 131072}},
            "weights and one sequence of memory.max_model_len (131072) need",
        ),
        (
            "llama-3.1-8b",
            "h100",
            {"memory": {"max_model_len": 2**31 - 1}},
            "the model's context (131",
        ),
        ("llama-3.1-8b", "h100", {"runtime": {"nextn": 1}}, "without MTP layers"),
    ],
)
def test_what_the_engine_could_not_start_is_excluded(
    model: str, gpu: str, groups: dict[str, Any], reason: str
) -> None:
    gpus = 1 if gpu == "l4" else 8
    if "runtime" in groups:
        groups = {"runtime": {"isl": 1024, "osl": 256} | groups["runtime"]}
    assert reason in excluded(model, gpu, gpus, groups)


def test_a_length_beyond_the_models_context_is_for_engines_that_stretch_it() -> None:
    found = space({"memory": {"max_model_len": 10 * 8192}})
    assert [c.memory.max_model_len for c in found.candidates] == [81920]
    raised = {"memory": {"max_model_len": 65536}, "misc": {"context_length": 65536}}
    assert feasible("qwen3-8b", "h100", 1, raised).candidates


def test_a_total_below_the_models_context_lowers_the_served_length() -> None:
    found = feasible("llama-3.1-8b", "h100", 1, {"memory": {"max_total_tokens": 8192}})
    assert found.candidates[0].memory.max_model_len == 1536


def test_a_served_length_that_does_not_fit_is_lowered_where_vllm_would_not_start() -> None:
    on_l4 = feasible("llama-3.1-8b", "l4", 1, {}).candidates[0]
    assert on_l4.memory.max_model_len is not None
    assert 1280 <= on_l4.memory.max_model_len < 4096
    assert feasible("llama-3.1-8b", "h100", 1, {}).candidates[0].memory.max_model_len is None
    assert feasible("llama-3.1-8b", "l4", 1, {}, "sglang").candidates[0].memory == Memory()


def test_attention_replicas_hold_what_is_no_expert_in_full() -> None:
    known = known_model("deepseek-v3")
    assert known is not None
    facts = known.facts
    split = weights_gib_per_gpu(facts, Widths(tensor=8))
    replicas = weights_gib_per_gpu(facts, Widths(data=8))
    total = facts.weights_gib()
    assert split is not None
    assert replicas is not None
    assert total is not None
    assert split == pytest.approx(total / 8)
    assert 10 < replicas - split < 20


def test_a_latent_is_there_on_every_rank() -> None:
    known = known_model("deepseek-v3")
    assert known is not None
    facts = known.facts
    alone, wide = (kv_gib_per_gpu(facts, Widths(tensor=n), 4096) for n in (1, 8))
    assert alone == wide


def test_lengths_are_named_by_their_source() -> None:
    shown = excluded("qwen3-8b", "h100", 1, {"memory": {"max_total_tokens": 64}})
    assert "memory.max_total_tokens (64) is smaller than isl + osl (1280)" in shown
    both = {"memory": {"max_total_tokens": 10**5, "max_model_len": 64}}
    assert "memory.max_model_len (64) is smaller" in excluded("qwen3-8b", "h100", 1, both)


def test_a_profiles_value_never_contradicts_the_task() -> None:
    document = {
        "version": 2,
        "name": "t",
        "model": {"id": "qwen3-8b"},
        "profiles": ["balanced"],
        "runtime": {"isl": 1024, "osl": 256},
        "system": {"gpu_type": "h100", "total_gpus": 1, "backend": "sglang"},
        "attention": {"enable_chunked_prefill": False},
    }
    found = prepare(parse_task(document), base=Path())
    assert {c.attention.chunked_prefill_size for c in found.space.candidates} == {None}
    assert any("attention.chunked_prefill_size" in warning for warning in found.warnings)


def test_words_beside_an_axis_that_they_say_too_are_excluded() -> None:
    groups = {
        "memory": {"mem_fraction_static": 0.8},
        "misc": {"extra_args": [["--seed", "1"], ["--gpu-memory-utilization", "0.5"]]},
    }
    found = feasible("qwen3-8b", "h100", 1, groups)
    assert [c.misc.extra_args for c in found.candidates] == [("--seed", "1")]
    assert "beside memory.mem_fraction_static 0.8" in next(iter(found.excluded))


@pytest.mark.parametrize(
    ("groups", "shown"),
    [
        ({"runtime": {"prefix": 64}}, "shared prefixes are not generated"),
        ({"runtime": {"isl": 8, "osl": 8}}, "runtime.isl: is one for all combinations"),
        ({"system": {"total_gpus": [1, 2]}}, "system.total_gpus: cannot be searched"),
    ],
)
def test_a_combination_may_not_ask_for_what_a_task_may_not(
    groups: dict[str, Any], shown: str
) -> None:
    document = {
        "version": 2,
        "name": "t",
        "model": {"id": "qwen3-8b"},
        "benchmark": {"workload": "D(1024,256)"},
        "system": {"gpu_type": "h100", "backend": "vllm"},
        "combinations": [groups],
    }
    with pytest.raises(ConfigError, match=re.escape(shown)):
        prepare(parse_task(document), base=Path())


def test_a_profile_may_not_ask_for_shared_prefixes() -> None:
    layers = [{"name": "shared", "set": {"runtime.prefix": 64}}]
    mine = profile_from({"name": "mine", "layers": layers}, source="mine.yaml")
    registry = ProfileRegistry({**builtin_registry().profiles, "mine": mine})
    document = {
        "version": 2,
        "name": "t",
        "model": {"id": "qwen3-8b"},
        "profiles": ["mine"],
        "runtime": {"isl": 1024, "osl": 256},
        "system": {"gpu_type": "h100", "backend": "vllm"},
    }
    with pytest.raises(ConfigError, match=r"runtime\.prefix: mine/shared sets it"):
        prepare(parse_task(document), base=Path(), registry=registry)


def test_a_field_in_the_task_and_in_a_combination_is_refused() -> None:
    groups = {"parallel": {"tp": 1}, "combinations": [{"parallel": {"tp": 2}}]}
    with pytest.raises(ConfigError, match=r"combinations\[0\].parallel.tensor_parallel: the task"):
        feasible("llama-3.1-8b", "h100", 8, groups)


def test_one_task_compares_engines_each_with_what_it_can_express() -> None:
    document = {
        "version": 2,
        "name": "t",
        "model": {"id": "qwen3-8b"},
        "profiles": ["balanced"],
        "runtime": {"isl": 1024, "osl": 256},
        "system": {"gpu_type": "h100", "total_gpus": 1, "backend": ["vllm", "sglang"]},
    }
    found = prepare(parse_task(document), base=Path())
    assert {spec.engine for spec in found.space.specs.values()} == {"vllm", "sglang"}
    assert {c.system.backend for c in found.space.candidates} == {"vllm", "sglang"}
    assert found.engine_name == "vllm, sglang"
