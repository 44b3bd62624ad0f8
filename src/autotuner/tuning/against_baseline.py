"""The recommended point beside the baseline: how much better, and how sure. Pure.

Launches of one configuration differ: by how much is unknown until one is launched again, so that
small gains stay unclear until then. `certainty` has the arithmetic.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from autotuner.config import LoadLevel
from autotuner.search import OBJECTIVES, OperatingPoint, has, quantity
from autotuner.search.axes import label
from autotuner.search.slo import recommend, served_by, within
from autotuner.store import ExperimentRecord
from autotuner.tuning.baseline import NAMES, PLANNED, baseline_beside, changed_settings
from autotuner.tuning.baseline_views import (
    BaselineView,
    ChangedSettingView,
    ComparedFigureView,
    ComparedPointsView,
)
from autotuner.tuning.baseline_words import (
    as_measured,
    caveat,
    certainty_text,
    gain,
    headline,
    left_out,
    title,
)
from autotuner.tuning.launch_figures import (
    ComparedLaunch,
    figures_of,
    launch_points,
    launches_left_out,
    launches_of,
    posterior_of,
    repeated_levels,
)
from autotuner.tuning.operating_points import Criteria

_SAME = 0.001
"""Difference of logarithms up to which a ratio of figures is the one that is shown beside them."""
_SHOWN = ("tok_s_per_gpu", "tok_s_per_user", "ttft_ms", "tpot_ms")


def beside_baseline(
    experiments: Sequence[ExperimentRecord],
    points: Mapping[int, Sequence[OperatingPoint]],
    chosen: OperatingPoint | None,
    *,
    plan: Mapping[str, Any],
    criteria: Criteria,
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
        launches=launches_of(baseline),
        is_candidate=baseline_beside(plan) is None,
    )
    if chosen is not None and chosen.candidate_id == baseline.candidate_id:
        view = view.model_copy(update={"is_recommended": True})
    elif chosen is not None and own:
        other = next(e for e in experiments if e.candidate_id == chosen.candidate_id)
        compare = functools.partial(
            _compared,
            (other, chosen),
            baseline,
            name=name,
            criteria=criteria,
            repeated=repeated_levels(experiments),
        )
        slo = criteria.slo
        same = next((point for point in own if point.load == chosen.load), None)
        best = recommend(own, slo, criteria.objectives) if slo else None
        point = same if best is None else best[0]
        own_launches = len(launch_points(other, chosen.load, criteria))
        counts = [len(launch_points(baseline, p.load, criteria)) for p in (point, same) if p]
        compared = {
            "same_load": None if same is None else compare(same),
            "within_slo": None if best is None or best[0] == same else compare(best[0]),
            "recommended_meets_slo": within(chosen, slo) if slo else None,
            "changes": [
                ChangedSettingView(field=path, name=label(path), baseline=before, recommended=after)
                for path, before, after in changed_settings(baseline.settings, other.settings)
            ],
            "launches": counts[0] if counts else 0,
            "recommended_launches": own_launches,
            "caveat": caveat(max(counts, default=0), own_launches),
        }
        view = view.model_copy(update=compared)
    has_rivals = any(points[e.id] for e in experiments if e.id != baseline.id)
    return view.model_copy(update={"headline": headline(view, has_rivals=has_rivals)})


def _compared(
    recommended: tuple[ExperimentRecord, OperatingPoint],
    baseline: ExperimentRecord,
    point: OperatingPoint,
    *,
    name: str,
    criteria: Criteria,
    repeated: Sequence[tuple[ExperimentRecord, LoadLevel]],
) -> ComparedPointsView:
    experiment, chosen = recommended
    slo, objectives = criteria.slo, criteria.objectives
    served = (served_by(objectives),) if slo or len(objectives) == 1 else ()
    others = [(e, load) for e, load in repeated if e.id not in (experiment.id, baseline.id)]
    figures, adjusted = [], []
    for wanted in dict.fromkeys((*served, *objectives, *_SHOWN)):
        if wanted not in OBJECTIVES or not (has(chosen, (wanted,)) and has(point, (wanted,))):
            continue
        read = functools.partial(figures_of, name=wanted, criteria=criteria)
        own, theirs = read(experiment, chosen.load), read(baseline, point.load)
        if own and theirs:
            scatter = tuple(one for e, load in others for one in read(e, load))
            both = (quantity(chosen, wanted), own), (quantity(point, wanted), theirs)
            found = _figure(wanted, *both, scatter)
            figures.append(found)
            if (found.recommended, found.baseline) != (both[0][0], both[1][0]):
                adjusted.append((found.name, both[1][0], both[0][0]))
    notes = (
        as_measured(adjusted),
        *(
            left_out(who, launches_left_out(one, load), load.long)
            for who, one, load in (
                (name, baseline, point.load),
                ("the recommended configuration", experiment, chosen.load),
            )
        ),
    )
    view = ComparedPointsView(
        load=chosen.load,
        baseline_load=point.load,
        baseline_meets_slo=within(point, slo) if slo else None,
        figures=figures,
        launches=len(launch_points(baseline, point.load, criteria)),
        note="; ".join(filter(None, notes)),
    )
    return view.model_copy(update={"title": title(view, name)})


def _figure(
    name: str,
    recommended: tuple[float, tuple[ComparedLaunch, ...]],
    baseline: tuple[float, tuple[ComparedLaunch, ...]],
    scatter: tuple[ComparedLaunch, ...],
) -> ComparedFigureView:
    """A quantity of both: each its figure as measured, and that of each launch.

    The figures of the view have the view's ratio: where those that were measured have another one,
    as launches drift and some are surer than others, they are the posterior's.

    Args:
        scatter: figures of others that were launched more than once.
    """
    from autotuner.certainty import settled

    objective = OBJECTIVES[name]
    (value, own), (other_value, others) = recommended, baseline
    posterior = posterior_of((*own, *others, *scatter))
    ratio = posterior.ratio(own[0].configuration, others[0].configuration)
    if abs(math.log(value / other_value / ratio.median)) > _SAME:
        value = posterior.level(own[0].configuration)
        other_value = value / ratio.median
    better = ratio.above_one if objective.maximise else 1 - ratio.above_one
    decided = settled(ratio, maximise=objective.maximise)
    return ComparedFigureView(
        quantity=name,
        recommended=value,
        baseline=other_value,
        ratio=ratio.median,
        low=ratio.low,
        high=ratio.high,
        probability_better=better,
        settled=decided,
        name=f"{objective.label}, {objective.unit}" if objective.label else objective.unit,
        change=gain(ratio.median),
        interval=f"{gain(ratio.low)} to {gain(ratio.high)}",
        certainty=certainty_text(better, decided),
    )
