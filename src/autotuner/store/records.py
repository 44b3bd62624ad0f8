"""Records that the store gives out: immutable copies of rows, free of the database, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Row

from autotuner.config import LoadKind, LoadLevel
from autotuner.measure import Measurement
from autotuner.predict import Observation, Prediction
from autotuner.predict.observations import observation_id
from autotuner.predict.predictor import NOT_IN_COLUMNS, percentiles_document
from autotuner.store.schema import (
    ExperimentRow,
    MeasurementRow,
    ObservationRow,
    PredictionRow,
    RelaunchRow,
    TaskRow,
)


@dataclass(frozen=True)
class Standing:
    """An experiment's representative operating point, as predicted and as measured.

    `throughput_tok_s` of the whole deployment; `latency_p90_ms` end to end. `frontier_points`
    counts all of its points on the measured frontier.
    """

    predicted_throughput_tok_s: float | None = None
    predicted_ttft_ms: float | None = None
    predicted_tpot_ms: float | None = None
    predicted_latency_p90_ms: float | None = None
    actual_throughput_tok_s: float | None = None
    actual_ttft_ms: float | None = None
    actual_tpot_ms: float | None = None
    actual_latency_p90_ms: float | None = None
    is_on_predicted_frontier: bool = False
    is_on_actual_frontier: bool = False
    frontier_points: int = 0


@dataclass(frozen=True)
class TaskRecord:
    """A task; see `store.tasks`. Times are None until they come.

    Attributes:
        config: the document, a `TaskConfig` as JSON.
        wall_s: adds up over all calls that worked on it.
        revision: grows with every change that a user can see.
        requested_gpu, requested_gpus: what a worker has to have; "" where any machine will do.
        worker: who works on it, or did last.
        lease, heartbeat: see `store.tasks`.
        requested_action: what its worker is asked for: "", "cancel" or "pause".
        base: folder from which relative paths in `config` count.
    """

    id: int
    name: str
    description: str
    status: str
    stop_reason: str
    origin: str
    revision: int
    content_id: str
    config: dict[str, Any]
    model: str
    engine: str
    engine_version: str
    device: str
    plan: dict[str, Any]
    requested_gpu: str
    requested_gpus: int
    base: str | None
    v1_task_id: int | None
    worker: str | None
    lease: int
    heartbeat: int
    requested_action: str
    created_at: datetime
    updated_at: datetime | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    wall_s: float

    @property
    def replay(self) -> bool:
        """Whether its experiments are recorded ones: nothing was launched."""
        return self.config.get("deployment_mode") == "replay"


@dataclass(frozen=True)
class RelaunchRecord:
    """A further launch of an experiment's candidate.

    Attributes:
        launch: 2 for the second one.
        lost_s, began_s: as of an experiment.
    """

    launch: int
    status: str
    selection_reason: str
    log_path: str
    failure_kind: str | None = None
    failure_message: str | None = None
    log_tail: str | None = None
    startup_s: float | None = None
    measure_s: float | None = None
    lost_s: float = 0.0
    began_s: float = 0.0


@dataclass(frozen=True)
class ExperimentRecord:
    """One candidate launched; `index` counts from 1 in the order of launch.

    Attributes:
        base, calibrated: what was expected before the launch, by load level; none in runs of
            versions that did not predict.
        unpredicted: why nothing could be said.
        cut_short: why levels were left out that could not improve the frontier.
        lost_s: seconds that launches of it took in vain, because their machine was lost.
        began_s: when it was launched, in seconds of the time in which its task was worked on.
        standing: where it stands among the task's, once it is finished.
        relaunches: further launches of it, in their order; `measurements` holds what the completed
            ones measured, too.
        lost_relaunches: those that were interrupted after their machine had been lost: they are
            made again, and the seconds that they have taken count.
    """

    id: int
    index: int
    candidate_id: str
    settings: dict[str, Any]
    command: str
    status: str
    selection_reason: str
    phase: str
    log_path: str
    failure_kind: str | None
    failure_message: str | None
    log_tail: str | None
    startup_s: float | None
    measure_s: float | None
    measurements: tuple[Measurement, ...]
    base: tuple[Prediction, ...] = ()
    calibrated: tuple[Prediction, ...] = ()
    unpredicted: str | None = None
    cut_short: str | None = None
    lost_s: float = 0.0
    began_s: float = 0.0
    standing: Standing = Standing()
    relaunches: tuple[RelaunchRecord, ...] = ()
    lost_relaunches: tuple[RelaunchRecord, ...] = ()


@dataclass(frozen=True)
class ObservationRecord:
    """An observation as it is kept; `task_id` is None where it was imported.

    `not_trusted` says why it corrects no prediction; None where it does.
    """

    id: str
    task_id: int | None
    observation: Observation
    not_trusted: str | None = None


@dataclass(frozen=True)
class EventRecord:
    """Something that happened in a task."""

    at: datetime
    kind: str
    payload: dict[str, Any]


def task_record(row: TaskRow) -> TaskRecord:
    """A task, free of the database."""
    return TaskRecord(**{name: getattr(row, name) for name in _OF_TASKS})


def experiment_record(row: ExperimentRow) -> ExperimentRecord:
    """An experiment, free of the database."""
    measurements = tuple(Measurement.model_validate(m.payload) for m in row.measurements)
    return assembled(row, measurements, row.predictions, row.relaunches)


def assembled(
    row: ExperimentRow | Row[Any],
    measurements: tuple[Measurement, ...],
    predictions: Sequence[PredictionRow | Row[Any]],
    relaunches: Sequence[RelaunchRow | Row[Any]] = (),
) -> ExperimentRecord:
    """An experiment out of its columns, and of what belongs to it."""
    again = [relaunch_record(relaunch) for relaunch in relaunches]
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
        measurements=measurements,
        base=_predictions(row.candidate_id, predictions, "base"),
        calibrated=_predictions(row.candidate_id, predictions, "calibrated"),
        unpredicted=row.unpredicted,
        cut_short=row.cut_short,
        lost_s=row.lost_s,
        began_s=row.began_s,
        standing=Standing(**{name: getattr(row, name) for name in _STANDING}),
        relaunches=tuple(one for one in again if one.status != "interrupted"),
        lost_relaunches=tuple(one for one in again if one.status == "interrupted"),
    )


def relaunch_record(row: RelaunchRow | Row[Any]) -> RelaunchRecord:
    """A further launch, free of the database."""
    return RelaunchRecord(**{name: getattr(row, name) for name in _OF_RELAUNCHES})


def load_columns(load: LoadLevel) -> dict[str, Any]:
    """A load level as it is kept: two columns."""
    return {"load_kind": load.kind.value, "load_value": load.value}


def measurement_row(experiment_id: int, measurement: Measurement, repeat: int) -> MeasurementRow:
    """A measured load level as it is kept."""
    return MeasurementRow(
        experiment_id=experiment_id,
        **load_columns(measurement.load),
        repeat=repeat,
        valid=measurement.valid,
        tok_s=measurement.tok_s,
        ttft_ms=measurement.ttft_ms.mean if measurement.ttft_ms else None,
        tpot_ms=measurement.tpot_ms.mean if measurement.tpot_ms else None,
        payload=measurement.model_dump(mode="json"),
    )


def _load(row: PredictionRow | ObservationRow | Row[Any]) -> LoadLevel:
    return _level(row.load_kind, row.load_value)


@lru_cache(maxsize=1_024)
def _level(kind: str, value: float) -> LoadLevel:
    """A task has thousands of rows at a few load levels."""
    return LoadLevel(LoadKind(kind), value)


def prediction_row(experiment_id: int, kind: str, prediction: Prediction) -> PredictionRow:
    """A prediction of an experiment as it is kept."""
    values = {name: getattr(prediction, name) for name in _FIGURES} | load_columns(prediction.load)
    values["percentiles"] = percentiles_document(prediction)
    return PredictionRow(experiment_id=experiment_id, kind=kind, **values)


def observation_row(observation: Observation, task_id: int | None) -> ObservationRow:
    """An observation as it is kept."""
    return ObservationRow(**observation_columns(observation, task_id))


def observation_columns(observation: Observation, task_id: int | None) -> dict[str, Any]:
    """The columns of the same."""
    return {
        **{name: getattr(observation, name) for name in _SEEN},
        **load_columns(observation.load),
        "settings": dict(observation.settings),
        "members": {name: list(means) for name, means in observation.members.items()},
        "percentiles": dict(observation.percentiles),
        "digest": observation_id(observation),
        "task_id": task_id,
    }


def observation_record(row: ObservationRow) -> ObservationRecord:
    """An observation, free of the database."""
    found = {name: getattr(row, name) for name in _SEEN}
    members = {name: (ttft_ms, tpot_ms) for name, (ttft_ms, tpot_ms) in row.members.items()}
    seen = Observation(load=_load(row), **found | {"members": members})
    return ObservationRecord(row.digest, row.task_id, seen, row.not_trusted)


def _predictions(
    candidate_id: str, rows: Sequence[PredictionRow | Row[Any]], kind: str
) -> tuple[Prediction, ...]:
    return tuple(
        Prediction(candidate_id, _load(found), *_figures(found), **found.percentiles)
        for found in rows
        if found.kind == kind
    )


_FIGURES = [
    field.name
    for field in fields(Prediction)
    if field.name not in ("candidate_id", "load", *NOT_IN_COLUMNS)
]
_figures = attrgetter(*_FIGURES)
"""In the order in which a prediction takes them, behind its candidate and its load."""
_SEEN = [field.name for field in fields(Observation) if field.name != "load"]
_OF_TASKS = [field.name for field in fields(TaskRecord)]
_STANDING = [field.name for field in fields(Standing)]
_OF_RELAUNCHES = [field.name for field in fields(RelaunchRecord)]
