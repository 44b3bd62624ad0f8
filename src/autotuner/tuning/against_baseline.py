"""The recommended point beside the baseline: how much better, and how sure. Pure.

Each was launched once, and launches of one configuration differ: by how much, nothing tells until
one is launched again, so that small gains stay unclear. `certainty` has the arithmetic.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autotuner.measure import Measurement
from autotuner.search import OBJECTIVES, OperatingPoint, has, quantity
from autotuner.search.slo import recommend, within
from autotuner.store import ExperimentRecord
from autotuner.tuning.baseline import PHASE
from autotuner.tuning.baseline_views import (
    BaselineView,
    ChangedSettingView,
    ComparedFigureView,
    ComparedPointsView,
)

_SHOWN = ("tok_s_per_gpu", "tok_s_per_user", "ttft_ms", "tpot_ms")
_NOT_SET_BY_HAND = ("system.", "runtime.")
_WITHIN = 0.01
"""Standard error of a figure whose launch does not tell it, as of a recorded mean."""
_SEEN_95 = 1.96


def beside_baseline(
    experiments: Sequence[ExperimentRecord],
    points: Mapping[int, Sequence[OperatingPoint]],
    chosen: OperatingPoint | None,
    *,
    kind: str,
    objectives: Sequence[str],
    slo: Mapping[str, float],
) -> BaselineView | None:
    """The baseline of a task and the recommended point beside it; None without a baseline.

    Args:
        points: of each experiment, by its number in the store.
        chosen: the recommended point.
        kind: of the baseline.
    """
    baseline = next((e for e in experiments if e.phase == PHASE), None)
    if baseline is None:
        return None
    is_over = baseline.status in ("completed", "failed")
    known: dict[str, Any] = {
        "kind": kind,
        "candidate": baseline.candidate_id,
        "index": baseline.index,
        "status": baseline.status if is_over or baseline.status == "running" else "cancelled",
        "reason": baseline.selection_reason,
        "failure": baseline.failure_message,
    }
    own = points[baseline.id]
    if chosen is None or not own:
        return BaselineView(**known)
    if chosen.candidate_id == baseline.candidate_id:
        return BaselineView(**known, is_recommended=True)
    other = next(e for e in experiments if e.candidate_id == chosen.candidate_id)
    same = next((point for point in own if point.load == chosen.load), None)
    best = recommend(own, slo, objectives) if slo else None
    compare = functools.partial(_compared, other, chosen, baseline, objectives=objectives, slo=slo)
    return BaselineView(
        **known,
        same_load=None if same is None else compare(same),
        within_slo=None if best is None or best[0] == same else compare(best[0]),
        changes=list(_changes(baseline.settings, other.settings)),
    )


def _compared(
    experiment: ExperimentRecord,
    chosen: OperatingPoint,
    baseline: ExperimentRecord,
    point: OperatingPoint,
    *,
    objectives: Sequence[str],
    slo: Mapping[str, float],
) -> ComparedPointsView:
    wanted = dict.fromkeys((*objectives, *_SHOWN))
    figures = [
        _figure(
            name,
            _launch(experiment, chosen, name),
            _launch(baseline, point, name),
        )
        for name in wanted
        if name in OBJECTIVES and has(chosen, (name,)) and has(point, (name,))
    ]
    return ComparedPointsView(
        load=chosen.load,
        baseline_load=point.load,
        baseline_meets_slo=within(point, slo) if slo else None,
        figures=figures,
    )


_Launch = tuple[float, float, float]
"""When it began, in seconds; its figure; the standard error of the figure's logarithm."""


def _figure(name: str, recommended: _Launch, baseline: _Launch) -> ComparedFigureView:
    ratio, settled = _ratio(recommended, baseline, OBJECTIVES[name].maximise)
    more = ratio.above_one
    return ComparedFigureView(
        quantity=name,
        recommended=recommended[1],
        baseline=baseline[1],
        ratio=ratio.median,
        low=ratio.low,
        high=ratio.high,
        probability_better=more if OBJECTIVES[name].maximise else 1 - more,
        settled=settled,
    )


@functools.lru_cache(maxsize=512)
def _ratio(recommended: _Launch, baseline: _Launch, maximise: bool) -> Any:
    from autotuner.certainty import LaunchFigure, LaunchPosterior, settled

    launches = [
        LaunchFigure(name, began_s, math.log(value), log_std)
        for name, (began_s, value, log_std) in (
            ("recommended", recommended),
            ("baseline", baseline),
        )
    ]
    ratio = LaunchPosterior(launches).ratio("recommended", "baseline")
    return ratio, settled(ratio, maximise=maximise)


def _launch(experiment: ExperimentRecord, point: OperatingPoint, name: str) -> _Launch:
    repeats = [m for m in experiment.measurements if m.load == point.load]
    return experiment.began_s, quantity(point, name), _standard_error(repeats, name)


def _standard_error(repeats: Iterable[Measurement], name: str) -> float:
    """Of the logarithm of a mean, from the sample of requests; for rates of what TPOT has."""
    field = "ttft_ms" if name.startswith("ttft") else "tpot_ms"
    shares = []
    for repeat in repeats:
        sample = getattr(repeat, field) or repeat.e2e_ms
        if sample is None or sample.ci95 is None or not sample.mean:
            return _WITHIN
        shares.append(sample.ci95 / _SEEN_95 / sample.mean)
    if not shares:
        return _WITHIN
    return math.sqrt(sum(share**2 for share in shares)) / len(shares)


def _changes(
    baseline: Mapping[str, Any], recommended: Mapping[str, Any]
) -> Iterable[ChangedSettingView]:
    for path in dict.fromkeys((*baseline, *recommended)):
        before, after = baseline.get(path), recommended.get(path)
        if before != after and not path.startswith(_NOT_SET_BY_HAND):
            yield ChangedSettingView(field=path, baseline=before, recommended=after)
