"""From what a model says of itself (a hub's `config.json`, a GGUF header) to `ModelFacts`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotuner.catalog.facts import ModelFacts
from autotuner.catalog.gguf import GgufHeader
from autotuner.catalog.quantization import Quantization
from autotuner.catalog.quantization_config import quantization_from_config
from autotuner.errors import ModelError

_EXPERTS = ("n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts")
_PER_TOKEN = ("num_experts_per_tok", "experts_per_token", "moe_top_k", "top_k_experts")
_LINEAR = (
    *("linear_num_key_heads", "linear_num_value_heads"),
    *("linear_key_head_dim", "linear_value_head_dim"),
)
"""Keys that size the gated delta rule of Qwen3-Next and Qwen3.5; `layer_types` says where it is."""
_UNEQUAL = (
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
    *("num_nextn_predict_layers", "sliding_window"),
    *(*_EXPERTS, *_PER_TOKEN, *_LINEAR),
)
"""Keys that hold whole numbers."""
_DENSE = ("attention", "recurrent", "mlp", "shared_experts", "router")
"""Kinds of matrices that every token passes through."""
READ_KEYS = (
    *("architectures", "model_type", "tie_word_embeddings", "attn_output_gate", "layer_types"),
    *(*_COUNTS, *_UNEQUAL),
)
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
    latent = text.get("kv_lora_rank")
    layers = text.get("num_hidden_layers")
    kinds = Counter(text.get("layer_types") or {})
    linear = kinds["linear_attention"]
    told = bool(linear) or not text.get("linear_num_value_heads")
    unknown = bool(uneven) or not told or any(text.get(key) for key in _UNEQUAL)
    parts = {} if unknown else _parameters(text, experts, linear)
    raw = config.get("quantization_config") or text.get("quantization_config") or {}
    scheme = quantization_from_config(raw, layers)
    dense = {kind: count for kind, count in parts.items() if kind in _DENSE and count}
    head_size = text.get("head_dim") or (hidden // heads if heads and hidden else None)
    if latent:
        head_size = text.get("qk_nope_head_dim", 0) + text.get("qk_rope_head_dim", 0) or None
    return ModelFacts(
        architecture=architectures[0],
        attention="hybrid" if unknown or linear else "mla" if latent else "gqa",
        layers=layers,
        attention_layers=None if unknown or layers is None else layers - linear,
        windowed_layers=kinds["sliding_attention"] if text.get("sliding_window") else 0,
        window=text.get("sliding_window"),
        state_bytes=_state_bytes(text, linear),
        hidden_size=hidden,
        heads=heads,
        kv_heads=text.get("num_key_value_heads") or heads,
        head_size=head_size,
        value_size=text.get("v_head_dim") or head_size,
        kv_latent=latent + text.get("qk_rope_head_dim", 0) if latent else None,
        vocabulary=text.get("vocab_size"),
        context_length=text.get("max_position_embeddings"),
        experts=experts,
        experts_per_token=_first(text, *_PER_TOKEN),
        moe_intermediate=_moe_intermediate(text) if experts else None,
        mtp_layers=text.get("num_nextn_predict_layers") or 0,
        intermediate=text.get("intermediate_size_mlp") or text.get("intermediate_size"),
        shared_intermediate=_shared_intermediate(text) if experts else None,
        gemm_format=_dense_mode(scheme, dense),
        moe_format=_mode(scheme, "experts") if experts else None,
        quantization=scheme,
        dense_parameters=sum(dense.values()) if parts else None,
        dense_parts=tuple(dense.items()),
        expert_parameters=parts.get("experts"),
        embedding_parameters=parts.get("embedding"),
        active_parameters=parts.get("active"),
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
    parts = header.parameters
    recurrent = any(key.startswith(f"{kind}.ssm.") for key in metadata)
    experts = metadata.get(f"{kind}.expert_count") or 0
    used = metadata.get(f"{kind}.expert_used_count")
    head_size = metadata.get(f"{kind}.attention.key_length") or (
        width // heads if width and heads else None
    )
    return ModelFacts(
        architecture=kind,
        attention="hybrid" if recurrent else "gqa",
        layers=header.layers,
        hidden_size=width,
        heads=heads,
        kv_heads=header.kv_heads or heads,
        head_size=head_size,
        value_size=metadata.get(f"{kind}.attention.value_length") or head_size,
        attention_layers=None if recurrent else header.layers,
        vocabulary=metadata.get(f"{kind}.vocab_size") or header.vocabulary,
        context_length=header.context_length,
        experts=experts,
        experts_per_token=used,
        moe_intermediate=metadata.get(f"{kind}.expert_feed_forward_length"),
        dense_parameters=parts.dense if parts else None,
        expert_parameters=parts.experts if parts else None,
        embedding_parameters=parts.embedding if parts else None,
        active_parameters=parts.active(experts, used) if parts else None,
        size_bytes=header.size_bytes,
    )


def _check_counts(text: Mapping[str, Any]) -> None:
    for key in _COUNTS:
        value = text.get(key)
        if value is not None and (type(value) is not int or value < 0):
            raise ValueError(f"{key} is {value!r}, and has to be a whole number")


def _parameters(text: Mapping[str, Any], experts: int, linear: int) -> dict[str, int]:
    """Parameters by kind of matrices, from their shapes; `active` ones too. Empty: not known."""
    try:
        layers, hidden = text["num_hidden_layers"], text["hidden_size"]
        found = {"attention": (layers - linear) * _attention_parameters(text)}
        found["recurrent"] = linear * _linear_parameters(text) if linear else 0
        embedding = text["vocab_size"] * hidden
        inner = text.get("intermediate_size_mlp") or text.get("intermediate_size") or 0
        moe_layers = _moe_layers(text, experts)
        found["mlp"] = (layers - moe_layers) * 3 * hidden * inner
        found["shared_experts"] = moe_layers * 3 * hidden * _shared_intermediate(text)
        found["router"] = moe_layers * hidden * experts
        dense = sum(found.values())
        one_expert = 3 * hidden * (_moe_intermediate(text) or 0)
        found["experts"] = moe_layers * experts * one_expert
        used = moe_layers * int(_first(text, *_PER_TOKEN) or 0) * one_expert
    except KeyError:
        return {}
    found["embedding"] = embedding if text.get("tie_word_embeddings") else 2 * embedding
    return {**found, "active": dense + used + embedding}


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
    gate = heads if text.get("attn_output_gate") else 0
    return int(hidden * size * (2 * heads + gate + 2 * kv_heads))


def _linear_parameters(text: Mapping[str, Any]) -> int:
    """Queries, keys, values, output gate and output of a gated-delta-rule layer, and its gates.

    S. Yang, J. Kautz, A. Hatamizadeh, "Gated Delta Networks", arXiv 2412.06464.
    """
    heads = text["linear_num_value_heads"]
    keys = text["linear_num_key_heads"] * text["linear_key_head_dim"]
    values = heads * text["linear_value_head_dim"]
    return int(text["hidden_size"] * (2 * keys + 3 * values + 2 * heads))


def _state_bytes(text: Mapping[str, Any], linear: int) -> int:
    """Bytes of a sequence's recurrent state: a key x value matrix per head, in float32."""
    if not linear:
        return 0
    matrix = text.get("linear_key_head_dim", 0) * text.get("linear_value_head_dim", 0)
    return int(linear * text.get("linear_num_value_heads", 0) * matrix * 4)


def _moe_layers(text: Mapping[str, Any], experts: int) -> int:
    if not experts:
        return 0
    layers: int = text["num_hidden_layers"]
    step = text.get("interleave_moe_layer_step") or text.get("decoder_sparse_step") or 1
    dense_first = text.get("first_k_dense_replace") or 0
    return int((layers - dense_first) // step)


def _moe_intermediate(text: Mapping[str, Any]) -> int | None:
    return text.get("moe_intermediate_size") or text.get("intermediate_size")


def _shared_intermediate(text: Mapping[str, Any]) -> int:
    """Inner width of all shared experts of a layer together."""
    said = text.get("shared_expert_intermediate_size")
    if said:
        return int(said)
    count = text.get("n_shared_experts") or text.get("num_shared_experts") or 0
    if text.get("model_type", "").startswith("llama4"):
        count = 1
    return int(count) * (_moe_intermediate(text) or 0)


def _mode(scheme: Quantization | None, kind: str) -> str | None:
    return "bfloat16" if scheme is None else scheme.mode(kind)


def _dense_mode(scheme: Quantization | None, dense: Mapping[str, int]) -> str | None:
    """Mode of most weights of the dense matrices."""
    counts: Counter[str | None] = Counter()
    for kind, count in (dense or {"mlp": 1}).items():
        if kind != "router":
            counts[_mode(scheme, kind)] += count
    return counts.most_common(1)[0][0] if counts else None


def _first(text: Mapping[str, Any], *keys: str) -> Any:
    return next((text[key] for key in keys if text.get(key) is not None), None)
