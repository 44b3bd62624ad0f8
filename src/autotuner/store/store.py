"""Runs, experiments and measurements, each written in a transaction of its own.

Every write of a run may be made again with the same words, as after an answer that was lost: what
is there already stays, and is not there twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import delete, func, select, update

from autotuner.errors import StoreError
from autotuner.measure import Measurement
from autotuner.predict import Observation, Prediction
from autotuner.store import kept_observations
from autotuner.store.database import open_database
from autotuner.store.queue import Queue, holds
from autotuner.store.records import (
    EventRecord,
    ExperimentRecord,
    ObservationRecord,
    RunRecord,
    Standing,
)
from autotuner.store.rows import experiment_record, prediction_row, run_record
from autotuner.store.run_ends import status_change, take_back
from autotuner.store.schema import (
    EventRow,
    ExperimentRow,
    MeasurementRow,
    PredictionRow,
    TaskRow,
)
from autotuner.store.sessions import Sessions
from autotuner.store.transitions import asked_for, first_lease
from autotuner.store.workers_kept import WorkersKept

FINISHED = ("completed", "failed")


class Store:
    """The facts under one home folder.

    Example:
        with Store.open(home) as store:
            run = store.create_run(...)
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @classmethod
    def open(cls, home: Path, database: str | None = None) -> Store:
        """Opens the store of `home`, created or upgraded where needed.

        Args:
            database: URL of a database to use in place of the file in `home`.

        Raises:
            StoreError: it cannot be opened; says why and what to do.
        """
        return cls(Sessions(*open_database(home, database)))

    @property
    def sessions(self) -> Sessions:
        """Transactions, for the parts of this room that keep other things."""
        return self._sessions

    @property
    def queue(self) -> Queue:
        """Tasks on their way from a request to a worker."""
        return Queue(self._sessions)

    @property
    def workers(self) -> WorkersKept:
        """Who works on tasks, and their engines."""
        return WorkersKept(self._sessions)

    def fenced(self, task_id: int, lease: int) -> Store:
        """The same store, which writes only while `lease` holds the task.

        Raises (when written to):
            LeaseLostError: another worker has taken it over.
        """
        return Store(self._sessions.guarded(holds(task_id, lease)))

    def close(self) -> None:
        """Gives the database back."""
        self._sessions.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def create_run(
        self,
        *,
        name: str,
        content_id: str,
        config: dict[str, Any],
        model: str,
        engine: str,
        engine_version: str,
        device: str,
        plan: dict[str, Any],
        status: str = "running",
    ) -> RunRecord:
        """A new run of the command line; `pending` until somebody works on it, or `running`."""
        row = TaskRow(
            name=name,
            content_id=content_id,
            config=config,
            config_version=2,
            model=model,
            engine=engine,
            engine_version=engine_version,
            device=device,
            plan=plan,
            status=status,
            stop_reason="",
            created_at=_now(),
            updated_at=_now(),
            ended_at=None,
            wall_s=0.0,
            lease=first_lease(),
        )
        with self._sessions.writing() as session:
            session.add(row)
            session.flush()
            return run_record(row)

    def find_run(self, content_id: str) -> RunRecord | None:
        """The newest run of a task with that content."""
        query = select(TaskRow).where(TaskRow.content_id == content_id).order_by(TaskRow.id.desc())
        with self._sessions.reading() as session:
            row = session.scalars(query.limit(1)).first()
            return None if row is None else run_record(row)

    def get_run(self, run_id: int) -> RunRecord | None:
        """The run of that number."""
        with self._sessions.reading() as session:
            row = session.get(TaskRow, run_id)
            return None if row is None else run_record(row)

    def runs(self) -> tuple[RunRecord, ...]:
        """All runs, newest first."""
        with self._sessions.reading() as session:
            rows = session.scalars(select(TaskRow).order_by(TaskRow.id.desc()))
            return tuple(map(run_record, rows))

    def end_run(self, run_id: int, *, status: str, reason: str, add_wall_s: float) -> None:
        """Takes unfinished experiments back, sets the status, tells of it: all or nothing."""
        with self._sessions.writing() as session:
            take_back(session, run_id)
            status = asked_for(session.get_one(TaskRow, run_id), status)
            session.execute(status_change(run_id, status, reason, add_wall_s))
            told = {"status": status, "reason": reason}
            session.add(EventRow(task_id=run_id, at=_now(), kind="run_ended", payload=told))

    def set_run_status(
        self, run_id: int, *, status: str, stop_reason: str, add_wall_s: float
    ) -> None:
        """Sets the status and adds to the wall time, in seconds."""
        with self._sessions.writing() as session:
            session.execute(status_change(run_id, status, stop_reason, add_wall_s))

    def update_plan(
        self,
        run_id: int,
        *,
        plan: dict[str, Any],
        config: dict[str, Any] | None = None,
        found: Mapping[str, str] | None = None,
    ) -> RunRecord:
        """Keeps the plan as it is now: words, SLO and budget may change between calls.

        Args:
            config: the task as it is written now; the one that is kept where left out.
            found: column -> what this machine says: `engine`, `engine_version`, `device`, `model`.

        Raises:
            StoreError: there is no run of that number.
        """
        with self._sessions.writing() as session:
            row = session.get(TaskRow, run_id)
            if row is None:
                raise StoreError(f"there is no run {run_id}")
            row.plan = plan
            row.config = row.config if config is None else config
            for name, value in (found or {}).items():
                setattr(row, name, value)
            row.revision += 1
            row.updated_at = _now()
            session.flush()
            return run_record(row)

    def begin_experiment(
        self,
        run_id: int,
        *,
        candidate_id: str,
        settings: dict[str, Any],
        command: str,
        selection_reason: str,
        phase: str,
        log_path: str,
    ) -> ExperimentRecord:
        """The experiment of a candidate, `running` from now on.

        One that was begun before and not finished is begun anew: what it had measured goes.

        Raises:
            StoreError: the candidate is finished in this run.
        """
        with self._sessions.writing() as session:
            query = select(ExperimentRow).where(
                ExperimentRow.task_id == run_id, ExperimentRow.candidate_id == candidate_id
            )
            earlier = session.scalars(query).first()
            if earlier is not None:
                if earlier.status in FINISHED:
                    raise StoreError(f"candidate {candidate_id} is finished in run {run_id}")
                session.delete(earlier)
                session.flush()
            newest = select(func.max(ExperimentRow.idx)).where(ExperimentRow.task_id == run_id)
            row = ExperimentRow(
                task_id=run_id,
                idx=(session.scalar(newest) or 0) + 1,
                candidate_id=candidate_id,
                settings=settings,
                command=command,
                status="running",
                selection_reason=selection_reason,
                phase=phase,
                log_path=log_path,
                began_s=0.0,
                started_at=_now(),
                measurements=[],
                predictions=[],
            )
            session.add(row)
            session.flush()
            return experiment_record(row)

    def add_measurement(
        self, experiment_id: int, measurement: Measurement, *, repeat: int = 0
    ) -> None:
        """Stores one load level."""
        row = MeasurementRow(
            experiment_id=experiment_id,
            concurrency=measurement.concurrency,
            repeat=repeat,
            valid=measurement.valid,
            tok_s=measurement.tok_s,
            ttft_ms=measurement.ttft_ms.mean if measurement.ttft_ms else None,
            tpot_ms=measurement.tpot_ms.mean if measurement.tpot_ms else None,
            payload=measurement.model_dump(mode="json"),
        )
        mine = (
            (MeasurementRow.experiment_id == experiment_id)
            & (MeasurementRow.repeat == repeat)
            & (MeasurementRow.concurrency == measurement.concurrency)
        )
        with self._sessions.writing() as session:
            kept = session.scalars(select(MeasurementRow.payload).where(mine)).first()
            if kept is None:
                session.add(row)
            elif kept != row.payload:
                raise StoreError(
                    f"level {measurement.concurrency} of experiment {experiment_id} is stored, "
                    "and says something else"
                )

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

    def finish_experiment(
        self,
        experiment_id: int,
        *,
        status: str,
        failure: tuple[str, str, str] | None,
        startup_s: float | None,
        measure_s: float | None,
        began_s: float = 0.0,
        cut_short: str | None = None,
        observations: Sequence[Observation] = (),
    ) -> None:
        """Ends a running experiment; `failure` is (kind, message, log tail).

        `began_s` says when it was launched, in seconds of the run.
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
            run_id = select(ExperimentRow.task_id).where(ExperimentRow.id == experiment_id)
            kept_observations.add(session, observations, session.scalar(run_id))

    def interrupt_running(self, run_id: int) -> int:
        """Takes unfinished experiments back, with what they had measured; returns how many."""
        with self._sessions.writing() as session:
            return take_back(session, run_id)

    def forget_interrupted(self, run_id: int) -> None:
        """Removes the experiments that were taken back: whoever goes on begins them anew."""
        with self._sessions.writing() as session:
            session.execute(
                delete(ExperimentRow).where(
                    ExperimentRow.task_id == run_id, ExperimentRow.status == "interrupted"
                )
            )

    def experiments(self, run_id: int) -> tuple[ExperimentRecord, ...]:
        """A run's experiments in the order of launch, with their measurements."""
        query = select(ExperimentRow).where(ExperimentRow.task_id == run_id)
        with self._sessions.reading() as session:
            return tuple(map(experiment_record, session.scalars(query.order_by(ExperimentRow.idx))))

    def experiment(self, experiment_id: int) -> ExperimentRecord | None:
        """The experiment of that number in the store, with its measurements."""
        with self._sessions.reading() as session:
            row = session.get(ExperimentRow, experiment_id)
            return None if row is None else experiment_record(row)

    def set_standings(self, standings: Mapping[int, Standing]) -> None:
        """Keeps where experiments (by their number in the store) stand among those of their run."""
        with self._sessions.writing() as session:
            for experiment_id, standing in standings.items():
                change = update(ExperimentRow).where(ExperimentRow.id == experiment_id)
                session.execute(change.values(**asdict(standing)))

    def add_observations(
        self, observations: Sequence[Observation], *, run_id: int | None = None
    ) -> int:
        """Stores those that are not there yet; returns how many these were."""
        with self._sessions.writing() as session:
            return kept_observations.add(session, observations, run_id)

    def observations(
        self,
        *,
        engine: str | None = None,
        device: str | None = None,
        model: str | None = None,
        run_id: int | None = None,
        until: int | None = None,
        trusted: bool = True,
    ) -> tuple[ObservationRecord, ...]:
        """What was measured beside a prediction, oldest first; None asks for any.

        Args:
            until: as `newest_observation` said at some moment: what is newer is left out.
            trusted: only those that may correct predictions; the others are kept to be looked at.
        """
        chosen = kept_observations.chosen(engine, device, model, run_id, until, trusted=trusted)
        with self._sessions.reading() as session:
            return kept_observations.found(session, chosen)

    def newest_observation(self) -> int:
        """The place of the newest observation; 0 where there is none."""
        with self._sessions.reading() as session:
            return kept_observations.newest(session)

    def forget_observations(self, ids: Sequence[str]) -> int:
        """Removes the observations of these ids; returns how many there were."""
        with self._sessions.writing() as session:
            return kept_observations.forget(session, ids)

    def add_event(self, run_id: int, kind: str, payload: dict[str, Any]) -> None:
        """Notes that something happened."""
        with self._sessions.writing() as session:
            session.add(EventRow(task_id=run_id, at=_now(), kind=kind, payload=payload))

    def events(self, run_id: int) -> tuple[EventRecord, ...]:
        """A run's events in order."""
        query = select(EventRow).where(EventRow.task_id == run_id).order_by(EventRow.id)
        with self._sessions.reading() as session:
            return tuple(EventRecord(r.at, r.kind, r.payload) for r in session.scalars(query))


def _now() -> datetime:
    return datetime.now(UTC)
