"""From what a model says of itself (a hub's `config.json`, a GGUF header) to `ModelFacts`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotuner.catalog.facts import ModelFacts
from autotuner.catalog.gguf import GgufHeader
from autotuner.errors import ModelError

_EXPERTS = ("n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts")
_PER_TOKEN = ("num_experts_per_tok", "experts_per_token", "moe_top_k", "top_k_experts")
_HYBRID = (
    "linear_num_value_heads",
    "linear_attn_config",
    "hybrid_override_pattern",
    "layers_block_type",
    "mamba_num_heads",
    "block_configs",
    "compress_ratios",
    "global_head_dim",
)
"""Keys of architectures whose layers are not all alike: their sizes are not computed here."""
_COUNTS = (
    *("num_hidden_layers", "hidden_size", "num_attention_heads"),
    *("num_key_value_heads", "head_dim", "intermediate_size", "intermediate_size_mlp"),
    *("moe_intermediate_size", "shared_expert_intermediate_size", "n_shared_experts"),
    *("num_shared_experts", "first_k_dense_replace", "interleave_moe_layer_step"),
    *("decoder_sparse_step", "vocab_size", "max_position_embeddings"),
    *("kv_lora_rank", "q_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim"),
    *("num_nextn_predict_layers", *_EXPERTS, *_PER_TOKEN),
)
"""Keys that hold whole numbers."""
READ_KEYS = ("architectures", "model_type", "tie_word_embeddings", *_COUNTS, *_HYBRID)
"""Keys of a `config.json` that decide something here, beside `quantization_config`."""


def facts_from_config(config: Mapping[str, Any]) -> ModelFacts:
    """Facts from a Hugging Face `config.json`; multimodal ones keep the text model's in a part.

    Raises:
        ValueError: a count that is no whole number.
    """
    text = {**config, **config.get("text_config", {})}
    # A list holds one value for each layer: what it counts is not one number.
    uneven = [key for key in _COUNTS if isinstance(text.get(key), list)]
    text = {key: value for key, value in text.items() if key not in uneven}
    _check_counts(text)
    architectures = config.get("architectures") or [None]
    experts = int(_first(text, *_EXPERTS) or 0)
    heads, hidden = text.get("num_attention_heads"), text.get("hidden_size")
    hybrid = bool(uneven) or any(text.get(key) for key in _HYBRID)
    latent = text.get("kv_lora_rank")
    gemm, moe = _formats(config, text)
    sizes = (None, None, None, None) if hybrid else _parameters(text, experts)
    head_size = text.get("head_dim") or (hidden // heads if heads and hidden else None)
    return ModelFacts(
        architecture=architectures[0],
        attention="hybrid" if hybrid else "mla" if latent else "gqa",
        layers=text.get("num_hidden_layers"),
        hidden_size=hidden,
        heads=heads,
        kv_heads=text.get("num_key_value_heads") or heads,
        head_size=None if latent else head_size,
        kv_latent=latent + text.get("qk_rope_head_dim", 0) if latent else None,
        vocabulary=text.get("vocab_size"),
        context_length=text.get("max_position_embeddings"),
        experts=experts,
        experts_per_token=_first(text, *_PER_TOKEN),
        moe_intermediate=_moe_intermediate(text) if experts else None,
        mtp_layers=text.get("num_nextn_predict_layers") or 0,
        gemm_format=gemm,
        moe_format=moe if experts else None,
        dense_parameters=sizes[0],
        expert_parameters=sizes[1],
        embedding_parameters=sizes[2],
        active_parameters=sizes[3],
    )


def facts_from_folder(folder: Path) -> ModelFacts:
    """Facts of a model folder as a hub delivers it.

    Raises:
        ModelError: no `config.json` in it, or one that is not a JSON object.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"model.path: {folder} has no config.json",
            remedy="give a folder with config.json and weights, or a .gguf file",
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"model.path: {folder}/config.json cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise ModelError(f"model.path: {folder}/config.json is no JSON object")
    try:
        quantised = folder / "hf_quant_config.json"
        if quantised.exists() and "quantization_config" not in config:
            config["quantization_config"] = json.loads(quantised.read_text(encoding="utf-8"))
        facts = facts_from_config(config)
    except (TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise ModelError(
            f"model.path: the configuration in {folder} makes no sense: {error}",
            remedy="compare its config.json with the one on the hub",
        ) from None
    sizes = [file.stat().st_size for file in folder.glob("*.safetensors")]
    return ModelFacts(**{**vars(facts), "size_bytes": sum(sizes) or None})


def facts_from_gguf(header: GgufHeader) -> ModelFacts:
    """Facts of a GGUF file; its weights are as they are, so their size is the file's."""
    metadata, kind = header.metadata, header.architecture
    width, heads = header.embedding_length, header.heads
    return ModelFacts(
        architecture=kind,
        attention="gqa",
        layers=header.layers,
        hidden_size=width,
        heads=heads,
        kv_heads=header.kv_heads or heads,
        head_size=metadata.get(f"{kind}.attention.key_length")
        or (width // heads if width and heads else None),
        vocabulary=metadata.get(f"{kind}.vocab_size"),
        context_length=header.context_length,
        experts=metadata.get(f"{kind}.expert_count") or 0,
        experts_per_token=metadata.get(f"{kind}.expert_used_count"),
        size_bytes=header.size_bytes,
    )


def _check_counts(text: Mapping[str, Any]) -> None:
    for key in _COUNTS:
        value = text.get(key)
        if value is not None and (type(value) is not int or value < 0):
            raise ValueError(f"{key} is {value!r}, and has to be a whole number")


def _parameters(text: Mapping[str, Any], experts: int) -> tuple[int | None, ...]:
    """Dense, expert, embedding and active parameters, from the shapes of the matrices."""
    try:
        layers, hidden = text["num_hidden_layers"], text["hidden_size"]
        attention = _attention_parameters(text)
        embedding = text["vocab_size"] * hidden
        inner = text.get("intermediate_size_mlp") or text.get("intermediate_size") or 0
        moe_layers = _moe_layers(text, experts)
        dense = layers * attention + (layers - moe_layers) * 3 * hidden * inner
        one_expert = 3 * hidden * (_moe_intermediate(text) or 0)
        shared = text.get("shared_expert_intermediate_size")
        shared_width = 3 * hidden * shared if shared else _shared(text) * one_expert
        dense += moe_layers * (shared_width + hidden * experts)
        routed = moe_layers * experts * one_expert
        used = moe_layers * int(_first(text, *_PER_TOKEN) or 0) * one_expert
    except KeyError:
        return None, None, None, None
    both = embedding if text.get("tie_word_embeddings") else 2 * embedding
    return dense, routed, both, dense + used + embedding


def _attention_parameters(text: Mapping[str, Any]) -> int:
    hidden, heads = text["hidden_size"], text["num_attention_heads"]
    latent = text.get("kv_lora_rank")
    if latent:
        rope, nope = text["qk_rope_head_dim"], text["qk_nope_head_dim"]
        value, compressed = text["v_head_dim"], text.get("q_lora_rank")
        query_width = heads * (nope + rope)
        query = compressed * (hidden + query_width) if compressed else hidden * query_width
        keys = hidden * (latent + rope) + latent * heads * (nope + value)
        return int(query + keys + heads * value * hidden)
    size = text.get("head_dim") or hidden // heads
    kv_heads = text.get("num_key_value_heads") or heads
    return int(2 * hidden * heads * size + 2 * hidden * kv_heads * size)


def _moe_layers(text: Mapping[str, Any], experts: int) -> int:
    if not experts:
        return 0
    layers: int = text["num_hidden_layers"]
    step = text.get("interleave_moe_layer_step") or text.get("decoder_sparse_step") or 1
    dense_first = text.get("first_k_dense_replace") or 0
    return int((layers - dense_first) // step)


def _moe_intermediate(text: Mapping[str, Any]) -> int | None:
    return text.get("moe_intermediate_size") or text.get("intermediate_size")


def _shared(text: Mapping[str, Any]) -> int:
    if text.get("model_type", "").startswith("llama4"):
        return 1
    return int(text.get("n_shared_experts") or text.get("num_shared_experts") or 0)


def _formats(config: Mapping[str, Any], text: Mapping[str, Any]) -> tuple[str, str]:
    """The checkpoint's own formats of dense and expert matrices."""
    raw = config.get("quantization_config") or text.get("quantization_config") or {}
    quantised = {**raw, **raw.get("quantization", {})}
    method = str(quantised.get("quant_method") or "").lower()
    algorithm = str(quantised.get("quant_algo") or "").lower()
    if method == "fp8":
        block = quantised.get("weight_block_size")
        return ("fp8_block", "fp8_block") if block else ("fp8", "fp8")
    if "nvfp4" in algorithm or "nvfp4" in method or "mixed" in algorithm:
        return "nvfp4", "nvfp4"
    if "fp8" in algorithm:
        return "fp8_static", "fp8_static"
    if method == "mxfp4":
        return "bfloat16", "w4a16_mxfp4"
    if method in ("awq", "gptq", "auto-round"):
        return "int4_wo", "int4_wo"
    if method == "compressed-tensors":
        # Published checkpoints of this kind keep attention in 16 bits and pack the experts.
        return "bfloat16", "int4_wo"
    return "bfloat16", "bfloat16"


def _first(text: Mapping[str, Any], *keys: str) -> Any:
    return next((text[key] for key in keys if text.get(key) is not None), None)
