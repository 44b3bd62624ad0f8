"""Experiments of tasks, their measurements and what was predicted of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from autotuner.errors import StoreError
from autotuner.measure import Measurement
from autotuner.predict import Observation, Prediction
from autotuner.store.observations import add_observations
from autotuner.store.records import (
    ExperimentRecord,
    Standing,
    assembled,
    experiment_record,
    measurement_row,
    prediction_row,
)
from autotuner.store.schema import (
    ExperimentRow,
    MeasurementRow,
    PredictionRow,
    RelaunchRow,
    TaskRow,
)
from autotuner.store.sessions import Sessions, retried
from autotuner.store.transitions import interrupt_experiments

FINISHED = ("completed", "failed")
_EXPERIMENTS, _MEASUREMENTS, _PREDICTIONS, _RELAUNCHES = (
    row.__table__.c for row in (ExperimentRow, MeasurementRow, PredictionRow, RelaunchRow)
)


class ExperimentStore:
    """Begins experiments, keeps what they measure, and ends them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @retried
    def begin_experiment(
        self,
        task_id: int,
        *,
        candidate_id: str,
        settings: dict[str, Any],
        command: str,
        selection_reason: str,
        phase: str,
        log_path: str,
    ) -> ExperimentRecord:
        """The experiment of a candidate, `running` from now on.

        One that was begun before and not finished goes on: with the levels that it has measured,
        and the seconds that they took.

        Raises:
            StoreError: the candidate is finished in this task.
        """
        with self._sessions.writing() as session:
            query = select(ExperimentRow).where(
                ExperimentRow.task_id == task_id, ExperimentRow.candidate_id == candidate_id
            )
            earlier = session.scalars(query).first()
            if earlier is not None:
                if earlier.status in FINISHED:
                    raise StoreError(f"candidate {candidate_id} is finished in task {task_id}")
                earlier.status, earlier.started_at = "running", _now()
                earlier.settings, earlier.command, earlier.log_path = settings, command, log_path
                earlier.selection_reason, earlier.phase = selection_reason, phase
                earlier.predictions = []
                session.flush()
                return experiment_record(earlier)
            newest = select(func.max(ExperimentRow.idx)).where(ExperimentRow.task_id == task_id)
            row = ExperimentRow(
                task_id=task_id,
                idx=(session.scalar(newest) or 0) + 1,
                candidate_id=candidate_id,
                settings=settings,
                command=command,
                status="running",
                selection_reason=selection_reason,
                phase=phase,
                log_path=log_path,
                lost_s=0.0,
                began_s=0.0,
                started_at=_now(),
                measurements=[],
                predictions=[],
            )
            session.add(row)
            session.flush()
            return experiment_record(row)

    @retried
    def add_measurement(
        self,
        experiment_id: int,
        measurement: Measurement,
        *,
        repeat: int = 0,
        measure_s: float | None = None,
    ) -> None:
        """Stores one load level, and the seconds that the experiment has measured by now."""
        row = measurement_row(experiment_id, measurement, repeat)
        mine = (
            (MeasurementRow.experiment_id == experiment_id)
            & (MeasurementRow.repeat == repeat)
            & (MeasurementRow.load_kind == measurement.load.kind.value)
            & (MeasurementRow.load_value == measurement.load.value)
        )
        with self._sessions.writing() as session:
            kept = session.scalars(select(MeasurementRow.payload).where(mine)).first()
            if kept is None:
                session.add(row)
                change = update(ExperimentRow).where(ExperimentRow.id == experiment_id)
                session.execute(change.values(measure_s=measure_s))
            elif kept != row.payload:
                raise StoreError(
                    f"level {measurement.load} of experiment {experiment_id} is stored, "
                    "and says something else"
                )

    @retried
    def add_predictions(
        self,
        experiment_id: int,
        *,
        base: Sequence[Prediction] = (),
        calibrated: Sequence[Prediction] = (),
        unpredicted: str | None = None,
    ) -> None:
        """Stores what is expected of an experiment, or why nothing is."""
        kinds = (("base", base), ("calibrated", calibrated))
        change = update(ExperimentRow).where(ExperimentRow.id == experiment_id)
        with self._sessions.writing() as session:
            session.execute(change.values(unpredicted=unpredicted))
            session.execute(
                delete(PredictionRow).where(PredictionRow.experiment_id == experiment_id)
            )
            session.add_all(
                prediction_row(experiment_id, kind, prediction)
                for kind, predictions in kinds
                for prediction in predictions
            )

    @retried
    def finish_experiment(
        self,
        experiment_id: int,
        *,
        status: str,
        failure: tuple[str, str, str] | None,
        startup_s: float | None,
        measure_s: float | None,
        lost_s: float = 0.0,
        began_s: float = 0.0,
        cut_short: str | None = None,
        observations: Sequence[Observation] = (),
    ) -> None:
        """Ends a running experiment; `failure` is (kind, message, log tail).

        `began_s` says when it was launched, in seconds of the task; `lost_s`, how long launches of
        it took in vain.
        What calibration learns from it is stored with its end or not at all.

        Raises:
            StoreError: it is not running, and has not ended just so.
        """
        kind, message, log_tail = failure or (None, None, None)
        end = {
            "status": status,
            "failure_kind": kind,
            "failure_message": message,
            "log_tail": log_tail,
            "startup_s": startup_s,
            "measure_s": measure_s,
            "lost_s": lost_s,
            "began_s": began_s,
            "cut_short": cut_short,
        }
        running = (ExperimentRow.id == experiment_id) & (ExperimentRow.status == "running")
        change = update(ExperimentRow).where(running).values(**end, ended_at=_now())
        with self._sessions.writing() as session:
            if session.connection().execute(change).rowcount != 1:
                kept = session.get(ExperimentRow, experiment_id)
                if kept is None or any(getattr(kept, name) != end[name] for name in end):
                    raise StoreError(f"experiment {experiment_id} is not running")
                return
            task_id = select(ExperimentRow.task_id).where(ExperimentRow.id == experiment_id)
            add_observations(session, observations, session.scalar(task_id))

    @retried
    def interrupt_running(self, task_id: int) -> int:
        """Takes unfinished experiments back; returns how many. What they had measured stays."""
        with self._sessions.writing() as session:
            return interrupt_experiments(session, task_id)

    @retried
    def take_experiment_back(self, experiment_id: int, *, lost_s: float) -> None:
        """Takes one experiment back as `interrupt_running` does all of a task.

        Args:
            lost_s: seconds that all launches of it took in vain.
        """
        mine = (ExperimentRow.id == experiment_id) & (ExperimentRow.status == "running")
        change = update(ExperimentRow).where(mine)
        with self._sessions.writing() as session:
            session.execute(change.values(status="interrupted", lost_s=lost_s))

    @retried
    def reopen_lost(self, experiment_ids: Collection[int]) -> None:
        """Takes failed experiments back as `take_experiment_back` does a running one, for whoever
        goes on: their machines were at fault, and they are not."""
        end = dict.fromkeys(
            ("failure_kind", "failure_message", "log_tail", "startup_s", "ended_at")
        )
        mine = ExperimentRow.id.in_(experiment_ids) & (ExperimentRow.status == "failed")
        change = update(ExperimentRow).where(mine).values(**end, status="interrupted")
        with self._sessions.writing() as session:
            session.execute(change.execution_options(synchronize_session=False))

    @retried
    def forget_interrupted(self, task_id: int) -> None:
        """Removes the experiments that were taken back before they had cost anything: those whose
        launch was lost count with their seconds, and those that measured something go on."""
        with self._sessions.writing() as session:
            session.execute(
                delete(ExperimentRow).where(
                    ExperimentRow.task_id == task_id,
                    ExperimentRow.status == "interrupted",
                    ExperimentRow.lost_s == 0.0,
                    ExperimentRow.id.not_in(select(MeasurementRow.experiment_id)),
                )
            )

    @retried
    def experiments(
        self, task_id: int, *, besides: Collection[int] = ()
    ) -> tuple[ExperimentRecord, ...]:
        """A task's experiments in the order of launch, with their measurements.

        Args:
            besides: those of these numbers in the store are left out.
        """
        with self._sessions.reading() as session:
            return _read(session, _EXPERIMENTS.task_id == task_id, _EXPERIMENTS.id.not_in(besides))

    @retried
    def later_experiments(
        self, task_id: int, newest: int, unfinished: Collection[int]
    ) -> tuple[ExperimentRecord, ...]:
        """Those of a task's experiments that a reader does not know as finished, as `experiments`.

        Args:
            newest: highest number in the store that the reader has seen.
            unfinished: numbers of those that it saw before they were finished.
        """
        is_later = (_EXPERIMENTS.id > newest) | _EXPERIMENTS.id.in_(unfinished)
        with self._sessions.reading() as session:
            return _read(session, _EXPERIMENTS.task_id == task_id, is_later)

    @retried
    def starts(
        self, *, model: str, engine: str, device: str, gpu: str | None, most: int
    ) -> tuple[tuple[str, str, float], ...]:
        """Candidate, engine version and seconds until the engine was ready, of completed launches
        of such tasks: further ones of a candidate before its first, else newest first.

        Args:
            device: as a task names its devices.
            gpu: name of the GPU, of which there may be another number; None on a CPU.
        """
        tasks, mine = TaskRow.__table__.c, _EXPERIMENTS
        there = tasks.device == device
        if gpu is not None:
            there = or_(there, tasks.device.endswith(f" x {gpu}", autoescape=True))
        queries = []
        for launch in (_RELAUNCHES, mine):
            query = (
                select(mine.candidate_id, tasks.engine_version, launch.startup_s)
                .join_from(ExperimentRow, TaskRow, tasks.id == mine.task_id)
                .where(tasks.model == model, tasks.engine == engine, there)
                .where(tasks.is_replay.is_(False))
                .where(launch.status == "completed", launch.startup_s > 0)
                .order_by(launch.id.desc())
                .limit(most)
            )
            if launch is not mine:
                query = query.join(RelaunchRow, launch.experiment_id == mine.id)
            queries.append(query)
        with self._sessions.reading() as session:
            connection = session.connection()
            return tuple(tuple(row) for query in queries for row in connection.execute(query))

    def experiment(self, experiment_id: int) -> ExperimentRecord | None:
        """The experiment of that number in the store, with its measurements."""
        with self._sessions.reading() as session:
            row = session.get(ExperimentRow, experiment_id)
            return None if row is None else experiment_record(row)

    @retried
    def set_standings(self, standings: Mapping[int, Standing]) -> None:
        """Keeps where experiments (by their number in the store) stand among their task's."""
        with self._sessions.writing() as session:
            for experiment_id, standing in standings.items():
                change = update(ExperimentRow).where(ExperimentRow.id == experiment_id)
                session.execute(change.values(**asdict(standing)))


def _read(session: Session, *conditions: ColumnElement[bool]) -> tuple[ExperimentRecord, ...]:
    """The experiments that meet all conditions, in the order of launch.

    Four questions, however many there are; by the tables' own columns, and with measurements as
    text: the mapper, and JSON that becomes objects in between, take three times as long.
    """
    connection = session.connection()
    rows = connection.execute(select(*_EXPERIMENTS).where(*conditions).order_by(_EXPERIMENTS.idx))
    own = select(_EXPERIMENTS.id).where(*conditions)
    payloads = select(_MEASUREMENTS.experiment_id, cast(_MEASUREMENTS.payload, Text)).where(
        _MEASUREMENTS.experiment_id.in_(own)
    )
    expected = select(*_PREDICTIONS).where(_PREDICTIONS.experiment_id.in_(own))
    measured: defaultdict[int, list[Measurement]] = defaultdict(list)
    for experiment_id, payload in connection.execute(payloads.order_by(_MEASUREMENTS.id)):
        measured[experiment_id].append(Measurement.model_validate_json(payload))
    predicted: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(expected.order_by(_PREDICTIONS.id)):
        predicted[row.experiment_id].append(row)
    again: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    further = select(*_RELAUNCHES).where(_RELAUNCHES.experiment_id.in_(own))
    for row in connection.execute(further.order_by(_RELAUNCHES.launch)):
        again[row.experiment_id].append(row)
    return tuple(
        assembled(row, tuple(measured[row.id]), predicted[row.id], again[row.id])
        for row in rows.all()
    )


def _now() -> datetime:
    return datetime.now(UTC)
