"""The seam between the loop and whatever makes load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from autotuner.config import LengthDistribution
from autotuner.measure.results import Measurement


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible streaming completions endpoint."""

    base_url: str
    model_name: str
    api_path: str = "/v1/completions"


@dataclass(frozen=True)
class LevelPlan:
    """One load level to run.

    First a warm-up: `concurrency` requests are kept in flight until `warmup_requests` of them are
    completed. Requests started from then on are measured, and others keep the load up until the
    last measured one ends, so that each of them meets the full concurrency.

    A level ends on `requests` completed or on `duration_s` after the warm-up. Where `ci_width` is
    given it may end earlier: when, at one of the checkpoints of `measure.stopping`, the 95 %
    interval of both mean TTFT and mean E2E latency is narrower than `ci_width` times the mean on
    either side, and no limit of `slo_ms` lies inside the interval of its quantity. It then admits
    requests up to the next checkpoint, and counts all that it has admitted.

    Attributes:
        warmup_requests: completed before the clock starts; not counted.
        slo_ms: limits of `ttft_ms`, `tpot_ms` (means) and `e2e_p90_ms`.
        min_requests: fewest before the first checkpoint.
        seed: makes request lengths and prompts reproducible; prompts are unique within a seed.
    """

    lengths: LengthDistribution
    concurrency: int
    requests: int
    duration_s: float
    warmup_requests: int
    ci_width: float | None = None
    slo_ms: tuple[tuple[str, float], ...] = ()
    min_requests: int = 32
    request_timeout_s: float = 120.0
    seed: int = 0


class LoadGenerator(Protocol):
    """Runs one load level against an endpoint and measures it.

    Example:
        measurement = await generator.run(endpoint, plan, engine_alive=lambda: True)
    """

    async def run(
        self,
        endpoint: Endpoint,
        plan: LevelPlan,
        *,
        engine_alive: Callable[[], bool],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Measurement:
        """Runs the level; `on_progress(completed, wanted)` is called as requests end.

        A level whose engine dies (`engine_alive()` turns False) ends at once, with the requests
        in flight counted as failed. Never raises for what the endpoint does.
        """
