"""Quantisation schemes of checkpoints: which matrices are stored how, and what is not known."""

from __future__ import annotations

from typing import Any

import pytest
from checkpoints import LLAMA_70B, LLAMA_405B, QUANTIZED

from autotuner.catalog import CheckpointQuantization, facts_from_config
from autotuner.catalog.quantization_config import quantization_from_config


def _of(name: str) -> CheckpointQuantization:
    case = QUANTIZED[name]
    found = quantization_from_config(case["config"], case.get("layers", 4))
    assert found is not None
    return found


@pytest.mark.parametrize("name", QUANTIZED)
def test_formats_are_read_with_bits_and_blocks(name: str) -> None:
    case, found = QUANTIZED[name], _of(name)
    assert found.not_understood == ()
    for kind, (mode, bits, block) in case["expect"].items():
        form = found.formats(kind)[0]
        assert (form.mode, form.bits, form.block) == (mode, bits, block and tuple(block)), kind
    for kind, width in case.get("bytes", {}).items():
        assert found.bytes_per_weight(kind) == pytest.approx(width)
    assert found.kv_cache == case.get("kv_cache")


@pytest.mark.parametrize(
    ("model", "name", "gib"),
    [
        # vLLM loads 57.75 GiB on each of 8 GPUs; the others are sizes of the published files.
        (LLAMA_405B, "fbgemm_fp8_llama_405b", 8 * 57.75),
        (LLAMA_70B, "compressed_tensors_fp8_dynamic", 67.7),
        (LLAMA_70B, "compressed_tensors_w4a16", 37.0),
        (LLAMA_70B, "compressed_tensors_w8a8_int", 67.7),
        (LLAMA_70B, "gptq_8bit", 68.0),
        (LLAMA_70B, "modelopt_fp8", 67.7),
        (LLAMA_70B, "bitsandbytes_nf4", 37.0),
    ],
)
def test_weights_are_counted_in_the_format_they_are_stored_in(
    model: dict[str, Any], name: str, gib: float
) -> None:
    config = QUANTIZED[name]["config"]
    facts = facts_from_config({**model, "quantization_config": config})
    assert facts.weights_gib() == pytest.approx(gib, rel=0.03)
    assert facts.weights_gib("bfloat16") == pytest.approx(2 * (facts.parameters or 0) / 2**30)


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({"quant_method": "squeezed9"}, "squeezed9"),
        ({"quant_method": "modelopt", "quant_algo": "W3A5_NEW"}, "W3A5_NEW"),
        ({"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {}}}}, "g"),
        ({"quant_method": "torchao", "quant_type": "new_thing"}, "new_thing"),
        ({"quant_method": "gptq", "bits": "four"}, "four"),
        ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp3"}}}, "global"),
    ],
)
def test_a_scheme_that_is_not_understood_leaves_sizes_unknown(
    config: dict[str, Any], names: str
) -> None:
    facts = facts_from_config({**LLAMA_70B, "quantization_config": config})
    assert facts.quantization is not None
    assert names in " ".join(facts.quantization.not_understood)
    assert (facts.gemm_format, facts.weights_gib()) == (None, None)
    assert facts.parameters is not None


def test_a_checkpoint_s_own_cache_format_counts_where_nothing_else_is_asked_for() -> None:
    config = QUANTIZED["modelopt_fp8"]["config"]
    facts = facts_from_config({**LLAMA_70B, "quantization_config": config})
    assert facts.kv_bytes_per_token() == 2 * 80 * 8 * 128
    assert facts.kv_bytes_per_token("bfloat16") == 2 * 80 * 8 * 128 * 2


def test_the_layers_that_patterns_name_are_counted() -> None:
    kept = [
        f"model.layers.{layer}.mlp.{m}_proj" for layer in (0, 3) for m in ("gate", "up", "down")
    ]
    config = {"quant_method": "fp8", "modules_to_not_convert": kept}
    found = quantization_from_config(config, 4)
    assert found is not None
    assert found.bytes_per_weight("mlp") == pytest.approx(1.5)
    assert found.bytes_per_weight("attention") == pytest.approx(1.0)
    assert found.blocks("mlp") == ()


def test_a_layer_s_number_is_no_expert_s() -> None:
    config = {"quant_method": "fp8", "modules_to_not_convert": ["model.layers.0"]}
    found = quantization_from_config(config, 4)
    assert found is not None
    assert found.bytes_per_weight("experts") == pytest.approx(1.25)


def test_a_vision_tower_in_16_bits_says_nothing_of_the_language_model() -> None:
    ignore = ["visual.blocks.0.attn.qkv", "visual.blocks.0.mlp.gate_proj", "re:vision_tower.*"]
    found = quantization_from_config({"quant_method": "awq", "modules_to_not_convert": ignore}, 2)
    assert found is not None
    assert {form.bits for kind in ("attention", "mlp") for form in found.formats(kind)} == {4}
