"""Figures that stand in for a missing prediction: of the candidate's other levels, or of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_PER_UNIT = 0.1
"""Weight of a distance of e beside one differing setting."""
_PER_LOAD = 2.0
"""Weight of a load level e times another: borrowed is from the same load where it can be."""
_AS_GOOD = 0.3
"""Lenders no further than this beyond the nearest are averaged."""
_CONTINUED_FROM = 3
"""Levels whose line is continued."""


def stand_in(
    known: Floats, of: npt.NDArray[np.int64], settings: Floats, loads: Floats
) -> tuple[Floats, Floats]:
    """`known` with its gaps filled, and how far each row is from those it borrows from: `n x d`.

    Where nothing is known at all, zeros (NaN for memory) fill the gaps.

    Args:
        known: `n x q`, logarithms; NaN is unknown. The last column is memory.
        of: each row's candidate: `n`.
        settings, loads: `n x d` and `n x 3` (level, load of a rank, GPUs), logarithms.
    """
    filled, displaced = known.copy(), np.zeros_like(settings)
    has = ~np.isnan(known[:, 0])
    if not has.any():
        filled[:, :-1] = 0.0
        return filled, displaced
    starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
    for rows in np.split(np.arange(len(of)), starts[1:]):
        gaps, own = rows[~has[rows]], rows[has[rows]]
        if len(gaps) and len(own):
            filled[gaps] = _continued(known[own], loads[own, 0], loads[gaps, 0])
        elif len(gaps):
            filled[gaps], displaced[gaps] = _borrowed(gaps, has, known, settings, loads)
    return filled, displaced


def _continued(own: Floats, at: Floats, wanted: Floats) -> Floats:
    """A straight line through the nearest levels."""
    found = np.empty((len(wanted), own.shape[1]))
    for row, load in enumerate(wanted):
        near = np.argsort(np.abs(at - load), kind="stable")[:_CONTINUED_FROM]
        x, y = at[near] - load, own[near]
        spread = x - x.mean()
        total = float(spread @ spread)
        slope: Any = spread @ y / total if total > 0 else np.zeros(own.shape[1])
        found[row] = y.mean(0) - slope * x.mean()
    return found


def _borrowed(
    gaps: npt.NDArray[np.int64],
    has: npt.NDArray[np.bool_],
    known: Floats,
    settings: Floats,
    loads: Floats,
) -> tuple[Floats, Floats]:
    """The mean of the most similar rows that are known, and the distance to it."""
    lenders = np.flatnonzero(has)
    one = gaps[0]
    layout = np.column_stack([settings, loads[:, 2]])
    differences = np.abs(layout[lenders] - layout[one])
    unlike = (differences > 1e-9).sum(1) + _PER_UNIT * differences.sum(1)
    distance = unlike + _PER_LOAD * np.abs(loads[lenders, 0] - loads[gaps, 0][:, None])
    good = distance <= distance.min(1, keepdims=True) + _AS_GOOD
    means = [(known[lenders[best]].mean(0), settings[lenders[best]].mean(0)) for best in good]
    return np.array([mean for mean, _ in means]), settings[one] - np.array([at for _, at in means])
