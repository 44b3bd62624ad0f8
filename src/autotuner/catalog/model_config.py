"""A `config.json` in one spelling, with its class's defaults; lengths and scaled positions."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from autotuner.config.tables import packaged_table

Text = Mapping[str, Any]


@functools.cache
def table() -> Mapping[str, Any]:
    """The whole of `model_types.yaml`."""
    found: Mapping[str, Any] = packaged_table("autotuner.catalog", "model_types")
    return found


def text_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The language model's part of a configuration, every key in its first spelling.

    Lists of equal values become that value. What the file leaves out is as the class of its
    `model_type` takes it; what no class says stays out.
    """
    found = dict(config)
    for _ in range(2):
        part = next((found[k] for k in table()["parts"] if isinstance(found.get(k), Mapping)), None)
        if part is None:
            break
        outer = {key: value for key, value in found.items() if key not in table()["parts"]}
        found = {**outer, **part}
    for name in table()["merged"]:
        if isinstance(found.get(name), Mapping):
            found = {**found[name], **found}
    for name, others in table()["spellings"].items():
        values = (found[word] for word in (name, *others) if found.get(word) is not None)
        value = next(values, None)
        if value is not None:
            found[name] = _one(value)
    defaults = _defaults(str(found.get("model_type") or ""))
    return {**defaults, **{key: value for key, value in found.items() if value is not None}}


def kv_heads_of(text: Text) -> int | None:
    """Heads of keys and values; None where neither the file nor its model type says."""
    heads, kind = text.get("num_attention_heads"), text.get("model_type")
    kv_heads = text.get("num_key_value_heads")
    if text.get("multi_query") and not text.get("new_decoder_architecture"):
        return 1
    if text.get("multi_query_attention") is False:
        return heads
    if kv_heads is not None:
        return kv_heads if isinstance(kv_heads, int) else None
    return heads if kind in table()["own_keys"] else None


def head_size_of(text: Text) -> int | None:
    """Width of a head's keys; hidden size over heads where nothing else is said."""
    rotary, plain = text.get("qk_rope_head_dim"), text.get("qk_nope_head_dim")
    if text.get("kv_lora_rank"):
        return (rotary or 0) + (plain or 0) or None
    size, heads, hidden = (
        text.get(key) for key in ("head_dim", "num_attention_heads", "hidden_size")
    )
    if isinstance(size, int) and size:
        return size
    whole = isinstance(heads, int) and isinstance(hidden, int)
    return int(hidden // heads) if whole and heads and hidden and not size else None


def is_type(text: Text, group: str) -> bool:
    """Whether the model's type is in a list of the table."""
    return text.get("model_type") in table()[group]


def _one(value: Any) -> Any:
    """A list of equal numbers as that number."""
    equal = isinstance(value, list) and value and all(item == value[0] for item in value)
    return value[0] if equal and isinstance(value[0], int) else value


def _defaults(kind: str) -> dict[str, Any]:
    row = dict(table()["defaults"].get(kind, {}))
    like = row.pop("like", None)
    return {**_defaults(like), **row} if like else row


_STRETCHED = ("linear", "dynamic", "ntk")
"""Kinds whose factor multiplies the length that the configuration gives."""
_YARN = ("yarn", "deepseek_yarn")


def context_of(text: Text) -> int | None:
    """Tokens that an engine takes the model for; None where no key says.

    The smallest of the lengths, as engines take it, or `model_max_length`. YaRN reaches
    factor x original positions (B. Peng et al., "YaRN", ICLR 2024); linear and dynamic scaling
    multiply the length. Those of `llama3`, `longrope` and Gemma 3 are the scaled ones already.
    """
    lengths = [text[key] for key in table()["lengths"] if isinstance(text.get(key), int)]
    own = text.get("model_max_length")
    known = own if isinstance(own, int) else min(lengths, default=None)
    if known is None or str(text.get("model_type") or "").startswith("gemma3"):
        return known
    return max([known, *(stretched(known, scaling) for scaling in _scalings(text))])


def theta_of(text: Text) -> float | None:
    """Base of the rotary embeddings' wavelengths; None where it is not given, or not one."""
    thetas = [text.get("rope_theta"), *(scaling.get("rope_theta") for scaling in _scalings(text))]
    numbers = {float(value) for value in thetas if isinstance(value, int | float)}
    return numbers.pop() if len(numbers) == 1 else None


def stretched(known: int, scaling: Mapping[str, Any]) -> int:
    """Tokens that a scaling makes of a known length."""
    kind = scaling.get("rope_type") or scaling.get("type")
    factor, original = scaling.get("factor"), scaling.get("original_max_position_embeddings")
    if not isinstance(factor, int | float) or kind not in (*_STRETCHED, *_YARN):
        return known
    if isinstance(original, int):
        return max(known, int(factor * original))
    return int(factor * known)


def _scalings(text: Text) -> Iterator[Mapping[str, Any]]:
    """Every scaling that applies: one for all layers, or one for each kind of them."""
    for key in ("rope_scaling", "rope_parameters"):
        found = text.get(key)
        if isinstance(found, Mapping):
            nested = [part for part in found.values() if isinstance(part, Mapping)]
            yield from nested or [found]
