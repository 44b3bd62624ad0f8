"""Parameters of a model by kind of matrices, and states of layers that keep no keys and values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autotuner.catalog.layers import Layers
from autotuner.catalog.model_config import Text, head_size_of, is_type, kv_heads_of


@dataclass(frozen=True)
class Mixer:
    """One layer's mixer.

    Attributes:
        parameters: of its large matrices.
        state_values: that it keeps of a sequence, whatever its length.
    """

    parameters: int
    state_values: int


STATE_BYTES = 4
"""States are kept in float32."""


def mixer_of(text: Text) -> Mixer | None:
    """The mixer that a configuration describes; None where no key sizes one that is known."""
    if not isinstance(text.get("hidden_size"), int):
        return None
    for reader in (_gated_delta, _state_space_duality, _selective_scan, _convolution, _gated_lru):
        found = reader(text)
        if found is not None:
            return found
    return _lightning(text)


def _gated_delta(text: Text) -> Mixer | None:
    """Queries, keys, values, output gate, output and gates.

    S. Yang, J. Kautz, A. Hatamizadeh, "Gated Delta Networks", arXiv 2412.06464.
    """
    heads, wide = text.get("linear_num_value_heads"), text.get("linear_value_head_dim")
    shared, narrow = text.get("linear_num_key_heads"), text.get("linear_key_head_dim")
    if not (heads and wide and shared and narrow):
        return None
    values, keys = heads * wide, shared * narrow
    return Mixer(text["hidden_size"] * (2 * keys + 3 * values + 2 * heads), heads * wide * narrow)


def _state_space_duality(text: Text) -> Mixer | None:
    """Mamba-2: T. Dao, A. Gu, "Transformers are SSMs", ICML 2024."""
    heads = text.get("mamba_n_heads") or text.get("mamba_num_heads")
    width = text.get("mamba_d_head") or text.get("mamba_head_dim")
    state = text.get("mamba_d_state") or text.get("ssm_state_size")
    if not (isinstance(heads, int) and heads > 1 and isinstance(width, int) and state):
        return None
    groups = text.get("mamba_n_groups") or text.get("n_groups") or 1
    inner = heads * width
    wide = inner + 2 * groups * state
    taps = text.get("mamba_d_conv") or text.get("conv_kernel") or 4
    entering = text["hidden_size"] * (inner + wide + heads)
    parameters = entering + inner * text["hidden_size"] + wide * taps
    return Mixer(parameters, inner * state + wide * (taps - 1))


def _selective_scan(text: Text) -> Mixer | None:
    """Mamba: A. Gu, T. Dao, "Mamba", arXiv 2312.00752."""
    state = text.get("mamba_d_state") or text.get("state_size")
    expand, hidden = text.get("mamba_expand") or text.get("expand"), text.get("hidden_size")
    if not (state and expand and hidden) or text.get("mamba_n_heads"):
        return None
    inner = int(expand * hidden)
    rank = text.get("mamba_dt_rank") or text.get("time_step_rank")
    rank = rank if isinstance(rank, int) else math.ceil(hidden / 16)
    taps = text.get("mamba_d_conv") or text.get("conv_kernel") or 4
    parameters = 3 * hidden * inner + inner * (2 * rank + 2 * state + taps)
    return Mixer(parameters, inner * (state + taps - 1))


def _convolution(text: Text) -> Mixer | None:
    """A short convolution between two gates (Liquid AI, LFM2)."""
    taps, hidden = text.get("conv_L_cache"), text.get("hidden_size")
    return Mixer(4 * hidden * hidden, hidden * taps) if taps and hidden else None


def _gated_lru(text: Text) -> Mixer | None:
    """RG-LRU: S. De et al., "Griffin", arXiv 2402.19427; its gates are block-diagonal by heads."""
    width, heads = text.get("lru_width"), text.get("num_attention_heads")
    if not (width and heads):
        return None
    taps = text.get("conv1d_width") or 4
    return Mixer(3 * text["hidden_size"] * width + 2 * width * width // heads, width * taps)


def _lightning(text: Text) -> Mixer | None:
    """Queries, keys, values, output gate and output of all heads.

    Z. Qin et al., "Lightning Attention-2", arXiv 2401.04658; MiniMax, arXiv 2501.08313.
    """
    heads, width, hidden = (
        text.get(key) for key in ("num_attention_heads", "head_dim", "hidden_size")
    )
    if not (isinstance(text.get("attn_type_list"), list) and heads and width and hidden):
        return None
    return Mixer(5 * hidden * heads * width, heads * width * width)


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
    width = text.get("shared_expert_intermediate_size")
    count = text.get("n_shared_experts") or 0
    if isinstance(width, int) and width:
        return width
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
