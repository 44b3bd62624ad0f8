"""What calibration learns from a launch: its operating points beside the base's predictions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from autotuner.config import Candidate
from autotuner.measure import Measurement
from autotuner.predict import Observation, Scenario
from autotuner.search import OperatingPoint
from autotuner.tuning.forecast import Expected

FEWEST_REQUESTS = 3
"""A level of fewer completed requests says little; nothing is learnt from it."""


def telling(measured: Iterable[Measurement], *, when_busy: bool = False) -> list[Measurement]:
    """Levels that say something of the engine: enough requests; and unless `when_busy`, the load
    generator kept up, and others left the machine to it."""
    return [
        level
        for level in measured
        if level.requests_completed >= FEWEST_REQUESTS and (when_busy or not level.is_disturbed)
    ]


def observations(
    scenario: Scenario,
    candidate: Candidate,
    expected: Expected,
    measured: Iterable[OperatingPoint],
    *,
    launch: str,
    tool: str,
    source: str,
    at: datetime,
) -> tuple[Observation, ...]:
    """One for each measured level that the base predictor spoke of.

    Args:
        launch: a name that no other engine start has, here or elsewhere.
    """
    base = {point.concurrency: point for point in expected.base}
    return tuple(
        Observation(
            model=scenario.model,
            family=scenario.facts.architecture,
            engine=scenario.engine,
            engine_version=scenario.engine_version,
            device=scenario.device,
            devices=predicted.devices,
            settings=candidate.settings(),
            isl=scenario.isl,
            osl=scenario.osl,
            concurrency=point.concurrency,
            ttft_ms=point.ttft_ms,
            tpot_ms=point.tpot_ms,
            tok_s=point.tok_s,
            base=expected.predictor,
            base_ttft_ms=predicted.ttft_ms,
            base_tpot_ms=predicted.tpot_ms,
            launch=launch,
            tool=tool,
            source=source,
            at=at,
        )
        for point in measured
        if (predicted := base.get(point.concurrency)) is not None
    )
