"""What the store gives out: immutable copies, free of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from autotuner.measure import Measurement
from autotuner.predict import Observation, Prediction


@dataclass(frozen=True)
class RunRecord:
    """One run of a task. `wall_s` adds up over all calls that worked on it."""

    id: int
    name: str
    content_id: str
    config: dict[str, Any]
    model: str
    engine: str
    engine_version: str
    device: str
    plan: dict[str, Any]
    status: str
    stop_reason: str
    created_at: datetime
    ended_at: datetime | None
    wall_s: float

    @property
    def replay(self) -> bool:
        """Whether its experiments are recorded ones: nothing was launched."""
        return self.config.get("deployment_mode") == "replay"


@dataclass(frozen=True)
class Standing:
    """An experiment's representative operating point, as predicted and as measured.

    `throughput_tok_s` of the whole deployment; `latency_p90_ms` end to end.
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


@dataclass(frozen=True)
class TaskRecord:
    """A task on its way; see `store.queue`. Times are None until they come.

    Attributes:
        revision: grows with every change that a user can see.
        needs_gpu, needs_gpus: what a worker has to have; "" where any machine will do.
        worker: who works on it, or did last.
        lease, beat: see `store.queue`.
        wanted: what its worker is asked for: "", "cancel" or "pause".
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
    needs_gpu: str
    needs_gpus: int
    base: str | None
    v1_task_id: int | None
    worker: str | None
    lease: int
    beat: int
    wanted: str
    created_at: datetime
    updated_at: datetime | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    wall_s: float


@dataclass(frozen=True)
class ExperimentRecord:
    """One candidate launched; `index` counts from 1 in the order of launch.

    Attributes:
        base, calibrated: what was expected before the launch, by load level; none in runs of
            versions that did not predict.
        unpredicted: why nothing could be said.
        cut_short: why levels were left out that could not improve the frontier.
        began_s: when it was launched, in seconds of its run: of the time in which it was worked on.
        standing: where it stands among the run's, once it is finished.
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
    began_s: float = 0.0
    standing: Standing = Standing()


@dataclass(frozen=True)
class ObservationRecord:
    """An observation as it is kept; `run_id` is None where it was imported.

    `not_trusted` says why it corrects no prediction; None where it does.
    """

    id: str
    run_id: int | None
    observation: Observation
    not_trusted: str | None = None


@dataclass(frozen=True)
class EventRecord:
    """Something that happened in a run."""

    at: datetime
    kind: str
    payload: dict[str, Any]
