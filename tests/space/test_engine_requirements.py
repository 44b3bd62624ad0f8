"""What engines ask of settings when they start: every row of their tables, and cases by name."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tried import tried

from autotuner.catalog import ModelFacts, gpu_named
from autotuner.config import Candidate
from autotuner.engines import ENGINES, RELATIONS, engine_named, requirement_from
from autotuner.space import SpaceContext
from autotuner.space.requirements import broken, requirement_rules

CHUNKS, STEP = "attention.enable_chunked_prefill", "scheduling.max_num_batched_tokens"
SLOTS, LENGTH = "scheduling.max_running_requests", "memory.max_model_len"


def on(
    engine: str, gpu: str = "h100", facts: ModelFacts | None = None, **more: Any
) -> SpaceContext:
    device = gpu_named(gpu)
    known = facts or ModelFacts(attention="gqa", experts=0, context_length=131072)
    return SpaceContext.of(
        engine_named(engine),
        more.pop("version", engine_named(engine).table.version),
        known,
        request_tokens=2560,
        prompt_tokens=2048,
        gpu=device,
        memory_gib=device.memory_gib,
        **more,
    )


def reasons(setting: SpaceContext, **settings: Any) -> list[str]:
    """What the engine of a setting has against settings; `__` stands for the dot."""
    candidate = Candidate.from_settings({k.replace("__", "."): v for k, v in settings.items()})
    rules = requirement_rules(setting)
    return [why for rule in rules if (why := rule.judge(candidate, setting)) is not None]


MOE = ModelFacts(attention="gqa", experts=8, context_length=131072)
MLA = ModelFacts(attention="mla", experts=256, context_length=131072)


def test_without_chunks_a_step_holds_what_vllm_serves() -> None:
    groups = {
        "scheduling": {"max_num_batched_tokens": 8192},
        "attention": {"enable_chunked_prefill": [True, False]},
        "memory": {"max_model_len": [8192, 131072]},
    }
    kept, excluded = tried("llama-3.2-1b", "vllm", "h100", 1, groups)
    assert {(c.attention.enable_chunked_prefill, c.memory.max_model_len) for c in kept} == {
        (True, 8192),
        (False, 8192),
        (True, 131072),
    }
    (reason,) = excluded
    assert f"{STEP} (8192)" in reason
    assert f"{LENGTH} (131072)" in reason


@pytest.mark.parametrize("step", [1024, 8192])
def test_the_length_that_vllm_derives_counts_where_none_is_set(step: int) -> None:
    groups = {
        "scheduling": {"max_num_batched_tokens": step},
        "attention": {"enable_chunked_prefill": False},
    }
    kept, excluded = tried("llama-3.2-1b", "vllm", "h100", 1, groups)
    assert not kept
    (reason,) = excluded
    assert f"{STEP} ({step}) has to be at least the model's context (131072" in reason
    assert "memory.max_model_len" in reason


def test_vllm_raises_the_step_itself_where_none_is_set() -> None:
    groups = {"attention": {"enable_chunked_prefill": False}}
    assert tried("llama-3.2-1b", "vllm", "h100", 1, groups)[0]


@pytest.mark.parametrize(
    ("gpu", "slots", "works"), [("h100", 8192, True), ("h100", 8193, False), ("l4", 4096, False)]
)
def test_the_step_that_vllm_takes_by_itself_holds_the_slots(
    gpu: str, slots: int, works: bool
) -> None:
    found = reasons(on("vllm", gpu), scheduling__max_running_requests=slots)
    assert (not found) is works
    assert all("as vllm takes it" in reason for reason in found)


def test_a_step_holds_a_token_of_every_running_request() -> None:
    groups = {
        "scheduling": {"max_num_batched_tokens": [128, 2048], "max_running_requests": 256},
        "memory": {"max_model_len": 4096},
    }
    kept, excluded = tried("llama-3.2-1b", "vllm", "h100", 1, groups)
    assert [c.scheduling.max_num_batched_tokens for c in kept] == [2048]
    assert f"{STEP} (128) has to be at least {SLOTS} (256)" in next(iter(excluded))


def test_tensorrt_llm_takes_prompts_whole_unless_chunks_are_on() -> None:
    groups = {"memory": {"max_model_len": 8192}, "scheduling": {STEP.split(".")[1]: [2048, 8192]}}
    kept, excluded = tried("llama-3.2-1b", "trtllm", "h100", 1, groups, isl=4096, osl=128)
    assert [c.scheduling.max_num_batched_tokens for c in kept] == [8192]
    assert "the longest prompt (4096)" in next(iter(excluded))
    chunks = groups | {"attention": {"enable_chunked_prefill": True}}
    assert len(tried("llama-3.2-1b", "trtllm", "h100", 1, chunks, isl=4096, osl=128)[0]) == 2
    long = {"memory": {"max_model_len": 16384}}
    _, by_itself = tried("llama-3.2-1b", "trtllm", "h100", 1, long, isl=12000, osl=128)
    assert "(8192, as trtllm takes it)" in next(iter(by_itself))


def test_every_attention_rank_of_sglang_has_a_request() -> None:
    groups = {
        "parallel": {"tp": 1, "dp": 8, "moe_ep": 8},
        "scheduling": {"max_running_requests": [4, 64]},
    }
    kept, excluded = tried("deepseek-r1", "sglang", "h200", 8, groups)
    assert [c.scheduling.max_running_requests for c in kept] == [64]
    assert f"{SLOTS} (4) has to be at least parallel.data_parallel (8)" in next(iter(excluded))


@pytest.mark.parametrize(
    ("setting", "settings", "works"),
    [
        (on("sglang"), {"attention__chunked_prefill_size": 2048, "memory__page_size": 64}, True),
        (on("sglang"), {"attention__chunked_prefill_size": 2000, "memory__page_size": 64}, False),
        (
            on("sglang", facts=MOE),
            {
                "attention__chunked_prefill_size": 1024,
                "memory__page_size": 64,
                "parallel__data_parallel": 32,
            },
            False,
        ),
        (on("sglang"), {"attention__backend": "flashmla", "memory__page_size": 16}, False),
        (on("sglang"), {"attention__backend": "flashmla"}, True),
        (on("sglang", "b200"), {"attention__backend": "fa3"}, False),
        (on("sglang"), {"attention__backend": "trtllm_mla"}, False),
        (
            on("sglang"),
            {"memory__swap_space": 8.0, "attention__enable_prefix_caching": False},
            False,
        ),
        (on("sglang"), {"runtime__nextn": 3, "misc__speculative_num_draft_tokens": 4}, True),
        (on("sglang"), {"runtime__nextn": 3, "misc__speculative_num_draft_tokens": 8}, False),
        (on("sglang"), {"runtime__nextn": 1, "parallel__pipeline_parallel": 2}, False),
        (on("sglang"), {"misc__speculative_algorithm": "eagle3"}, False),
        (on("vllm"), {"memory__page_size": 8}, False),
        (on("vllm", facts=MLA), {"attention__backend": "flash_attn"}, False),
        (on("vllm"), {"attention__backend": "flashmla"}, False),
        (on("vllm", "a100", MLA), {"attention__backend": "flashmla"}, False),
        (on("vllm", "b200", MLA), {"attention__backend": "cutlass_mla"}, True),
        (
            on("vllm", "l4"),
            {"attention__backend": "flash_attn", "quantization__kvcache_mode": "fp8"},
            False,
        ),
        (
            on("vllm"),
            {"attention__backend": "flash_attn", "quantization__kvcache_mode": "fp8"},
            True,
        ),
        (
            on("vllm"),
            {"attention__backend": "flash_attn", "quantization__kvcache_mode": "fp8_e5m2"},
            False,
        ),
        (on("vllm"), {"misc__speculative_algorithm": "eagle"}, False),
        (on("vllm"), {"memory__max_model_len": 64, "attention__chunked_prefill_size": 128}, False),
        (on("trtllm"), {"memory__page_size": 48}, False),
        (
            on("llamacpp", "cpu"),
            {"attention__backend": "standard", "quantization__kvcache_mode": "int8"},
            False,
        ),
    ],
)
def test_settings_that_do_not_go_together(
    setting: SpaceContext, settings: dict[str, Any], works: bool
) -> None:
    assert (not reasons(setting, **settings)) is works


@pytest.mark.parametrize(
    ("engine", "version", "facts", "tensor", "data", "message"),
    [
        ("vllm", "0.32.0", None, 16, 1, ""),
        ("vllm", "0.11.0", None, 16, 1, "it starts on one node alone before 0.12.0"),
        ("trtllm", "1.2.0", None, 16, 1, "it starts on one node alone"),
        ("trtllm", "1.2.0", None, 8, 1, ""),
        ("sglang", "0.5.23", None, 16, 1, ""),
        ("sglang", "0.5.23", None, 8, 2, "replicas of the whole model stay on one node"),
        ("sglang", "0.5.23", MOE, 8, 2, ""),
        ("sglang", "0.5.23", None, 4, 2, ""),
    ],
)
def test_more_gpus_than_a_node_has_take_several_where_the_engine_can(
    engine: str, version: str, facts: ModelFacts | None, tensor: int, data: int, message: str
) -> None:
    widths: dict[str, Any] = {"system__gpu_type": "h100"}
    widths |= {"parallel__tensor_parallel": tensor, "parallel__data_parallel": data}
    found = reasons(on(engine, facts=facts, version=version, gpus_per_node=8), **widths)
    assert [message in reason for reason in found] == ([True] if message else [])
    assert not any("one node" in why for why in reasons(on(engine, version=version), **widths))


def test_rows_hold_for_the_versions_that_they_name() -> None:
    settings = {"memory__max_model_len": 64, "attention__chunked_prefill_size": 128}
    assert reasons(on("vllm", version="0.32.0"), **settings)
    assert not reasons(on("vllm", version="0.24.0"), **settings)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_row_names_fields_a_reason_and_a_source(engine: str) -> None:
    for row in ENGINES[engine].table.requirements:
        assert row.relation in RELATIONS
        assert row.why
        assert row.source
        assert row.term


def test_a_row_with_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="widht is neither a field nor a quantity"):
        requirement_from({"that": "widht", "at_least": 1, "why": "w"}, "made_up")


AMOUNTS = [
    ("vllm", {STEP: 128, SLOTS: 256}),
    ("vllm", {STEP: 1024, CHUNKS: False, LENGTH: 4096}),
    ("vllm", {STEP: 1024, CHUNKS: False}),
    ("vllm", {LENGTH: 64, "attention.chunked_prefill_size": 128}),
    ("vllm", {"memory.page_size": 40}),
    ("sglang", {"attention.chunked_prefill_size": 1000, "memory.page_size": 64}),
    ("sglang", {"runtime.nextn": 3, "misc.speculative_num_draft_tokens": 9}),
    ("trtllm", {STEP: 1024}),
]


@pytest.mark.parametrize(("engine", "settings"), AMOUNTS)
def test_every_amount_that_a_reason_offers_meets_the_row(
    engine: str, settings: dict[str, Any]
) -> None:
    setting = on(engine)
    candidate = Candidate.from_settings(settings)
    found = [(row, why) for row in setting.requirements if (why := broken(row, candidate, setting))]
    assert found
    for row, reason in found:
        offers = [(row.term[0], value) for value in re.findall(r"use (\d+)", reason)]
        offers += re.findall(r"or (\w+\.\w+) of (\d+)", reason)
        assert offers
        for path, value in offers:
            changed = Candidate.from_settings(settings | {path: int(value)})
            assert broken(row, changed, setting) is None
