"""Further launches of experiments: begun, and ended together with what they measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select, update

from autotuner.errors import StoreError
from autotuner.measure import Measurement
from autotuner.predict import Observation
from autotuner.store.observations import add_observations
from autotuner.store.records import RelaunchRecord, measurement_row, relaunch_record
from autotuner.store.schema import ExperimentRow, MeasurementRow, RelaunchRow
from autotuner.store.sessions import Sessions, retried

FIRST = 2
"""Number of the first relaunch: the experiment itself is launch 1."""


class RelaunchStore:
    """Begins and ends further launches. One that is interrupted leaves nothing behind but the
    seconds that were lost with its machine."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @retried
    def begin_relaunch(
        self, experiment_id: int, *, launch: int, selection_reason: str, log_path: str
    ) -> RelaunchRecord:
        """A further launch of a finished experiment, `running` from now on.

        Args:
            launch: 2 for the second launch of the candidate. The same call again is the same
                launch; one that was taken back goes on, with the seconds that were lost.

        Raises:
            StoreError: it has ended.
        """
        mine = (RelaunchRow.experiment_id == experiment_id) & (RelaunchRow.launch == launch)
        with self._sessions.writing() as session:
            row = session.scalars(select(RelaunchRow).where(mine)).first()
            if row is not None and row.status == "interrupted":
                row.status, row.log_path = "running", log_path
                row.selection_reason, row.started_at = selection_reason, datetime.now(UTC)
            elif row is not None and row.status != "running":
                raise StoreError(f"launch {launch} of experiment {experiment_id} has ended")
            if row is None:
                row = RelaunchRow(
                    experiment_id=experiment_id,
                    launch=launch,
                    status="running",
                    selection_reason=selection_reason,
                    log_path=log_path,
                    lost_s=0.0,
                    began_s=0.0,
                    started_at=datetime.now(UTC),
                )
                session.add(row)
                session.flush()
            return relaunch_record(row)

    @retried
    def take_relaunch_back(
        self, experiment_id: int, launch: int, *, lost_s: float, began_s: float
    ) -> None:
        """Takes a running relaunch back, to be made again.

        Args:
            lost_s: seconds that all launches of it took in vain.
            began_s: when the first of them began, in seconds of the task.
        """
        mine = (RelaunchRow.experiment_id == experiment_id) & (RelaunchRow.launch == launch)
        change = update(RelaunchRow).where(mine & (RelaunchRow.status == "running"))
        with self._sessions.writing() as session:
            session.execute(change.values(status="interrupted", lost_s=lost_s, began_s=began_s))

    @retried
    def finish_relaunch(
        self,
        experiment_id: int,
        launch: int,
        *,
        failure: tuple[str, str, str] | None,
        startup_s: float,
        measure_s: float,
        lost_s: float = 0.0,
        began_s: float,
        measured: Sequence[Measurement] = (),
        observations: Sequence[Observation] = (),
    ) -> None:
        """Ends a running relaunch; `failure` is (kind, message, log tail).

        Args:
            measured: becomes the experiment's, with the end of the launch or not at all; nothing
                of a launch that failed.
            observations: what calibration learns from it, stored in the same way.

        Raises:
            StoreError: it is not running, and has not ended just so.
        """
        kind, message, log_tail = failure or (None, None, None)
        end = {
            "status": "failed" if failure else "completed",
            "failure_kind": kind,
            "failure_message": message,
            "log_tail": log_tail,
            "startup_s": startup_s,
            "measure_s": measure_s,
            "lost_s": lost_s,
            "began_s": began_s,
        }
        mine = (RelaunchRow.experiment_id == experiment_id) & (RelaunchRow.launch == launch)
        running = mine & (RelaunchRow.status == "running")
        change = update(RelaunchRow).where(running).values(**end, ended_at=datetime.now(UTC))
        with self._sessions.writing() as session:
            if session.connection().execute(change).rowcount != 1:
                kept = session.scalars(select(RelaunchRow).where(mine)).first()
                if kept is None or any(getattr(kept, name) != end[name] for name in end):
                    raise StoreError(
                        f"launch {launch} of experiment {experiment_id} is not running"
                    )
                return
            last = select(func.max(MeasurementRow.repeat)).where(
                MeasurementRow.experiment_id == experiment_id
            )
            repeat = (session.scalar(last) or 0) + 1
            session.add_all(
                measurement_row(experiment_id, one, repeat + place)
                for place, one in enumerate(measured)
            )
            task_id = select(ExperimentRow.task_id).where(ExperimentRow.id == experiment_id)
            add_observations(session, observations, session.scalar(task_id))

    @retried
    def ended_relaunches(self, task_id: int) -> int:
        """How many further launches of a task have ended: each has changed an experiment."""
        query = (
            select(func.count())
            .select_from(RelaunchRow)
            .join(ExperimentRow, ExperimentRow.id == RelaunchRow.experiment_id)
            .where(ExperimentRow.task_id == task_id, RelaunchRow.status != "running")
        )
        with self._sessions.reading() as session:
            return session.scalar(query) or 0
