"""The recommended point beside the baseline: how much better, and how sure. Pure.

Each was launched once, and launches of one configuration differ: by how much is unknown until one
is launched again, so that small gains stay unclear. `certainty` has the arithmetic.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autotuner.measure import Measurement
from autotuner.search import OBJECTIVES, OperatingPoint, has, quantity
from autotuner.search.axes import label
from autotuner.search.slo import recommend, served_by, within
from autotuner.store import ExperimentRecord
from autotuner.tuning.baseline import NAMES, PLANNED, baseline_beside
from autotuner.tuning.baseline_views import (
    BaselineView,
    ChangedSettingView,
    ComparedFigureView,
    ComparedPointsView,
)
from autotuner.tuning.baseline_words import ONE_LAUNCH, certainty_text, gain, headline, title

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
    plan: Mapping[str, Any],
    objectives: Sequence[str],
    slo: Mapping[str, float],
) -> BaselineView | None:
    """The baseline of a task and the recommended point beside it; None without a baseline.

    Args:
        points: of each experiment, by its number in the store.
        chosen: the recommended point.
        plan: of the task, which keeps its baseline.
    """
    planned = plan.get(PLANNED)
    key = None if planned is None else planned["candidate"]
    baseline = next((e for e in experiments if e.candidate_id == key), None)
    if planned is None or baseline is None:
        return None
    is_over = baseline.status in ("completed", "failed")
    name = NAMES[planned["kind"]]
    own = points[baseline.id]
    view = BaselineView(
        kind=planned["kind"],
        name=name,
        candidate=baseline.candidate_id,
        index=baseline.index,
        status=baseline.status if is_over or baseline.status == "running" else "cancelled",
        reason=baseline.selection_reason,
        failure=baseline.failure_message,
        is_candidate=baseline_beside(plan) is None,
    )
    if chosen is not None and chosen.candidate_id == baseline.candidate_id:
        view = view.model_copy(update={"is_recommended": True})
    elif chosen is not None and own:
        other = next(e for e in experiments if e.candidate_id == chosen.candidate_id)
        compare = functools.partial(
            _compared, other, chosen, baseline, name=name, objectives=objectives, slo=slo
        )
        same = next((point for point in own if point.load == chosen.load), None)
        best = recommend(own, slo, objectives) if slo else None
        compared = {
            "same_load": None if same is None else compare(same),
            "within_slo": None if best is None or best[0] == same else compare(best[0]),
            "recommended_meets_slo": within(chosen, slo) if slo else None,
            "changes": list(_changes(baseline.settings, other.settings)),
            "caveat": ONE_LAUNCH,
        }
        view = view.model_copy(update=compared)
    has_rivals = any(points[e.id] for e in experiments if e.id != baseline.id)
    return view.model_copy(update={"headline": headline(view, has_rivals=has_rivals)})


def _compared(
    experiment: ExperimentRecord,
    chosen: OperatingPoint,
    baseline: ExperimentRecord,
    point: OperatingPoint,
    *,
    name: str,
    objectives: Sequence[str],
    slo: Mapping[str, float],
) -> ComparedPointsView:
    served = (served_by(objectives),) if slo or len(objectives) == 1 else ()
    wanted = dict.fromkeys((*served, *objectives, *_SHOWN))
    figures = [
        _figure(
            quantity_,
            _launch(experiment, chosen, quantity_),
            _launch(baseline, point, quantity_),
        )
        for quantity_ in wanted
        if quantity_ in OBJECTIVES and has(chosen, (quantity_,)) and has(point, (quantity_,))
    ]
    view = ComparedPointsView(
        load=chosen.load,
        baseline_load=point.load,
        baseline_meets_slo=within(point, slo) if slo else None,
        figures=figures,
    )
    return view.model_copy(update={"title": title(view, name)})


_Launch = tuple[float, float, float]
"""When it began, in seconds; its figure; the standard error of the figure's logarithm."""


def _figure(name: str, recommended: _Launch, baseline: _Launch) -> ComparedFigureView:
    objective = OBJECTIVES[name]
    ratio, settled = _ratio(recommended, baseline, objective.maximise)
    better = ratio.above_one if objective.maximise else 1 - ratio.above_one
    return ComparedFigureView(
        quantity=name,
        recommended=recommended[1],
        baseline=baseline[1],
        ratio=ratio.median,
        low=ratio.low,
        high=ratio.high,
        probability_better=better,
        settled=settled,
        name=f"{objective.label}, {objective.unit}" if objective.label else objective.unit,
        change=gain(ratio.median),
        interval=f"{gain(ratio.low)} to {gain(ratio.high)}",
        certainty=certainty_text(better, settled),
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
            yield ChangedSettingView(
                field=path, name=label(path), baseline=before, recommended=after
            )
