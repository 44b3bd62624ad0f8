"""A task of which each launch was predicted and measured: what a worker would have stored."""

from __future__ import annotations

from pathlib import Path

from autotuner.config import LoadLevel
from autotuner.measure import Measurement
from autotuner.measure.results import Distribution
from autotuner.predict import Prediction
from autotuner.store import Store

_LOAD = LoadLevel.concurrency(1)


def store_measured_task(home: Path, task_id: int, errors: list[tuple[float, float]]) -> None:
    """A launch of a task for each pair of errors, shares of what is measured.

    Args:
        errors: of the predictor alone, and as calibration had corrected it.
    """
    with Store.open(home) as store:
        lease = store.tasks.claim_this(task_id, "worker-1")
        assert lease is not None
        for launch, shares in enumerate(errors, 1):
            record = store.begin_experiment(
                task_id,
                candidate_id=f"c{launch}",
                settings={"misc.threads": launch, "system.backend": "llamacpp"},
                command=f"llama-server --threads {launch}",
                selection_reason="next",
                phase="grid",
                log_path="",
            )
            base, calibrated = (_prediction(f"c{launch}", share) for share in shares)
            store.add_predictions(record.id, base=[base], calibrated=[calibrated])
            store.add_measurement(record.id, _measurement())
            store.finish_experiment(
                record.id, status="completed", failure=None, startup_s=1.0, measure_s=2.0
            )
        store.tasks.release(lease, status="completed", reason="all launched")


def _measurement() -> Measurement:
    def at(mean: float) -> Distribution:
        return Distribution(
            count=8, mean=mean, std=1.0, min=mean, p50=mean, p90=mean, p95=mean, p99=mean, max=mean
        )

    return Measurement(
        load=_LOAD,
        duration_s=1.0,
        requests_completed=8,
        requests_failed=0,
        requests_short=0,
        ended_by="requests",
        valid=True,
        tok_s=100.0,
        requests_s=12.5,
        input_tokens=128,
        output_tokens=64,
        ttft_ms=at(5.0),
        tpot_ms=at(10.0),
        itl_ms=at(10.0),
        e2e_ms=at(75.0),
    )


def _prediction(candidate: str, error: float) -> Prediction:
    return Prediction(
        candidate_id=candidate,
        load=_LOAD,
        ttft_ms=5.0 * (1 + error),
        tpot_ms=10.0 * (1 + error),
        tok_s=100.0 / (1 + error),
        devices=1,
        osl=8.0,
        ttft_log_std=0.3,
        tpot_log_std=0.3,
        tok_s_log_std=0.3,
        source="made up",
    )
