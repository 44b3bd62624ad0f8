"""A choice in words, with its numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autotuner.search.points import told as told_point
from autotuner.search.slo import told_slo
from autotuner.search.strategy import SearchState
from autotuner.search.wording import label, percent

if TYPE_CHECKING:
    from autotuner.search.hybrid.weighing import Weighed

_SURE = 0.95
"""A chance to fit that needs no mention."""
_FEW = 2
"""Differing settings that are named."""


def told(state: SearchState, best: Weighed) -> str:
    """Why the candidate is launched: what it is expected to add, where, how sure, how new."""
    parts = [_gain(state, best), _figures(state, best), _knowledge(state, best)]
    if best.chance < _SURE:
        parts.append(f"it fits into memory with {percent(best.chance)} probability")
    return "; ".join(filter(None, parts))


def _gain(state: SearchState, best: Weighed) -> str:
    if best.misses_slo is not None:
        return (
            f"the nearest to the SLO of what is left, uncertain: expected to miss "
            f"{told_slo(state.slo)} by {percent(best.misses_slo)}"
        )
    what = "hypervolume" if len(state.objectives) > 1 else "of the best so far"
    if math.isinf(best.gain):
        return f"nothing {'within the SLO ' if state.slo else ''}is measured yet"
    return f"expected to add {percent(best.gain)} {what}"


def _figures(state: SearchState, best: Weighed) -> str:
    point = best.figures.point(best.candidate)
    source = "predicted" if best.predicted else "nothing is predicted; by the most alike"
    return f"{source} {told_point(point, state.objectives)}, ± {percent(best.log_std)}"


def _knowledge(state: SearchState, best: Weighed) -> str:
    own, earlier = best.learnt_from
    learnt = [f"{own} levels measured here"] if own else []
    learnt += [f"{earlier} of earlier tasks"] if earlier else []
    corrected = f"corrected by {' and '.join(learnt)}" if learnt else ""
    return "; ".join(filter(None, (corrected, _news(state, best.candidate))))


def _news(state: SearchState, candidate: str) -> str:
    """In what the candidate differs from the most alike launch."""
    mine = state.settings.get(candidate, {})
    launched = [outcome.candidate_id for outcome in state.history]
    differences = []
    for other in launched:
        theirs = state.settings.get(other, {})
        differences.append(
            [path for path in sorted({*mine, *theirs}) if mine.get(path) != theirs.get(path)]
        )
    if not differences:
        return ""
    fewest = min(differences, key=len)
    if not fewest:
        return ""
    if len(fewest) > _FEW:
        return f"every launch so far differs in {len(fewest)} settings or more"
    return f"the most alike launch differs in {' and '.join(map(label, fewest))}"
