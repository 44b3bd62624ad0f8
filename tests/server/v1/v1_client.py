"""What tests ask of the API in v1's words."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from autotuner.config import LoadLevel
from autotuner.measure import Distribution, Measurement
from autotuner.server.service import Service

HOST = {"host": "localhost:80"}
"""What the address of a test client's socket is taken for."""
TASK: dict[str, Any] = {
    "task_name": "running",
    "deployment_mode": "local",
    "model": {"id_or_path": "smollm2-135m"},
    "base_runtime": "llamacpp",
    "parameters": {"max_num_seqs": ["1", "2"]},
    "optimization": {
        "strategy": "grid_search",
        "objective": "minimize_latency",
        "max_iterations": 5,
        "timeout_per_iteration": 120,
    },
    "benchmark": {
        "task": "text-to-text",
        "model_name": "smol",
        "traffic_scenarios": ["D(8,4)"],
        "num_concurrency": [1, 2],
        "max_time_per_iteration": 1,
        "max_requests_per_iteration": 4,
    },
}


def started(client: TestClient, **changes: Any) -> int:
    """The number of a task that was created and started."""
    made = client.post("/api/tasks/", json={**TASK, **changes})
    assert made.status_code == 201, made.text
    task_id = int(made.json()["id"])
    answer = client.post(f"/api/tasks/{task_id}/start")
    assert answer.status_code == 200, answer.text
    return task_id


class Hand:
    """A worker whose every step the test says."""

    def __init__(self, service: Service, v2_task_id: int) -> None:
        self._store = service.store
        self._task_id = v2_task_id
        self.log = service.logs / str(v2_task_id) / "c.log"

    def claims(self) -> None:
        """Takes the task."""
        assert self._store.tasks.claim("hand", gpu="cpu", gpus=1) is not None

    def begins(self, slots: int) -> int:
        """Launches a candidate."""
        return self._store.begin_experiment(
            self._task_id,
            candidate_id=f"c{slots}",
            settings={"system.backend": "llamacpp", "scheduling.max_running_requests": slots},
            command="llama-server",
            selection_reason="next in the grid",
            phase="grid",
            log_path=str(self.log),
        ).id

    def serves(self, index: int) -> None:
        """Finds the engine of an experiment ready."""
        self.says("engine_ready", index=index, startup_s=1.0)

    def says(self, kind: str, **payload: Any) -> None:
        """Notes what happens."""
        self._store.add_event(self._task_id, kind, payload)

    def measures(self, experiment_id: int, *, e2e_ms: float) -> None:
        """Measures one load level."""
        spread = Distribution(
            count=4,
            mean=e2e_ms,
            std=1.0,
            min=e2e_ms,
            p50=e2e_ms,
            p90=e2e_ms,
            p95=e2e_ms,
            p99=e2e_ms,
            max=e2e_ms,
        )
        level = Measurement(
            load=LoadLevel.concurrency(1),
            duration_s=1.0,
            requests_completed=4,
            requests_failed=0,
            requests_short=0,
            ended_by="requests",
            valid=True,
            tok_s=100.0,
            requests_s=4.0,
            input_tokens=32,
            output_tokens=16,
            ttft_ms=spread,
            tpot_ms=spread,
            e2e_ms=spread,
        )
        self._store.add_measurement(experiment_id, level)

    def ends_experiment(self, experiment_id: int) -> None:
        """Ends an experiment well."""
        self._store.finish_experiment(
            experiment_id, status="completed", failure=None, startup_s=1.0, measure_s=1.0
        )

    def ends(self, status: str = "completed") -> None:
        """Ends the run."""
        self._store.tasks.set_status(
            self._task_id, status=status, stop_reason="every candidate was launched", add_wall_s=2.0
        )
