"""Matrices that ranks share stay whole: FP8 blocks, quantisation groups, equal parts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tried import tried, widths

from autotuner.catalog import facts_from_config
from autotuner.config import Candidate
from autotuner.engines import engine_named
from autotuner.space import SpaceContext, rules_of
from autotuner.space.blocks import cut_matrix


def layout(tp: int, **others: int) -> dict[str, Any]:
    """A combination of widths."""
    return {"parallel": {"tp": tp, **others}}


def test_routed_experts_keep_fp8_blocks() -> None:
    combinations = [layout(8), layout(4), layout(8, moe_ep=8)]
    kept, excluded = tried("qwen3-235b-fp8", "vllm", "h100", 8, {"combinations": combinations})
    assert [(c.parallel.tensor_parallel, c.parallel.moe_expert_parallel) for c in kept] == [
        (4, None),
        (8, 8),
    ]
    (reason,) = excluded
    assert "an expert: its 1536 columns over 8 ranks" in reason
    assert "blocks of 128 whole (192 each)" in reason
    assert "parallel.moe_expert_parallel 8 works" in reason
    assert "parallel.tensor_parallel 4 works" in reason


@pytest.mark.parametrize(
    ("model", "engine", "gpus", "wide", "narrow", "what"),
    [
        ("qwen3.6-35b-fp8", "vllm", 8, 8, 4, "the shared experts: its 512 columns"),
        ("qwen3.6-35b-fp8", "sglang", 8, 8, 4, "the shared experts: its 512 columns"),
        ("deepseek-r1", "sglang", 32, 32, 16, "a dense layer: its 18432 columns"),
        ("deepseek-r1", "vllm", 32, 32, 16, "a dense layer: its 18432 columns"),
    ],
)
def test_shared_experts_and_dense_layers_keep_them_beside_expert_parallelism(
    model: str, engine: str, gpus: int, wide: int, narrow: int, what: str
) -> None:
    combinations = [layout(wide, moe_ep=wide), layout(narrow, moe_ep=narrow)]
    kept, excluded = tried(model, engine, "h100", gpus, {"combinations": combinations})
    assert widths(kept) == [narrow]
    assert what in next(iter(excluded))


def test_on_sglang_dense_layers_are_split_over_the_replicas_of_attention_too() -> None:
    combinations = [layout(1, dp=32, moe_ep=32), layout(1, dp=16, moe_ep=16)]
    groups = {"combinations": combinations}
    kept, excluded = tried("deepseek-r1", "sglang", "h200", 32, groups)
    assert [c.parallel.data_parallel for c in kept] == [16]
    assert "18432 columns over 32 ranks" in next(iter(excluded))
    assert len(tried("deepseek-r1", "vllm", "h200", 32, groups)[0]) == 2


def test_a_dense_fp8_model_keeps_them() -> None:
    kept, excluded = tried("qwen3-4b-fp8", "vllm", "h100", 8, {"parallel": {"tp": [1, 2, 4, 8]}})
    assert widths(kept) == [1, 2, 4]
    assert "9728 columns over 8 ranks" in next(iter(excluded))


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_groups_of_awq_stay_whole(engine: str) -> None:
    kept, excluded = tried(
        "qwen2.5-vl-72b-awq", engine, "a100", 8, {"parallel": {"tp": [1, 2, 4, 8]}}
    )
    assert widths(kept) == [1]
    assert any(
        "29568 columns over 2 ranks do not keep quantisation groups of 128 whole (14784 each)"
        in reason
        for reason in excluded
    )


def scheme(method: str, **keys: Any) -> dict[str, Any]:
    return {"quant_method": method, **keys}


GROUPS = {
    "gptq": scheme("gptq", bits=4, group_size=128, desc_act=False),
    "awq": scheme("awq", bits=4, group_size=128, zero_point=True),
    "compressed-tensors": scheme(
        "compressed-tensors",
        format="pack-quantized",
        config_groups={
            "group_0": {
                "targets": ["Linear"],
                "weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128},
            }
        },
        ignore=["lm_head"],
    ),
    "fp8": scheme("fp8", weight_block_size=[128, 128]),
    "gptq_32": scheme("gptq", bits=4, group_size=32, desc_act=False),
    "per_channel": scheme("gptq", bits=4, group_size=-1, desc_act=False),
    "left_out": scheme(
        "fp8", weight_block_size=[128, 128], modules_to_not_convert=["lm_head", "mlp"]
    ),
    "none": None,
}


def dense(quantization: dict[str, Any] | None, inner: int = 3 * 128, **keys: Any) -> dict[str, Any]:
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 1024,
        "intermediate_size": inner,
        "num_hidden_layers": 2,
        "num_attention_heads": 8,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 32000,
        "max_position_embeddings": 4096,
        **keys,
    }
    return config | ({} if quantization is None else {"quantization_config": quantization})


def setting_of(
    config: dict[str, Any], engine: str = "vllm", version: str = "0.32.0"
) -> SpaceContext:
    return SpaceContext.of(
        engine_named(engine), version, facts_from_config(config), request_tokens=256
    )


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("gptq", False),
        ("awq", False),
        ("compressed-tensors", False),
        ("fp8", False),
        ("gptq_32", True),
        ("per_channel", True),
        ("left_out", True),
        ("none", True),
    ],
)
def test_the_checkpoints_own_scheme_decides(name: str, whole: bool) -> None:
    # 384 / 2 = 192: a multiple of 32, not of 128.
    candidate = Candidate.from_settings({"parallel.tensor_parallel": 2})
    reason = cut_matrix(candidate, setting_of(dense(GROUPS[name])))
    assert (reason is None) is whole


def test_parts_of_a_fused_matrix_are_whole_on_engines_that_check_them() -> None:
    # Keys of 192 values in a head: with TP 4 a rank holds two heads, 384; with TP 8 one, 192.
    config = dense(GROUPS["fp8"], inner=1024, head_dim=192)
    eight = Candidate.from_settings({"parallel.tensor_parallel": 8})
    old = cut_matrix(eight, setting_of(config, version="0.9.2"))
    assert old is not None
    assert "192 each" in old
    # What is left on newer versions is o_proj, whose inputs are split.
    newer = cut_matrix(eight, setting_of(config))
    assert newer is not None
    assert "o_proj" in newer


def test_unequal_parts_are_refused_in_any_format() -> None:
    reason = cut_matrix(
        Candidate.from_settings({"parallel.tensor_parallel": 8}),
        setting_of(dense(None, inner=1000 + 4)),
    )
    assert reason is not None
    assert "1004 columns over 8 ranks are no equal parts" in reason


def test_mxfp4_experts_are_filled_up() -> None:
    kept, _ = tried("gpt-oss-120b", "vllm", "h100", 8, {"parallel": {"tp": [1, 2, 4, 8]}})
    assert widths(kept) == [1, 2, 4, 8]


@given(
    st.sampled_from([128, 256, 384, 512, 768, 1536]),
    st.sampled_from([128, 256, 512, 640]),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from(["vllm", "sglang", "trtllm"]),
)
def test_no_kept_width_cuts_a_block(inner: int, shared: int, tp: int, ep: int, engine: str) -> None:
    config = dense(
        GROUPS["fp8"],
        model_type="qwen3_moe",
        num_experts=8,
        num_experts_per_tok=2,
        moe_intermediate_size=inner,
        shared_expert_intermediate_size=shared,
    )
    if tp % ep:
        return
    split = {"parallel.tensor_parallel": tp, "parallel.moe_expert_parallel": ep}
    reason = cut_matrix(Candidate.from_settings(split), setting_of(config, engine))
    slices = tp // ep
    whole = (slices == 1 or inner % (slices * 128) == 0) and (tp == 1 or shared % (tp * 128) == 0)
    assert (reason is None) is whole


@pytest.mark.parametrize("model", ["qwen3-235b-fp8", "qwen3.6-35b-fp8", "qwen2.5-vl-72b-awq"])
@pytest.mark.parametrize("tp", [2, 4, 8])
def test_widths_that_are_offered_work(model: str, tp: int) -> None:
    _, excluded = tried(model, "vllm", "h200", 8, {"parallel": {"tp": [tp]}})
    for reason in excluded:
        offered = re.findall(r"parallel\.(\w+) ([\d, ]+) works?", reason)
        assert offered
        for field, values in offered:
            for value in values.split(","):
                parallel = {"tensor_parallel": tp, field: int(value)}
                assert tried(model, "vllm", "h200", 8, {"parallel": parallel})[0]


def test_every_rule_says_what_it_reads() -> None:
    config = json.loads(
        (Path(__file__).parent / "models" / "deepseek-r1" / "config.json").read_text("utf-8")
    )
    for rule in rules_of(setting_of(config, "sglang", "0.5.23")):
        assert all("." in path for path in rule.reads)
