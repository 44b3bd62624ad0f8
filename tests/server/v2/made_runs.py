"""Tasks that have run, made by hand: what workers would have stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi.testclient import TestClient

from autotuner.config import LoadLevel
from autotuner.measure import Measurement
from autotuner.measure.results import Distribution
from autotuner.predict import Prediction
from autotuner.server.service import Service
from autotuner.store import Lease, Standing

DOCUMENT: dict[str, Any] = {
    "version": 2,
    "name": "first",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 32, "osl": 8},
    "misc": {"threads": [1, 2, 3]},
    "benchmark": {"concurrency": [1, 4]},
}
PLAN: dict[str, Any] = {
    "candidates": 3,
    "combinations": 4,
    "excluded": {"too large": 1},
    "axes": {"misc.threads": [1, 2, 3]},
    "usd_per_gpu_hour": None,
    "strategy": "grid",
    "strategy_reason": "all of them",
}


def created(client: TestClient, **changes: Any) -> int:
    """The number of a new task."""
    answer = client.post("/api/v2/tasks/", json={**DOCUMENT, **changes})
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["id"]
    return number


def claimed(service: Service, task_id: int) -> Lease:
    """The task, running on a worker."""
    lease = service.store.tasks.claim_this(task_id, "worker-1")
    assert lease is not None
    return lease


def brought_to(service: Service, client: TestClient, status: str) -> int:
    """The number of a new task in that state."""
    task_id = created(client)
    if status == "pending":
        return task_id
    if status == "queued":
        client.post(f"/api/v2/tasks/{task_id}/start")
        return task_id
    lease = claimed(service, task_id)
    if status != "running":
        service.store.tasks.release(lease, status=status, reason="for a test")
    return task_id


def run(
    service: Service,
    task_id: int,
    *,
    log: str = "one\ntwo\nthree\n",
    words: str = "",
    **config: Any,
) -> None:
    """Three experiments of a task, the third of which fails; the task is then completed.

    Args:
        words: after the program of each command.
        config: of the task as it is stored, beside its own.
    """
    lease = claimed(service, task_id)
    store = service.store.fenced(task_id, lease.number)
    store.tasks.update_plan(task_id, config=lease.task.config | config, plan=PLAN)
    for threads in (1, 2, 3):
        path = service.logs / str(task_id) / f"c{threads}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(log)
        begin(service, task_id, threads, log_path=str(path), words=words)
        finish(service, task_id, threads, failed=threads == 3)
    service.store.tasks.release(lease, status="completed", reason="all launched")


def begin(
    service: Service, task_id: int, threads: int, *, log_path: str = "", words: str = ""
) -> int:
    """An experiment that has begun; its number in the store."""
    record = service.store.begin_experiment(
        task_id,
        candidate_id=f"c{threads}",
        settings={"misc.threads": threads, "system.backend": "llamacpp"},
        command=f"llama-server {words}--host 127.0.0.1 --port 81 --alias m --threads {threads}",
        selection_reason="next",
        phase="grid",
        log_path=log_path,
    )
    return record.id


def finish(service: Service, task_id: int, threads: int, *, failed: bool = False) -> None:
    """Measures and ends an experiment that has begun."""
    store = service.store
    record = next(e for e in store.experiments(task_id) if e.candidate_id == f"c{threads}")
    for concurrency in (1, 4):
        store.add_measurement(record.id, measurement(concurrency, 10.0 * threads * concurrency))
    store.add_predictions(
        record.id, base=[prediction(f"c{threads}", c, 12.0 * threads * c) for c in (1, 4)]
    )
    failure = ("out_of_memory", "no room", "the log's end") if failed else None
    store.finish_experiment(
        record.id,
        status="failed" if failed else "completed",
        failure=failure,
        startup_s=1.0,
        measure_s=2.0,
    )
    standing = Standing(actual_throughput_tok_s=40.0 * threads, predicted_throughput_tok_s=48.0)
    if not failed:
        store.set_standings({record.id: replace(standing, is_on_actual_frontier=True)})


def measurement(concurrency: int, tok_s: float) -> Measurement:
    """A valid level."""

    def around(mean: float) -> Distribution:
        return Distribution(
            count=8,
            mean=mean,
            std=1.0,
            min=mean,
            p50=mean,
            p90=mean,
            p95=mean,
            p99=mean,
            max=mean,
        )

    tpot_ms = 1000 * concurrency / tok_s
    return Measurement(
        load=LoadLevel.concurrency(concurrency),
        duration_s=1.0,
        requests_completed=8,
        requests_failed=0,
        requests_short=0,
        ended_by="requests",
        valid=True,
        tok_s=tok_s,
        requests_s=tok_s / 8,
        input_tokens=256,
        output_tokens=64,
        ttft_ms=around(5.0 * concurrency),
        tpot_ms=around(tpot_ms),
        itl_ms=around(tpot_ms),
        e2e_ms=around(5.0 * concurrency + 7 * tpot_ms),
    )


def prediction(candidate_id: str, concurrency: int, tok_s: float) -> Prediction:
    """What is expected of a level."""
    return Prediction(
        candidate_id=candidate_id,
        load=LoadLevel.concurrency(concurrency),
        ttft_ms=6.0 * concurrency,
        tpot_ms=1000 * concurrency / tok_s,
        tok_s=tok_s,
        devices=1,
        osl=8.0,
        ttft_log_std=0.3,
        tpot_log_std=0.3,
        tok_s_log_std=0.3,
        source="made up",
    )
