"""What fits into a GPU, against what people saw; and that what is offered as a remedy works."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tried import MODELS, tried, widths

from autotuner.catalog import DeviceMemory, gpu_named, known_model, working_gib
from autotuner.config import Candidate, parse_task
from autotuner.engines import engine_named
from autotuner.space import SpaceContext, remedies, shortfall
from autotuner.space.rules import feasible
from autotuner.tuning.prepare import prepare


@pytest.mark.parametrize(
    ("model", "engine", "gpu", "gpus", "groups", "fits"),
    [
        # vllm-project/vllm#10517: two H100 hold Llama-3.1-70B with a length of 20,000, not its own.
        ("llama-3.1-70b", "vllm", "h100", 2, {"tp": 2, "length": 8192}, True),
        ("llama-3.1-70b", "vllm", "h100", 2, {"tp": 2, "length": 20000}, True),
        ("llama-3.1-70b", "vllm", "h100", 2, {"tp": 2, "length": 131072}, False),
        # vllm-project/recipes#12: 262,144 tokens do not fit beside experts spread over 8 H200.
        (
            "qwen3-coder-480b-fp8",
            "vllm",
            "h200",
            8,
            {"tp": 1, "dp": 8, "ep": 8, "length": 32768},
            True,
        ),
        (
            "qwen3-coder-480b-fp8",
            "vllm",
            "h200",
            8,
            {"tp": 1, "dp": 8, "ep": 8, "length": 262144},
            False,
        ),
        # vllm-project/vllm#21348: 8.1 GiB are left for the cache on four H100.
        ("qwen3-235b-fp8", "vllm", "h100", 4, {"tp": 4, "length": 40960}, True),
        ("gpt-oss-120b", "vllm", "h100", 1, {"length": 131072}, True),
        ("gpt-oss-120b", "vllm", "a100", 1, {"length": 32768}, True),
        ("gpt-oss-120b", "sglang", "h100", 1, {}, True),
        ("llama-3.1-70b-fp8", "vllm", "h100", 1, {"length": 4096}, True),
        ("llama-3.1-70b-fp8", "vllm", "h100", 1, {"length": 131072}, False),
        ("deepseek-r1", "vllm", "h100", 8, {"tp": 8}, False),
        ("deepseek-r1", "vllm", "h200", 8, {"tp": 8}, True),
        ("deepseek-r1", "sglang", "h200", 8, {"tp": 8}, True),
        ("llama-3.1-8b", "vllm", "l4", 1, {"length": 8192}, True),
        # Windows: 52 of Gemma's 62 layers keep 1,024 tokens and no more.
        ("gemma-3-27b", "vllm", "h100", 1, {"length": 131072}, True),
    ],
)
def test_what_people_saw_fit(
    model: str, engine: str, gpu: str, gpus: int, groups: dict[str, Any], fits: bool
) -> None:
    if model == "llama-3.1-70b-fp8":
        known = known_model("llama-3.1-70b")
        assert known is not None
        facts = dataclasses.replace(known.facts, gemm_format="fp8_static", quantization=None)
        setting = setting_on(engine, gpu, gpus, facts)
        candidate = Candidate.from_settings({"memory.max_model_len": groups["length"]})
        assert (shortfall(candidate, setting) is None) is fits
        return
    names = {"tp": "tp", "dp": "dp", "ep": "moe_ep"}
    parallel = {names[key]: value for key, value in groups.items() if key in names}
    memory = {"max_model_len": groups["length"]} if "length" in groups else {}
    kept, excluded = tried(model, engine, gpu, gpus, {"parallel": parallel, "memory": memory})
    assert bool(kept) is fits, excluded


def setting_on(engine: str, gpu: str, gpus: int, facts: Any) -> SpaceContext:
    device = gpu_named(gpu)
    return SpaceContext.of(
        engine_named(engine),
        engine_named(engine).table.version,
        facts,
        request_tokens=2560,
        prompt_tokens=2048,
        gpu=device,
        memory_gib=device.memory_gib,
        gpus=gpus,
    )


def test_the_reason_names_the_length_and_its_cache() -> None:
    groups = {
        "parallel": {"dp": 8, "tp": 1, "moe_ep": 8},
        "memory": {"max_model_len": [32768, 262144]},
    }
    kept, excluded = tried("qwen3-coder-480b-fp8", "vllm", "h200", 8, groups)
    assert [c.memory.max_model_len for c in kept] == [32768]
    (reason,) = excluded
    assert "memory.max_model_len (262144)" in reason
    assert "62.00 GiB" in reason
    assert "mem_fraction_static" not in reason


def test_the_share_is_named_where_the_task_set_it() -> None:
    groups = {"memory": {"mem_fraction_static": 0.5, "max_model_len": 4096}}
    _, excluded = tried("llama-3.1-70b", "vllm", "h100", 2, groups | {"parallel": {"tp": 2}})
    (reason,) = excluded
    assert "memory.mem_fraction_static 0.5 leaves vllm" in reason
    enough = re.search(r"memory\.mem_fraction_static of (0\.\d+) or more fits", reason)
    assert enough is not None
    raised = {"memory": {"mem_fraction_static": float(enough[1]), "max_model_len": 4096}}
    assert tried("llama-3.1-70b", "vllm", "h100", 2, raised | {"parallel": {"tp": 2}})[0]


def test_the_length_is_lowered_where_none_is_set() -> None:
    kept, _ = tried("llama-3.1-70b", "vllm", "h100", 2, {"parallel": {"tp": 2}})
    assert kept[0].memory.max_model_len == 2816


def test_a_plan_says_that_the_length_is_lowered() -> None:
    document = {
        "version": 2,
        "name": "t",
        "model": {"path": str(MODELS / "llama-3.1-70b")},
        "runtime": {"isl": 2048, "osl": 512},
        "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 2},
        "parallel": {"tp": 2},
    }
    notes = prepare(parse_task(document), base=Path()).notes
    assert any("memory.max_model_len is 2816" in note for note in notes)
    message = document | {"memory": {"max_model_len": 2816}}
    assert not prepare(parse_task(message), base=Path()).notes


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
def test_what_does_not_fit_says_how_many_gpus_it_needs(engine: str) -> None:
    kept, excluded = tried("llama-3.1-70b", engine, "l4", 4, {"parallel": {"tp": 4}})
    assert not kept
    (reason,) = excluded
    found = re.search(r"needs (\d+) x l4 \(parallel.tensor_parallel (\d+)", reason)
    assert found is not None
    gpus, tensor = int(found[1]), int(found[2])
    assert gpus > 4
    assert widths(tried("llama-3.1-70b", engine, "l4", gpus, {"parallel": {"tp": tensor}})[0])


KNOWN = ("llama-3.1-70b", "llama-3.1-8b", "qwen3-235b-a22b", "qwen3-30b-a3b-fp8", "deepseek-v3")


@settings(max_examples=60)
@given(
    st.sampled_from(KNOWN),
    st.sampled_from(["vllm", "sglang", "trtllm"]),
    st.sampled_from(["l4", "l40s", "a100", "h100", "h200"]),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from([None, 4096, 32768, 131072]),
    st.sampled_from([None, 0.5, 0.9]),
)
def test_a_remedy_that_is_offered_works(
    model: str, engine: str, gpu: str, tensor: int, length: int | None, share: float | None
) -> None:
    known = known_model(model)
    assert known is not None
    setting = setting_on(engine, gpu, 8, known.facts)
    message = {
        "parallel.tensor_parallel": tensor,
        "memory.max_model_len": length,
        "memory.mem_fraction_static": share,
    }
    candidate = Candidate.from_settings({p: v for p, v in message.items() if v is not None})
    short = shortfall(candidate, setting)
    if short is None:
        return
    for remedy in remedies(short, candidate, setting, feasible):
        where = setting if remedy.gpus is None else dataclasses.replace(setting, gpus=remedy.gpus)
        changed = Candidate.from_settings({**candidate.settings(), **remedy.changes})
        assert feasible(changed, where)
        assert all(str(value) in remedy.text for value in remedy.changes.values())


def test_a_larger_step_keeps_more_of_the_memory() -> None:
    known = known_model("llama-3.1-8b")
    assert known is not None
    use = engine_named("vllm").table.memory_use("0.32.0", "h100_sxm", 79.2)
    kept = [
        working_gib(known.facts, use, 79.2, {"scheduling.max_num_batched_tokens": tokens})
        for tokens in (2048, 32768, 131072)
    ]
    assert kept == sorted(kept)
    # vllm-project/vllm#10511: 1.26 GiB of activations for 8,192 tokens of a Llama-3-8B, 256 slots.
    fitted = working_gib(
        known.facts,
        use,
        79.2,
        {"scheduling.max_num_batched_tokens": 8192, "scheduling.max_running_requests": 256},
    )
    assert fitted - 0.5 - 0.6 == pytest.approx(1.26, abs=0.4)


def test_sglang_leaves_what_its_own_formula_leaves() -> None:
    known = known_model("llama-3.1-8b")
    assert known is not None
    use = engine_named("sglang").table.memory_use("0.5.10", "h100_sxm", 79.2)
    # 512 + 8192 x 1.5 + 1/8 x 1024 + 256 x 2 MiB.
    assert working_gib(known.facts, use, 79.2, {}) == pytest.approx(13.1, abs=0.1)
    small = engine_named("sglang").table.memory_use("0.5.10", "l4", 22.0)
    assert working_gib(known.facts, small, 22.0, {}) == pytest.approx(6.7, abs=0.1)


@given(
    st.floats(0.0, 0.99),
    st.floats(1e-6, 1e-3),
    st.integers(1, 10**6),
    st.integers(128, 4096),
)
def test_the_longest_sequence_is_what_just_fits(
    windowed: float, per_token: float, tokens: int, window: int
) -> None:
    cache = DeviceMemory(0.0, per_token, 0.0, 0.0, window, windowed).cache_gib(tokens)
    memory = DeviceMemory(0.0, per_token, cache, 0.0, window, windowed)
    assert memory.longest_sequence == pytest.approx(tokens, rel=1e-6)
