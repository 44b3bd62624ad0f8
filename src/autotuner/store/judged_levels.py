"""Load levels of all tasks that were predicted and then measured, for accuracy over many tasks."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, not_, or_, select

from autotuner.config import LoadKind, LoadLevel
from autotuner.store.schema import ExperimentRow, MeasurementRow, PredictionRow, TaskRow
from autotuner.store.sessions import Sessions

_BACKEND, _GPU = (ExperimentRow.settings[name] for name in ("system.backend", "system.gpu_type"))
_PLACES: dict[str, ColumnElement[str]] = {
    "engine": func.coalesce(_BACKEND.as_string(), TaskRow.engine),
    "system": func.coalesce(_GPU.as_string(), TaskRow.device),
    "model": func.coalesce(TaskRow.model, ""),
}
PLACES = tuple(_PLACES)
"""Names by which levels can be chosen."""
_METRICS = ("ttft_ms", "tpot_ms", "tok_s")
_SATURATED = func.coalesce(MeasurementRow.payload["saturated"].as_boolean(), False)
_DISTURBED = or_(
    *(
        func.coalesce(MeasurementRow.payload[path].as_boolean(), False)
        for path in ("client_bottleneck", ("machine", "busy"))
    )
)
"""`Measurement.is_disturbed`."""
_OF_PREDICTION = (
    *(PredictionRow.kind, PredictionRow.load_kind, PredictionRow.load_value, PredictionRow.source),
    *(PredictionRow.ttft_ms, PredictionRow.tpot_ms, PredictionRow.tok_s),
    *(PredictionRow.ttft_log_std, PredictionRow.tpot_log_std, PredictionRow.tok_s_log_std),
)
_OF_MEASUREMENT = tuple(
    getattr(MeasurementRow, name).label(f"measured_{name}") for name in _METRICS
)


_LEVEL = (ExperimentRow.id, PredictionRow.load_kind, PredictionRow.load_value)


@dataclass(frozen=True)
class PredictedFigures:
    """A prediction of a level: metric -> value, and metric -> standard deviation of its
    logarithm."""

    source: str
    values: dict[str, float | None]
    log_stds: dict[str, float]


@dataclass(frozen=True)
class JudgedLevel:
    """A measured level with what was predicted of it before its launch.

    Attributes:
        launches_before: of its task, failed ones included.
        measured: metric -> median over repeats; None where it has none.
        base, calibrated: the predictor's own, and what earlier measurements made of it.
    """

    task_id: int
    launches_before: int
    engine: str
    system: str
    model: str
    load: LoadLevel
    measured: dict[str, float | None]
    base: PredictedFigures | None
    calibrated: PredictedFigures | None


@dataclass(frozen=True)
class JudgedLevels:
    """Levels that were predicted and measured.

    Attributes:
        levels: the newest ones.
        is_whole: whether these are all.
        replayed: levels left out because a table was replayed, which measures nothing; counted
            up to as many as rows are read.
        disturbed: levels left out because others used the machine meanwhile, or the load generator
            was late, in every repeat; counted up to as many.
    """

    levels: tuple[JudgedLevel, ...]
    is_whole: bool
    replayed: int
    disturbed: int


def judged_levels(sessions: Sessions, *, chosen: dict[str, str], most: int) -> JudgedLevels:
    """The newest levels of launches that measured something.

    Args:
        chosen: name of `PLACES` -> the value that it must have.
        most: rows read; of a level there are one for each prediction and repeat.
    """
    with sessions.reading() as session:
        rows = session.execute(_query(chosen).limit(most + 1)).all()
        replayed = session.scalar(_count_of_replayed(chosen, most)) or 0
        disturbed = session.scalar(_count_of_disturbed(chosen, most)) or 0
    levels = [list(group) for _, group in itertools.groupby(rows, key=_level_of)]
    if len(rows) > most:
        # The last one may lack rows.
        levels.pop()
    return JudgedLevels(tuple(map(_level, levels)), len(rows) <= most, replayed, disturbed)


def known_places(sessions: Sessions, *, most: int = 10_000) -> dict[str, list[str]]:
    """Name of `PLACES` -> every value that a launch which succeeded has."""
    query = (
        select(*(column.label(name) for name, column in _PLACES.items()))
        .select_from(ExperimentRow)
        .join(TaskRow, TaskRow.id == ExperimentRow.task_id)
        .where(ExperimentRow.status == "completed", TaskRow.is_replay.is_(False))
        .distinct()
        .limit(most)
    )
    with sessions.reading() as session:
        rows = session.execute(query).all()
    return {name: sorted({getattr(row, name) for row in rows}) for name in PLACES}


def _query(chosen: dict[str, str]) -> Select[*tuple[Any, ...]]:
    asked = select(
        ExperimentRow.id.label("experiment_id"),
        ExperimentRow.task_id,
        ExperimentRow.idx,
        *(column.label(name) for name, column in _PLACES.items()),
        *_OF_PREDICTION,
        *_OF_MEASUREMENT,
    )
    return (
        _judged(asked, chosen)
        .where(TaskRow.is_replay.is_(False), not_(_DISTURBED))
        .order_by(
            ExperimentRow.id.desc(),
            PredictionRow.load_kind,
            PredictionRow.load_value,
            PredictionRow.kind,
            MeasurementRow.repeat,
        )
    )


def _count_of_replayed(chosen: dict[str, str], most: int) -> Select[int]:
    found = _judged(select(*_LEVEL), chosen).where(TaskRow.is_replay).distinct()
    return select(func.count()).select_from(found.limit(most).subquery())


def _count_of_disturbed(chosen: dict[str, str], most: int) -> Select[int]:
    found = (
        _judged(select(*_LEVEL), chosen)
        .where(TaskRow.is_replay.is_(False))
        .group_by(*_LEVEL)
        .having(func.min(case((_DISTURBED, 1), else_=0)) == 1)
    )
    return select(func.count()).select_from(found.limit(most).subquery())


def _judged(asked: Select[*tuple[Any, ...]], chosen: dict[str, str]) -> Select[*tuple[Any, ...]]:
    """The question over predictions of completed launches, each with its measurements."""
    measured = and_(
        MeasurementRow.experiment_id == PredictionRow.experiment_id,
        MeasurementRow.load_kind == PredictionRow.load_kind,
        MeasurementRow.load_value == PredictionRow.load_value,
        MeasurementRow.valid,
        _SATURATED.is_(False),
    )
    return (
        asked.select_from(ExperimentRow)
        .join(TaskRow, TaskRow.id == ExperimentRow.task_id)
        .join(PredictionRow, PredictionRow.experiment_id == ExperimentRow.id)
        .join(MeasurementRow, measured)
        .where(
            ExperimentRow.status == "completed",
            *(_PLACES[name] == value for name, value in chosen.items()),
        )
    )


_level_of = attrgetter("experiment_id", "load_kind", "load_value")


def _level(rows: Sequence[Row[Any]]) -> JudgedLevel:
    first = rows[0]
    of_kind = {row.kind: row for row in reversed(rows)}
    repeats = [row for row in rows if row.kind == first.kind]
    return JudgedLevel(
        task_id=first.task_id,
        launches_before=first.idx - 1,
        **{name: getattr(first, name) for name in PLACES},
        load=LoadLevel(kind=LoadKind(first.load_kind), value=first.load_value),
        measured={name: _median(getattr(row, f"measured_{name}") for row in repeats)
                  for name in _METRICS},
        base=_figures(of_kind.get("base")),
        calibrated=_figures(of_kind.get("calibrated")),
    )  # fmt: skip


def _median(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _figures(row: Row[Any] | None) -> PredictedFigures | None:
    if row is None:
        return None
    return PredictedFigures(
        row.source,
        {name: getattr(row, name) for name in _METRICS},
        {
            "ttft_ms": row.ttft_log_std,
            "tpot_ms": row.tpot_log_std,
            "tok_s": row.tok_s_log_std,
        },
    )
