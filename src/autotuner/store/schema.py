"""The tables. JSON columns hold validated documents; other columns are what one filters by.

The predecessor's are in `v1_schema`; ours that would have had the same name end in `_v2`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from autotuner.store.utc_datetime import UtcDateTime

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


_NUMBERED = {"sqlite_autoincrement": True}
"""A number that was given to a row is never given again, also when the row is gone."""


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON, datetime: UtcDateTime}  # noqa: RUF012


class TaskRow(Base):
    """A task: its document, its state, and who works on it."""

    __tablename__ = "tasks_v2"
    __table_args__ = (
        Index("ix_tasks_v2_created_at", "created_at", "id"),
        Index("ix_tasks_v2_updated_at", text("coalesce(updated_at, created_at)"), "id"),
        Index("ix_tasks_v2_name", "name", "id"),
        Index("ix_tasks_v2_status_id", "status", "id"),
        Index("ix_tasks_v2_status_created_at", "status", "created_at", "id"),
        _NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    content_id: Mapped[str] = mapped_column(String(64), index=True)
    config: Mapped[dict[str, Any]]
    config_version: Mapped[int]
    model: Mapped[str]
    engine: Mapped[str]
    engine_version: Mapped[str]
    device: Mapped[str]
    plan: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(20), index=True)
    stop_reason: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    wall_s: Mapped[float]
    description: Mapped[str] = mapped_column(server_default="")
    origin: Mapped[str] = mapped_column(String(20), server_default="cli")
    base: Mapped[str | None]
    revision: Mapped[int] = mapped_column(server_default="1")
    requested_gpu: Mapped[str] = mapped_column(String(40), server_default="")
    requested_gpus: Mapped[int] = mapped_column(server_default="0")
    updated_at: Mapped[datetime | None]
    queued_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    worker: Mapped[str | None] = mapped_column(String(40))
    lease: Mapped[int] = mapped_column(server_default="0")
    heartbeat: Mapped[int] = mapped_column(server_default="0")
    requested_action: Mapped[str] = mapped_column(String(20), server_default="")
    v1_task_id: Mapped[int | None] = mapped_column(index=True)
    is_replay: Mapped[bool] = mapped_column(server_default=false())
    launches: Mapped[int | None]
    """Most launches that there will be; with `is_replay` from the documents, for lists."""
    best: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The point recommended so far; None until one is measured."""
    expected_wall_s: Mapped[float | None]
    """Seconds of work that the task takes at the most; None while nothing tells."""


class _Launch:
    """Columns of an engine start."""

    status: Mapped[str] = mapped_column(String(20))
    selection_reason: Mapped[str]
    log_path: Mapped[str]
    failure_kind: Mapped[str | None] = mapped_column(String(40))
    failure_message: Mapped[str | None]
    log_tail: Mapped[str | None]
    startup_s: Mapped[float | None]
    measure_s: Mapped[float | None]
    lost_s: Mapped[float] = mapped_column(server_default="0")
    """Seconds that launches of it took in vain, because their machine was lost."""
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    began_s: Mapped[float] = mapped_column(server_default="0")


class ExperimentRow(_Launch, Base):
    """One candidate launched.

    `predicted_*` and `actual_*` are of its representative operating point: see
    `tuning.representative`.
    """

    __tablename__ = "experiments_v2"
    __table_args__ = (
        UniqueConstraint("task_id", "candidate_id"),
        Index("ix_experiments_v2_standing", "task_id", "status", "actual_throughput_tok_s"),
        _NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks_v2.id", ondelete="CASCADE"))
    idx: Mapped[int]
    candidate_id: Mapped[str] = mapped_column(String(64))
    settings: Mapped[dict[str, Any]]
    command: Mapped[str]
    phase: Mapped[str] = mapped_column(String(40))
    unpredicted: Mapped[str | None]
    cut_short: Mapped[str | None]
    predicted_throughput_tok_s: Mapped[float | None]
    predicted_ttft_ms: Mapped[float | None]
    predicted_tpot_ms: Mapped[float | None]
    predicted_latency_p90_ms: Mapped[float | None]
    actual_throughput_tok_s: Mapped[float | None]
    actual_ttft_ms: Mapped[float | None]
    actual_tpot_ms: Mapped[float | None]
    actual_latency_p90_ms: Mapped[float | None]
    is_on_predicted_frontier: Mapped[bool] = mapped_column(server_default=false())
    is_on_actual_frontier: Mapped[bool] = mapped_column(server_default=false())
    frontier_points: Mapped[int] = mapped_column(server_default="0")
    measurements: Mapped[list[MeasurementRow]] = relationship(
        cascade="all, delete-orphan", order_by="MeasurementRow.id", lazy="selectin"
    )
    predictions: Mapped[list[PredictionRow]] = relationship(
        cascade="all, delete-orphan", order_by="PredictionRow.id", lazy="selectin"
    )
    relaunches: Mapped[list[RelaunchRow]] = relationship(
        cascade="all, delete-orphan", order_by="RelaunchRow.launch", lazy="selectin"
    )


class RelaunchRow(_Launch, Base):
    """A further launch of an experiment's candidate, to see how much its figures scatter.

    What it measured is among the experiment's measurements once it is completed, marked with the
    number of its `launch`: 2 for the second one.
    """

    __tablename__ = "relaunches"
    __table_args__ = (UniqueConstraint("experiment_id", "launch"), _NUMBERED)

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments_v2.id", ondelete="CASCADE"))
    launch: Mapped[int]


class MeasurementRow(Base):
    """One load level of an experiment. `payload` is the whole `Measurement`."""

    __tablename__ = "measurements"
    __table_args__ = (
        UniqueConstraint("experiment_id", "repeat", "load_kind", "load_value"),
        _NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments_v2.id", ondelete="CASCADE"))
    load_kind: Mapped[str] = mapped_column(String(20))
    load_value: Mapped[float]
    repeat: Mapped[int]
    valid: Mapped[bool]
    tok_s: Mapped[float]
    ttft_ms: Mapped[float | None]
    tpot_ms: Mapped[float | None]
    payload: Mapped[dict[str, Any]]


class PredictionRow(Base):
    """Expectation of an experiment at one load level before it was launched.

    `kind` is `base` (what the predictor said) or `calibrated` (corrected by observations).
    """

    __tablename__ = "predictions"
    __table_args__ = (
        UniqueConstraint("experiment_id", "kind", "load_kind", "load_value"),
        _NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments_v2.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    load_kind: Mapped[str] = mapped_column(String(20))
    load_value: Mapped[float]
    devices: Mapped[int]
    osl: Mapped[float]
    ttft_ms: Mapped[float]
    tpot_ms: Mapped[float | None]
    tok_s: Mapped[float]
    ttft_log_std: Mapped[float]
    tpot_log_std: Mapped[float]
    tok_s_log_std: Mapped[float]
    source: Mapped[str]
    memory_gib: Mapped[float | None]
    power_w: Mapped[float | None]
    note: Mapped[str]
    percentiles: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """Those that are predicted, in ms, and what they stand on."""


class PredictedFrontierRow(Base):
    """Predicted frontier of a task's whole space; see `store.predicted_frontiers`."""

    __tablename__ = "predicted_frontiers"

    task_id: Mapped[int] = mapped_column(
        ForeignKey("tasks_v2.id", ondelete="CASCADE"), primary_key=True
    )
    document: Mapped[dict[str, Any]]


class ObservationRow(Base):
    """A measured operating point; `digest` is a hash of what was seen."""

    __tablename__ = "observations"
    __table_args__ = _NUMBERED

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(16), unique=True)
    task_id: Mapped[int | None] = mapped_column(
        ForeignKey("tasks_v2.id", ondelete="SET NULL"), index=True
    )
    model: Mapped[str] = mapped_column(index=True)
    family: Mapped[str | None]
    engine: Mapped[str] = mapped_column(index=True)
    engine_version: Mapped[str | None]
    device: Mapped[str] = mapped_column(index=True)
    devices: Mapped[int]
    settings: Mapped[dict[str, Any]]
    isl: Mapped[float]
    osl: Mapped[float]
    load_kind: Mapped[str] = mapped_column(String(20))
    load_value: Mapped[float]
    ttft_ms: Mapped[float]
    tpot_ms: Mapped[float | None]
    tok_s: Mapped[float]
    base: Mapped[str]
    base_ttft_ms: Mapped[float]
    base_tpot_ms: Mapped[float | None]
    percentiles: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """Those that enough requests tell, in ms."""
    launch: Mapped[str]
    tool: Mapped[str]
    source: Mapped[str]
    at: Mapped[datetime | None]
    not_trusted: Mapped[str | None] = mapped_column(Text)
    """Why it corrects no prediction; None where it does."""
    origin: Mapped[str] = mapped_column(String(60), server_default="")
    licence: Mapped[str] = mapped_column(String(200), server_default="")
    members: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class EventRow(Base):
    """Something that happened in a task, which may be gone: the last event says so."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_at", "at"),
        Index("ix_events_task_id_kind", "task_id", "kind"),
        _NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(index=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]]


class WorkerRow(Base):
    """A process that runs tasks. `devices` are what it may use, "cpu" or indices of GPUs.

    `host` and `boot` name the machine since it was last started; `pid` and `pid_started` (clock
    ticks after that) the process. `usage` says how busy the machine was at the newest heartbeat.
    """

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    host: Mapped[str] = mapped_column(String(200))
    boot: Mapped[str] = mapped_column(String(64))
    pid: Mapped[int]
    pid_started: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[str] = mapped_column(String(40))
    gpu: Mapped[str] = mapped_column(String(40))
    devices: Mapped[list[str]]
    status: Mapped[str] = mapped_column(String(20), index=True)
    heartbeat: Mapped[int]
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class EngineHandleRow(Base):
    """An engine that a worker has started, until it is known to be gone; see `EngineHandle`."""

    __tablename__ = "engine_handles"
    __table_args__ = _NUMBERED

    id: Mapped[int] = mapped_column(primary_key=True)
    worker: Mapped[str] = mapped_column(String(40), index=True)
    task_id: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(40))
    handle: Mapped[str] = mapped_column(String(500))
    host: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime]


class TokenRow(Base):
    """A token of the API; only its SHA-256 is kept."""

    __tablename__ = "tokens"
    __table_args__ = _NUMBERED

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    scope: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class BrowserSessionRow(Base):
    """A browser that is signed in with a token; only the SHA-256 of its secret is kept."""

    __tablename__ = "browser_sessions"
    __table_args__ = _NUMBERED

    id: Mapped[int] = mapped_column(primary_key=True)
    token_id: Mapped[int] = mapped_column(ForeignKey("tokens.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ProfileRow(Base):
    """A profile that a user keeps in the service."""

    __tablename__ = "profiles"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    document: Mapped[dict[str, Any]]
    revision: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class IdempotencyRow(Base):
    """The answer that a request with an Idempotency-Key was given; `scope` tells who asked what.

    `fingerprint` is a SHA-256 of the request's body. An answer of None is still being made.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    scope: Mapped[str] = mapped_column(String(300), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    answer: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
