"""From rows to records and back."""

from __future__ import annotations

from dataclasses import fields

from autotuner.measure import Measurement
from autotuner.predict import Observation, Prediction
from autotuner.predict.observations import observation_id
from autotuner.store.records import (
    ExperimentRecord,
    ObservationRecord,
    RunRecord,
    Standing,
    TaskRecord,
)
from autotuner.store.schema import ExperimentRow, ObservationRow, PredictionRow, TaskRow


def run_record(row: TaskRow) -> RunRecord:
    """A run, free of the database."""
    return RunRecord(
        id=row.id,
        name=row.name,
        content_id=row.content_id,
        config=row.config,
        model=row.model,
        engine=row.engine,
        engine_version=row.engine_version,
        device=row.device,
        plan=row.plan,
        status=row.status,
        stop_reason=row.stop_reason,
        created_at=row.created_at,
        ended_at=row.ended_at,
        wall_s=row.wall_s,
    )


def task_record(row: TaskRow) -> TaskRecord:
    """A task, free of the database."""
    return TaskRecord(**{name: getattr(row, name) for name in _OF_TASKS})


def experiment_record(row: ExperimentRow) -> ExperimentRecord:
    """An experiment, free of the database."""
    return ExperimentRecord(
        id=row.id,
        index=row.idx,
        candidate_id=row.candidate_id,
        settings=row.settings,
        command=row.command,
        status=row.status,
        selection_reason=row.selection_reason,
        phase=row.phase,
        log_path=row.log_path,
        failure_kind=row.failure_kind,
        failure_message=row.failure_message,
        log_tail=row.log_tail,
        startup_s=row.startup_s,
        measure_s=row.measure_s,
        measurements=tuple(Measurement.model_validate(m.payload) for m in row.measurements),
        base=_predictions(row, "base"),
        calibrated=_predictions(row, "calibrated"),
        unpredicted=row.unpredicted,
        cut_short=row.cut_short,
        began_s=row.began_s,
        standing=Standing(**{name: getattr(row, name) for name in _STANDING}),
    )


def prediction_row(experiment_id: int, kind: str, prediction: Prediction) -> PredictionRow:
    """A prediction of an experiment as it is kept."""
    told = {name: getattr(prediction, name) for name in _FIGURES}
    return PredictionRow(experiment_id=experiment_id, kind=kind, **told)


def observation_row(observation: Observation, run_id: int | None) -> ObservationRow:
    """An observation as it is kept."""
    told = {name: getattr(observation, name) for name in _SEEN}
    told["settings"] = dict(observation.settings)
    return ObservationRow(digest=observation_id(observation), task_id=run_id, **told)


def observation_record(row: ObservationRow) -> ObservationRecord:
    """An observation, free of the database."""
    seen = Observation(**{name: getattr(row, name) for name in _SEEN})
    return ObservationRecord(row.digest, row.task_id, seen, row.not_trusted)


def _predictions(row: ExperimentRow, kind: str) -> tuple[Prediction, ...]:
    return tuple(
        Prediction(row.candidate_id, **{name: getattr(found, name) for name in _FIGURES})
        for found in row.predictions
        if found.kind == kind
    )


_FIGURES = [field.name for field in fields(Prediction) if field.name != "candidate_id"]
_SEEN = [field.name for field in fields(Observation)]
_OF_TASKS = [field.name for field in fields(TaskRecord)]
_STANDING = [field.name for field in fields(Standing)]
