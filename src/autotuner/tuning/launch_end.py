"""The end of a launch: why it failed, if it did, and what calibration learns from it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from autotuner.config import Candidate
from autotuner.engines import FailureKind
from autotuner.launch import Failure, RunningEngine
from autotuner.launch.local import SIGNALLED_S
from autotuner.launch.protocol import EndsLater
from autotuner.measure import Measurement
from autotuner.predict import Observation
from autotuner.tuning.forecast import Expected, Forecast
from autotuner.tuning.points import (
    fewest_requests,
    informative_levels,
    observations,
    operating_points,
)


async def until_signals_have_come(engine: RunningEngine, measured: Measurement) -> None:
    """Waits a moment where an engine has ended, or may have, before a level is stored; see
    `SIGNALLED_S`.

    Raises:
        LaunchLost: it ended for a reason that is not its own: the level says nothing of it.
    """
    if measured.errors or engine.exit_code() is not None:
        await asyncio.sleep(SIGNALLED_S)
        if isinstance(engine, EndsLater):
            await engine.until_known()
    if engine.exit_code() is not None:
        engine.diagnose()


def load_failure(engine: RunningEngine, measured: Sequence[Measurement]) -> Failure | None:
    """Why a launch failed under load; None where a level was measured.

    Args:
        measured: at least one level, in the order of measuring.
    """
    if engine.exit_code() is not None:
        return engine.diagnose()
    if any(measurement.valid for measurement in measured):
        return None
    errors = "; ".join(f"{n} x {text}" for text, n in measured[-1].errors.items())
    return Failure(
        FailureKind.LOAD_ERRORS,
        f"requests failed at every load level: {errors or 'no request was completed'}",
        engine.diagnose().log_tail,
    )


def kept(failure: Failure | None) -> tuple[str, str, str] | None:
    """A failure as the store keeps it: kind, message, log tail."""
    return None if failure is None else (failure.kind.value, failure.message, failure.log_tail)


def learnt(
    forecast: Forecast,
    candidate: Candidate,
    expected: Expected,
    measured: Sequence[Measurement],
    *,
    task_id: int,
    when_busy: bool,
) -> tuple[Observation, ...]:
    """Observations of a launch that succeeded, for calibration; none where none was predicted.

    Args:
        when_busy: whether levels count that others disturbed.
    """
    scenario = forecast.scenario(candidate.id)
    if scenario is None or not expected.base:
        return ()
    points = operating_points(
        candidate.id, informative_levels(measured, when_busy=when_busy), gpus=candidate.gpus
    )
    return observations(
        scenario,
        candidate,
        expected,
        points,
        requests=fewest_requests(measured),
        launch=uuid.uuid4().hex[:12],
        tool=measured[0].tool,
        source=f"task {task_id}",
        at=datetime.now(UTC),
    )
