"""Figures of other tools in our units, each converted once, where it enters.

TPOT has two definitions. Without the first token: (E2E - TTFT) / (OSL - 1), the time between two
tokens of an answer; ours, and aiconfigurator's unless `--inclusive-tpot` was given. With it:
E2E / OSL, which spreads the wait for the first token over all. `Point` holds the former and
derives the latter.
"""

from __future__ import annotations

import math
from typing import Any

FIGURES: dict[str, tuple[str, float]] = {
    "ttft_ms": ("ttft_ms", 1.0),
    "ttft_s": ("ttft_ms", 1000.0),
    "tpot_ms": ("tpot_ms", 1.0),
    "tpot_s": ("tpot_ms", 1000.0),
    "tpot_with_first_ms": ("tpot_with_first_ms", 1.0),
    "tpot_with_first_s": ("tpot_with_first_ms", 1000.0),
    "e2e_ms": ("e2e_ms", 1.0),
    "e2e_s": ("e2e_ms", 1000.0),
    "tok_s": ("tok_s", 1.0),
    "tok_s_per_gpu": ("tok_s_per_gpu", 1.0),
}
"""Column of a file -> (quantity, factor to its unit here)."""


def figure(name: str, value: Any) -> float:
    """A measured or predicted quantity.

    Raises:
        ValueError: not a number, not finite, zero or negative; names the field and the value.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
        if str(value).strip().lower() not in ("nan", "+nan", "-nan"):
            raise ValueError(f"{name} is {value!r:.80} and no number") from None
    if math.isnan(number):
        raise ValueError(f"{name} is NaN")
    if not math.isfinite(number) or number <= 0:
        raise ValueError(f"{name} is {value}, expected a positive number")
    return number


def whole(name: str, value: Any) -> int:
    """A count: concurrency, GPUs.

    Raises:
        ValueError: not a whole number of at least 1.
    """
    number = figure(name, value)
    if number != int(number):
        raise ValueError(f"{name} is {value}, expected a whole number")
    return int(number)


def tpot_from_e2e_ms(e2e_ms: float, ttft_ms: float, osl: float) -> float:
    """TPOT without the first token: (E2E - TTFT) / (OSL - 1).

    Raises:
        ValueError: an answer has a single token, or E2E is not above TTFT.
    """
    if osl <= 1:
        raise ValueError(f"osl is {osl:g}: an answer of one token has no time per output token")
    if e2e_ms <= ttft_ms:
        raise ValueError(f"E2E latency is {e2e_ms:g} ms, not above a TTFT of {ttft_ms:g} ms")
    return (e2e_ms - ttft_ms) / (osl - 1)


def tpot_without_first_ms(with_first_ms: float, ttft_ms: float, osl: float) -> float:
    """From TPOT with the first token (E2E / OSL) to TPOT without it; raises as above."""
    return tpot_from_e2e_ms(with_first_ms * osl, ttft_ms, osl)


def states_with_first(tpot_ms: float, ttft_ms: float, e2e_ms: float, osl: float) -> bool:
    """Whether a file's TPOT is E2E / OSL rather than (E2E - TTFT) / (OSL - 1)."""
    without = (e2e_ms - ttft_ms) / (osl - 1) if osl > 1 else math.inf
    return abs(tpot_ms - e2e_ms / osl) < abs(tpot_ms - without)
