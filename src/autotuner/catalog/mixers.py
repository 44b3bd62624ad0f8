"""Parameters and states of layers that keep no keys and values, by the keys that size them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autotuner.catalog.model_config import Text


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
