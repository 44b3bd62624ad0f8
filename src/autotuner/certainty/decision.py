"""Whether one configuration is better than another: decided only when launches settle it."""

from __future__ import annotations

from typing import Literal

from autotuner.certainty.posterior import Ratio

Settled = Literal["better", "worse", "unclear"]

SETTLED = 0.998
"""Probability from which a difference counts as settled. It may be looked at after every launch,
and each look is another chance to be deceived, so it is stricter than the 0.975 of one look:
`bench/certainty.py` finds how often equal configurations are declared different."""


def settled(ratio: Ratio, *, maximise: bool = True) -> Settled:
    """How a configuration stands to another one.

    Args:
        ratio: its figure over the other's.
        maximise: whether more of the figure is better.
    """
    better = ratio.above_one if maximise else 1 - ratio.above_one
    if better >= SETTLED:
        return "better"
    return "worse" if better <= 1 - SETTLED else "unclear"
