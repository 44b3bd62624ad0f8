"""Observations in the database: what was measured beside a prediction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, delete, func, literal, or_, select
from sqlalchemy.orm import Session

from autotuner.predict import Observation
from autotuner.store.records import ObservationRecord, observation_record, observation_row
from autotuner.store.schema import ObservationRow
from autotuner.store.sessions import Sessions, retried

_IDS_AT_ONCE = 500


@dataclass(frozen=True)
class About:
    """Subject that observations are asked about: each may be several.

    Attributes:
        besides_tool: whose measurements are left out.
        besides_task: the task whose own observations are left out.
        until: as `newest_observation` said at some moment: what is newer is left out.
    """

    models: tuple[str, ...]
    engines: tuple[str, ...]
    devices: tuple[str, ...]
    besides_tool: str | None = None
    besides_task: int | None = None
    until: int | None = None


class ObservationStore:
    """Adds, finds and removes observations; each call a transaction."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @retried
    def add_observations(
        self, observations: Sequence[Observation], *, task_id: int | None = None
    ) -> int:
        """Stores those that are not there yet; returns how many these were."""
        with self._sessions.writing() as session:
            return add_observations(session, observations, task_id)

    @retried
    def observations(
        self,
        *,
        engine: str | None = None,
        device: str | None = None,
        model: str | None = None,
        task_id: int | None = None,
        origin: str | None = None,
        until: int | None = None,
        trusted: bool = True,
    ) -> tuple[ObservationRecord, ...]:
        """Measurements beside predictions, oldest first; None asks for any.

        Args:
            origin: "" asks for those that were measured here.
            until: as `newest_observation` said at some moment: what is newer is left out.
            trusted: only those that may correct predictions; the others are kept to be looked at.
        """
        conditions = _conditions(engine, device, model, task_id, origin, until, trusted=trusted)
        query = select(ObservationRow).where(*conditions).order_by(ObservationRow.id)
        with self._sessions.reading() as session:
            return tuple(map(observation_record, session.scalars(query)))

    @retried
    def observations_about(self, about: About, *, most: int) -> tuple[ObservationRecord, ...]:
        """Observations that share a model or an engine with what is asked about, oldest first.

        Where there are more than `most`, those that share most, and of these the newest. Only
        those that may correct predictions.
        """
        with self._sessions.reading() as session:
            return _nearest(session, about, most=most)

    @retried
    def newest_observation(self) -> int:
        """The place of the newest observation; 0 where there is none."""
        with self._sessions.reading() as session:
            return session.scalar(select(func.max(ObservationRow.id))) or 0

    def forget_observations(self, ids: Sequence[str]) -> int:
        """Removes the observations of these ids; returns how many there were."""
        gone = 0
        with self._sessions.writing() as session:
            for some in _chunks(list(ids)):
                change = delete(ObservationRow).where(ObservationRow.digest.in_(some))
                gone += session.connection().execute(change).rowcount
        return gone


def add_observations(
    session: Session, observations: Sequence[Observation], task_id: int | None
) -> int:
    """Adds those that are not there yet, each once; returns how many."""
    rows = {row.digest: row for row in (observation_row(o, task_id) for o in observations)}
    for ids in _chunks(list(rows)):
        there = select(ObservationRow.digest).where(ObservationRow.digest.in_(ids))
        for digest in session.scalars(there):
            del rows[digest]
    session.add_all(rows.values())
    return len(rows)


def _conditions(
    engine: str | None,
    device: str | None,
    model: str | None,
    task_id: int | None,
    origin: str | None,
    until: int | None,
    *,
    trusted: bool = True,
) -> list[ColumnElement[bool]]:
    """The conditions of a question; None asks for any.

    Args:
        trusted: only those that may correct predictions.
    """
    asked = (
        (ObservationRow.engine, engine),
        (ObservationRow.device, device),
        (ObservationRow.model, model),
        (ObservationRow.task_id, task_id),
        (ObservationRow.origin, origin),
    )
    conditions = [column == value for column, value in asked if value is not None]
    if trusted:
        conditions.append(ObservationRow.not_trusted.is_(None))
    return conditions if until is None else [*conditions, ObservationRow.id <= until]


def _nearest(session: Session, about: About, *, most: int) -> tuple[ObservationRecord, ...]:
    same = {
        "model": ObservationRow.model.in_(about.models),
        "engine": ObservationRow.engine.in_(about.engines),
        "device": ObservationRow.device.in_(about.devices),
    }
    conditions = [or_(same["model"], same["engine"]), ObservationRow.not_trusted.is_(None)]
    if about.besides_tool is not None:
        conditions.append(ObservationRow.tool != about.besides_tool)
    if about.besides_task is not None:
        task = ObservationRow.task_id
        conditions.append(or_(task.is_(None), task != about.besides_task))
    if about.until is not None:
        conditions.append(ObservationRow.id <= about.until)
    # As calibration weighs them, which uses no more than some of the nearest.
    weights = (
        (and_(same["model"], same["engine"]), 4),
        (same["model"], 2),
        (and_(same["engine"], same["device"]), 2),
        (same["engine"], 1),
    )
    shared = sum((case((met, weight), else_=0) for met, weight in weights), literal(0))
    # Numbers alone are sorted: whole rows of a large store take five times as long.
    numbers = select(ObservationRow.id).where(*conditions)
    numbers = numbers.order_by(shared.desc(), ObservationRow.id.desc()).limit(most)
    query = select(ObservationRow).where(ObservationRow.id.in_(numbers.subquery().select()))
    return tuple(map(observation_record, session.scalars(query.order_by(ObservationRow.id))))


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for place in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[place : place + _IDS_AT_ONCE]
