"""How a run searched: what each launch brought, and the frontier that was predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotuner.search import OperatingPoint, Step, as_point, is_usable, quantity, steps
from autotuner.store import ExperimentRecord
from autotuner.tuning.outlook import predicted_frontier
from autotuner.tuning.points import outcome
from autotuner.tuning.standing import expectations
from autotuner.tuning.summary import LaunchView, PredictedPointView, SearchView

HYPERVOLUME = "hypervolume"


def search_view(
    experiments: Sequence[ExperimentRecord],
    frontier: Sequence[OperatingPoint],
    *,
    objectives: Sequence[str],
    slo: Mapping[str, float],
    usd_per_gpu_hour: float | None,
) -> SearchView:
    """The search of a run.

    Args:
        experiments: in the order of launch; those that are not finished are left out.
        frontier: the measured one, as the run ends with it.
    """
    finished = [e for e in experiments if e.status in ("completed", "failed")]
    expected = predicted_frontier(
        (p for e in finished for p in expectations(e) if is_usable(p, usd_per_gpu_hour)),
        objectives,
        usd_per_gpu_hour,
    )
    points = [as_point(prediction, usd_per_gpu_hour) for prediction in expected]
    taken = steps(
        [outcome(e, usd_per_gpu_hour, (*objectives, *slo)) for e in finished],
        frontier,
        objectives=objectives,
        slo=slo,
        predicted=points,
    )
    return SearchView(
        measure=HYPERVOLUME if len(objectives) > 1 else objectives[0],
        launches=[_launch(e, step) for e, step in zip(finished, taken, strict=True)],
        predicted_frontier=[
            PredictedPointView(
                experiment=point.candidate_id,
                concurrency=point.concurrency,
                values={name: quantity(point, name) for name in objectives},
                kind=prediction.kind,
            )
            for point, prediction in zip(points, expected, strict=True)
        ],
    )


def _launch(experiment: ExperimentRecord, step: Step) -> LaunchView:
    return LaunchView(
        experiment=experiment.candidate_id,
        index=experiment.index,
        phase=experiment.phase,
        reason=experiment.selection_reason,
        failed=experiment.status == "failed",
        value=step.value,
        added=step.added,
        frontier_points=step.frontier_points,
        in_vain=step.in_vain,
    )
