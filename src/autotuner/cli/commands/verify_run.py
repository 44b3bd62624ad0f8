"""`autotuner verify run`: predict, launch, compare."""

from __future__ import annotations

from pathlib import Path

from autotuner.cli import exit_codes
from autotuner.cli.commands.tune import run_task
from autotuner.cli.commands.verify import Outputs, present
from autotuner.config import load_task
from autotuner.errors import VerifyError
from autotuner.predict import Prediction, Predictions
from autotuner.tuning.summary import ExperimentView, TaskSummary
from autotuner.verify import parse_requirements
from autotuner.verify.autotuner_reader import run_workload
from autotuner.verify.compare import compare_task


def run_command(
    path: Path, outputs: Outputs, *, home: Path | None, fresh: bool, uncalibrated: bool
) -> int:
    """Runs the task to its end and compares; 1 where a requirement is missed.

    A task that is finished is not measured again, unless `fresh`.

    Raises:
        VerifyError: the task asks nobody to predict, or nothing that was measured was predicted.
    """
    within = outputs.limits()
    parse_requirements(outputs.require, within)
    if load_task(path).prediction.predictor == "none":
        raise VerifyError(
            "prediction.predictor is none: there would be nothing to compare",
            remedy="write auto, aiconfigurator, aisimulate or roofline",
        )
    summary, interrupted, _ = run_task(
        path, home=home, quiet=outputs.as_json, fresh=fresh, again=False
    )
    if interrupted:
        return exit_codes.INTERRUPTED
    predicted = predicted_before(summary, calibrated=not uncalibrated)
    return present(compare_task(summary, predicted, within=within), outputs)


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
