"""Which layers of a model keep keys and values, attend to a window, keep a state, have experts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autotuner.catalog.model_config import Text, is_type, table


@dataclass(frozen=True)
class Layers:
    """Counts of layers by kind.

    Attributes:
        total: of all; where a pattern lists layers, as many as it lists.
        cached: that keep keys and values of their own, windowed ones among them; None where the
            configuration does not say which.
        windowed: of those.
        recurrent: that keep a state instead.
        mlps, moes: with one dense MLP, and with routed experts.
    """

    total: int | None
    cached: int | None
    windowed: int = 0
    recurrent: int = 0
    mlps: int | None = None
    moes: int | None = None


def layers_of(text: Text, experts: int) -> Layers:
    """Layers of a configuration in one spelling (`model_config.text_of`)."""
    total = text.get("num_hidden_layers")
    words = _words(text, total)
    if words is None:
        return Layers(total, None)
    kinds = Counter(_kind(word) for word in words)
    named = len(words)
    total = named or total
    unexplained = not kinds["recurrent"] and not is_type(text, "mixer_beside_attention")
    if None in kinds or (unexplained and any(text.get(key) for key in table()["mixers"])):
        return Layers(total, None)
    cached = kinds["cached"] + kinds["windowed"]
    shared = text.get("num_kv_shared_layers") or 0
    cached = max(cached - shared, 0)
    if text.get("use_cla") and text.get("cla_share_factor"):
        # Cross-layer attention: so many layers in a row use one cache.
        cached = -(-cached // int(text["cla_share_factor"]))
    window = text.get("sliding_window") or text.get("attention_chunk_size")
    windowed = min(kinds["windowed"], cached) if window else 0
    if kinds["feed_forward"]:
        moes = sum(1 for word in words if word in ("moe", "E"))
        return Layers(
            total, cached, windowed, kinds["recurrent"], kinds["feed_forward"] - moes, moes
        )
    moes = sum(_has_experts(text, layer, total) for layer in range(total or 0)) if experts else 0
    return Layers(total, cached, windowed, kinds["recurrent"], (total or 0) - moes, moes)


def _kind(word: Any) -> str | None:
    return next((kind for kind, words in table()["words"].items() if word in words), None)


def _words(text: Text, total: int | None) -> list[Any] | None:
    """A word for each layer; None where keys are there that are not understood."""
    if any(text.get(key) for key in table()["unequal"]):
        return None
    listed = text.get("layer_types") or text.get("layers_block_type")
    if isinstance(listed, dict):
        return [word for word, count in listed.items() for _ in range(count)]
    if isinstance(listed, list):
        return listed
    pattern = text.get("hybrid_override_pattern")
    if isinstance(pattern, str):
        return list(pattern)
    if isinstance(text.get("block_configs"), list):
        return [_block_word(block) for block in text["block_configs"]]
    if listed or pattern or text.get("block_configs") or total is None:
        return None
    return list(_computed_words(text, range(total or 0)))


def _block_word(block: Any) -> str | None:
    """The word for a block of a searched architecture, whose attention may be left out."""
    attention = block.get("attention") if isinstance(block, dict) else None
    if not isinstance(attention, dict):
        return None
    return "mlp" if attention.get("no_op") or attention.get("replace_with_linear") else "attention"


def _computed_words(text: Text, layers: range) -> Iterator[str]:
    """Words by the keys that say which layers attend, and to a window or to all."""
    which = _attending(text, len(layers))
    period = text.get("window_period")
    pattern = text.get("sliding_window_pattern", period)
    hybrid = text.get("hybrid_layer_pattern")
    uses = text.get("use_sliding_window")
    for layer in layers:
        if is_type(text, "recurrent_types") or (which is not None and layer not in which):
            yield "recurrent"
        elif text.get("block_types") or _is_windowed(text, layer, pattern, hybrid, uses):
            yield "sliding_attention"
        else:
            yield "full_attention"


def _attending(text: Text, total: int) -> set[int] | None:
    """Layers that attend, where a key says so; None where all do."""
    for key in ("full_attn_idxs", "attn_layer_indices", "hybrid_layer_ids"):
        if isinstance(text.get(key), list):
            return set(text[key])
    if isinstance(text.get("attn_type_list"), list):
        return {layer for layer, kind in enumerate(text["attn_type_list"]) if kind == 1}
    if isinstance(text.get("block_types"), list):
        words = text["block_types"]
        return {n for n in range(total) if words[n % len(words)] == "attention"}
    period = text.get("attn_layer_period")
    if period:
        return {n for n in range(total) if n % period == text.get("attn_layer_offset", 0)}
    period = text.get("full_attention_interval") or text.get("layer_group_size")
    if period:
        rest = total // period * period if text.get("layer_group_size") else total
        return {n for n in range(total) if (n + 1) % period == 0 or n >= rest}
    linear = text.get("linear_attn_config")
    if isinstance(linear, dict) and isinstance(linear.get("full_attn_layers"), list):
        return {layer - 1 for layer in linear["full_attn_layers"]}
    return None


def _is_windowed(text: Text, layer: int, pattern: Any, hybrid: Any, uses: Any) -> bool:
    if uses is False:
        return False
    if isinstance(hybrid, list):
        return layer < len(hybrid) and hybrid[layer] == 1
    if isinstance(pattern, str) and pattern:
        return pattern[layer % len(pattern)] == "L"
    if isinstance(pattern, int) and pattern > 0:
        return (layer + 1) % pattern != 0
    if uses and text.get("max_window_layers") is not None:
        return bool(layer >= text["max_window_layers"])
    return is_type(text, "all_windowed") and bool(text.get("sliding_window"))


def _has_experts(text: Text, layer: int, total: int | None) -> bool:
    """Whether a layer of an MoE model has routed experts, by whichever key says so."""
    kinds = text.get("mlp_layer_types")
    if isinstance(kinds, list) and layer < len(kinds):
        return kinds[layer] in ("sparse", "moe")
    listed = text.get("moe_layers_enum") or text.get("moe_layers")
    if listed:
        words = listed.split(",") if isinstance(listed, str) else listed
        return layer in {int(word) for word in words}
    frequency = text.get("moe_layer_freq")
    if isinstance(frequency, list):
        return layer < len(frequency) and bool(frequency[layer])
    period = text.get("expert_layer_period")
    if period:
        return bool(layer % period == text.get("expert_layer_offset", 0))
    first = text.get("first_k_dense_replace") or text.get("num_dense_layers") or 0
    first = first or text.get("moe_layer_num_skipped") or _number(text, "moe_layer_start_index", 0)
    last = _number(text, "moe_layer_end_index", (total or 1) - 1)
    if layer < first or (last >= 0 and layer > last):
        return False
    if layer in (text.get("mlp_only_layers") or ()):
        return False
    if isinstance(frequency, int) and frequency > 1:
        return layer % frequency == 0
    step = text.get("interleave_moe_layer_step") or text.get("decoder_sparse_step")
    step = step or text.get("moe_layer_interval") or 1
    return bool((layer + 1) % step == 0)


def _number(text: Text, key: str, default: int) -> int:
    value = text.get(key, default)
    return int(min(value) if isinstance(value, list) and value else value or default)
