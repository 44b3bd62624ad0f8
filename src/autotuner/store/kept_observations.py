"""Observations in the database; each function works in the session of its caller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, delete, func, literal, or_, select
from sqlalchemy.orm import Session

from autotuner.predict import Observation
from autotuner.store.records import ObservationRecord
from autotuner.store.rows import observation_record, observation_row
from autotuner.store.schema import ObservationRow

_IDS_AT_ONCE = 500


def add(session: Session, observations: Sequence[Observation], run_id: int | None) -> int:
    """Adds those that are not there yet, each once; returns how many."""
    rows = {row.digest: row for row in (observation_row(o, run_id) for o in observations)}
    for ids in _chunks(list(rows)):
        there = select(ObservationRow.digest).where(ObservationRow.digest.in_(ids))
        for digest in session.scalars(there):
            del rows[digest]
    session.add_all(rows.values())
    return len(rows)


def chosen(
    engine: str | None,
    device: str | None,
    model: str | None,
    run_id: int | None,
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
        (ObservationRow.task_id, run_id),
    )
    chosen = [column == value for column, value in asked if value is not None]
    if trusted:
        chosen.append(ObservationRow.not_trusted.is_(None))
    return chosen if until is None else [*chosen, ObservationRow.id <= until]


def newest(session: Session) -> int:
    """The place of the newest observation; 0 where there is none."""
    return session.scalar(select(func.max(ObservationRow.id))) or 0


def found(
    session: Session, conditions: Sequence[ColumnElement[bool]]
) -> tuple[ObservationRecord, ...]:
    """The observations that meet all conditions, oldest first."""
    query = select(ObservationRow).where(*conditions).order_by(ObservationRow.id)
    return tuple(map(observation_record, session.scalars(query)))


@dataclass(frozen=True)
class About:
    """What somebody wants to learn of: each may be several.

    Attributes:
        besides_tool: whose measurements are left out.
        besides_run: the run whose own observations are left out.
        until: as `newest_observation` said at some moment: what is newer is left out.
    """

    models: tuple[str, ...]
    engines: tuple[str, ...]
    devices: tuple[str, ...]
    besides_tool: str | None = None
    besides_run: int | None = None
    until: int | None = None


def nearest(session: Session, about: About, *, most: int) -> tuple[ObservationRecord, ...]:
    """Observations that share a model or an engine with what is asked about, oldest first.

    Where there are more than `most`, those that share most, and of these the newest. Only those
    that may correct predictions.
    """
    same = {
        "model": ObservationRow.model.in_(about.models),
        "engine": ObservationRow.engine.in_(about.engines),
        "device": ObservationRow.device.in_(about.devices),
    }
    conditions = [or_(same["model"], same["engine"]), ObservationRow.not_trusted.is_(None)]
    if about.besides_tool is not None:
        conditions.append(ObservationRow.tool != about.besides_tool)
    if about.besides_run is not None:
        run = ObservationRow.task_id
        conditions.append(or_(run.is_(None), run != about.besides_run))
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
    query = select(ObservationRow).where(*conditions)
    query = query.order_by(shared.desc(), ObservationRow.id.desc()).limit(most)
    rows = sorted(session.scalars(query), key=lambda row: row.id)
    return tuple(map(observation_record, rows))


def forget(session: Session, ids: Sequence[str]) -> int:
    """Removes observations; returns how many there were."""
    gone = 0
    for some in _chunks(list(ids)):
        change = delete(ObservationRow).where(ObservationRow.digest.in_(some))
        gone += session.connection().execute(change).rowcount
    return gone


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for place in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[place : place + _IDS_AT_ONCE]
