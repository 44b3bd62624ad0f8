"""Predictions of a stored task, as they were made before its launches."""

from __future__ import annotations

from autotuner.predict import Prediction, Predictions
from autotuner.tuning.summary import ExperimentView, TaskSummary
from autotuner.verify.autotuner_reader import measured_points, run_workload
from autotuner.verify.compare import predicted_points
from autotuner.verify.points import PointFile


def predicted_file(summary: TaskSummary, *, calibrated: bool) -> PointFile:
    """The predictions of a task, as a file of them would be read."""
    measured = measured_points(summary, "").points
    return predicted_points(predicted_before(summary, calibrated=calibrated), summary, measured)


def predicted_before(summary: TaskSummary, *, calibrated: bool) -> Predictions:
    """Predictions of a task's candidates, each before its launch."""
    points = tuple(
        point
        for one in summary.experiments
        for point in _points(one, run_workload(summary, one.settings)[1], calibrated=calibrated)
    )
    refused = {one.id: one.unpredicted for one in summary.experiments if one.unpredicted}
    name = "calibrated" if calibrated else "base"
    return Predictions(f"{name} predictions of task {summary.task.id}", points, {}, refused)


def _points(experiment: ExperimentView, osl: float | None, *, calibrated: bool) -> list[Prediction]:
    found = []
    for predicted in experiment.predictions:
        figures = (predicted.calibrated if calibrated else None) or predicted.base
        found.append(
            Prediction(
                candidate_id=experiment.id,
                load=predicted.load,
                ttft_ms=figures.ttft_ms,
                tpot_ms=figures.tpot_ms,
                tok_s=figures.tok_s,
                devices=max(experiment.gpus, 1),
                # Without lengths only whether there is a second token is known.
                osl=osl or (1.0 if figures.tpot_ms is None else 2.0),
                ttft_log_std=figures.ttft_log_std,
                tpot_log_std=figures.tpot_log_std,
                tok_s_log_std=figures.tok_s_log_std,
                source=figures.source,
                note=figures.note,
            )
        )
    return found
