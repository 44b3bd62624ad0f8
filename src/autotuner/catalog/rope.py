"""How far a model's positions reach: its lengths, and how rotary embeddings are scaled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from autotuner.catalog.model_config import Text, table

_STRETCHED = ("linear", "dynamic", "ntk")
"""Kinds whose factor multiplies the length that the configuration gives."""
_YARN = ("yarn", "deepseek_yarn")


def context_of(text: Text) -> int | None:
    """Tokens that an engine takes the model for; None where no key says.

    The smallest of the lengths, as engines take it, or `model_max_length`. YaRN reaches
    factor x original positions (B. Peng et al., "YaRN", ICLR 2024); linear and dynamic scaling
    multiply the length. Those of `llama3`, `longrope` and Gemma 3 are the scaled ones already.
    """
    said = [text[key] for key in table()["lengths"] if isinstance(text.get(key), int)]
    own = text.get("model_max_length")
    known = own if isinstance(own, int) else min(said, default=None)
    if known is None or str(text.get("model_type") or "").startswith("gemma3"):
        return known
    return max([known, *(stretched(known, scaling) for scaling in _scalings(text))])


def theta_of(text: Text) -> float | None:
    """Base of the rotary embeddings' wavelengths; None where it is not given, or not one."""
    said = [text.get("rope_theta"), *(scaling.get("rope_theta") for scaling in _scalings(text))]
    numbers = {float(value) for value in said if isinstance(value, int | float)}
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
