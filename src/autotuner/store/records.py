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
class ExperimentRecord:
    """One candidate launched; `index` counts from 1 in the order of launch.

    Attributes:
        base, calibrated: what was expected before the launch, by load level; none in runs of
            versions that did not predict.
        unpredicted: why nothing could be said.
        cut_short: why levels were left out that could not improve the frontier.
        began_s: when it was launched, in seconds of its run: of the time in which it was worked on.
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


@dataclass(frozen=True)
class ObservationRecord:
    """An observation as it is kept; `run_id` is None where it was imported."""

    id: str
    run_id: int | None
    observation: Observation


@dataclass(frozen=True)
class EventRecord:
    """Something that happened in a run."""

    at: datetime
    kind: str
    payload: dict[str, Any]
