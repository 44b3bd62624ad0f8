"""A finished run beside what was predicted of its candidates. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autotuner.predict import Predictions
from autotuner.tuning.summary import RunSummary
from autotuner.verify.analysis import DEFAULT_WITHIN
from autotuner.verify.autotuner_reader import PREDICTIONS, measured_points
from autotuner.verify.compare import Comparison, compare_files
from autotuner.verify.points import Excluded, Point, PointFile


def compare_run(
    summary: RunSummary,
    predictions: Predictions,
    *,
    within: Sequence[float] = DEFAULT_WITHIN,
    slo: Mapping[str, float] | None = None,
) -> Comparison:
    """What a run measured against what was predicted of the same candidates and loads.

    Candidates of the run for which there is no prediction are listed with the predictor's reason.

    Raises:
        VerifyError: nothing that was measured was predicted.
    """
    actual = measured_points(summary, f"run {summary.run.id} '{summary.run.name}'")
    return compare_files(
        predicted_points(predictions, summary, actual.points), actual, within=within, slo=slo
    )


def predicted_points(
    predictions: Predictions, summary: RunSummary, actual: Sequence[Point]
) -> PointFile:
    """The predictions of a run's candidates, on the terms of its own measurements."""
    settings = {experiment.id: dict(experiment.settings) for experiment in summary.experiments}
    terms = {point.candidate: point for point in actual}
    points = []
    for told in predictions:
        if told.candidate_id not in settings:
            continue
        measured = terms.get(told.candidate_id)
        names: dict[str, Any] = {}
        if measured is not None:
            shared = ("model", "engine", "engine_version", "system", "isl", "lengths", "layout")
            names = {name: getattr(measured, name) for name in shared}
        points.append(
            Point(
                concurrency=told.concurrency,
                ttft_ms=told.ttft_ms,
                tpot_ms=told.tpot_ms,
                tok_s=told.tok_s,
                gpus=told.devices,
                candidate=told.candidate_id,
                settings=settings[told.candidate_id],
                osl=told.osl,
                source=f"{told.candidate_id} at {told.concurrency}",
                remarks=(told.note,) if told.note else (),
                **names,
            )
        )
    reasons = {id_: found.why for id_, found in predictions.out_of_memory.items()}
    excluded = tuple(
        Excluded(id_, why)
        for id_, why in (reasons | dict(predictions.refused)).items()
        if id_ in settings
    )
    return PointFile(predictions.predictor, PREDICTIONS, tuple(points), excluded)
