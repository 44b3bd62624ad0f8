"""Parameters of a model by kind of matrices, from the shapes that its configuration gives."""

from __future__ import annotations

from autotuner.catalog.layers import Layers
from autotuner.catalog.mixers import mixer_of
from autotuner.catalog.model_config import Text, head_size_of, is_type, kv_heads_of

DENSE = ("attention", "recurrent", "mlp", "shared_experts", "router")
"""Kinds of matrices that every token passes through."""
_UNCOUNTED = (
    "block_configs",
    "global_head_dim",
    "hybrid_layer_ids",
    "num_mem_blocks",
    "cla_share_factor",
)
"""Keys of models with layers of several widths or with shared matrices, which are not counted."""
_LATENT = ("qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")
"""Widths of a head where keys and values are kept as one latent (MLA)."""


def parameters_of(text: Text, layers: Layers, experts: int, per_token: int) -> dict[str, int]:
    """Parameters by kind, and `active` ones: of a token. Empty where a shape is not known."""
    hidden, vocabulary = text.get("hidden_size"), text.get("vocab_size")
    kv_heads, size = kv_heads_of(text), head_size_of(text)
    sized = (hidden, vocabulary, layers.cached, layers.mlps, text.get("num_attention_heads"))
    if any(not isinstance(value, int) for value in sized) or any(text.get(k) for k in _UNCOUNTED):
        return {}
    if text.get("kv_lora_rank"):
        if not all(isinstance(text.get(key), int) for key in _LATENT):
            return {}
    elif (layers.cached and size is None) or kv_heads is None:
        return {}
    mixer = mixer_of(text) if layers.recurrent or is_type(text, "mixer_beside_attention") else None
    mixers = layers.cached if is_type(text, "mixer_beside_attention") else layers.recurrent
    inner = intermediate_of(text, experts)
    if (mixers and mixer is None) or (layers.mlps and not isinstance(inner, int)):
        return {}
    expert = expert_intermediate_of(text)
    if experts and layers.moes and not isinstance(expert, int):
        return {}
    return _counted(text, layers, experts, per_token, mixers or 0)


def _counted(
    text: Text, layers: Layers, experts: int, per_token: int, mixers: int
) -> dict[str, int]:
    hidden = text["hidden_size"]
    attending = (layers.cached or 0) + (text.get("num_kv_shared_layers") or 0)
    matrices = 2 if is_type(text, "two_matrices") else 3
    moes = layers.moes or 0
    mixer = mixer_of(text) if mixers else None
    found = {
        "attention": attending * _attention_parameters(text),
        "recurrent": mixers * mixer.parameters if mixer else 0,
        "mlp": (layers.mlps or 0) * matrices * hidden * (intermediate_of(text, experts) or 0),
        "shared_experts": moes * matrices * hidden * shared_intermediate_of(text),
        "router": moes * hidden * experts,
    }
    dense = sum(found.values())
    one_expert = matrices * hidden * (expert_intermediate_of(text) or 0) if experts else 0
    head = text["vocab_size"] * hidden
    tables = (text.get("hidden_size_per_layer_input") or 0) * (layers.total or 0)
    tables *= text.get("vocab_size_per_layer_input") or text["vocab_size"]
    found["experts"] = moes * experts * one_expert
    found["embedding"] = (head if text.get("tie_word_embeddings") else 2 * head) + tables
    return {**found, "active": dense + moes * per_token * one_expert + head}


def intermediate_of(text: Text, experts: int = 0) -> int | None:
    """Inner width of a dense MLP."""
    width = text.get("intermediate_size_mlp") or text.get("intermediate_size")
    if width is None and is_type(text, "four_times") and text.get("hidden_size"):
        return int(4 * text["hidden_size"])
    if text.get("model_type") == "granitemoehybrid" and not experts:
        width = text.get("shared_expert_intermediate_size") or width
    if isinstance(width, int) and text.get("model_type") == "recurrent_gemma":
        return width // 2
    if isinstance(width, int) and text.get("block_auto_adjust_ff_dim"):
        step = text.get("block_multiple_of") or 256
        scaled = int((text.get("block_ffn_dim_multiplier") or 1.0) * int(2 * width / 3))
        return -(-scaled // step) * step
    return width if isinstance(width, int) else None


def expert_intermediate_of(text: Text) -> int | None:
    """Inner width of one routed expert."""
    width = text.get("moe_intermediate_size") or text.get("intermediate_size")
    return width if isinstance(width, int) else None


def shared_intermediate_of(text: Text) -> int:
    """Inner width of all shared experts of a layer together."""
    said = text.get("shared_expert_intermediate_size")
    count = text.get("n_shared_experts") or 0
    if isinstance(said, int) and said:
        return said
    return int(count) * (expert_intermediate_of(text) or 0) if isinstance(count, int) else 0


def _attention_parameters(text: Text) -> int:
    """Queries, keys, values and output of a layer; gates of the output where there are any."""
    hidden, heads = text["hidden_size"], text["num_attention_heads"]
    latent = text.get("kv_lora_rank")
    if latent:
        rope, nope, value = (text[key] for key in _LATENT)
        compressed = text.get("q_lora_rank")
        query_width = heads * (nope + rope)
        query = compressed * (hidden + query_width) if compressed else hidden * query_width
        keys = hidden * (latent + rope) + latent * heads * (nope + value)
        return int(query + keys + heads * value * hidden)
    gate = heads if text.get("attn_output_gate") or text.get("full_attention_interval") else 0
    return int(
        hidden * (head_size_of(text) or 0) * (2 * heads + gate + 2 * (kv_heads_of(text) or 0))
    )
