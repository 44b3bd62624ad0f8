"""A Docker task as v1's clients post it, on a real daemon: created, started, run to its end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from v1_client import started

from autotuner.launch.container_spec import LABEL
from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store
from own_docker import IMAGE, OwnDocker

pytestmark = pytest.mark.slow
WAIT_S = 120.0
TAG = "v0.9.1"
OF_V1: dict[str, Any] = {
    "deployment_mode": "docker",
    "base_runtime": "vllm",
    "runtime_image_tag": TAG,
    "model": {"id_or_path": "Qwen/Qwen3-0.6B", "namespace": "autotuner"},
    "parameters": {"max-num-seqs": [2, 4]},
}


def test_a_docker_task_of_v1_runs_to_its_end_in_containers(
    docker_here: OwnDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker_here.daemon.tag(IMAGE, f"vllm/vllm-openai:{TAG}")
    monkeypatch.setenv("DOCKER_HOST", docker_here.daemon.address)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    log = tmp_path / "worker.log"
    with Store.open(tmp_path, None) as store:
        app = create_app(Service(store, tmp_path, ServiceSettings(requests_per_s=10_000)))
        with TestClient(app, base_url="http://127.0.0.1:8787") as client:
            task_id = started(client, **OF_V1)
            with log.open("wb") as out:
                worker = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "autotuner",
                        "worker",
                        "--until-idle=2",
                        "--devices=cpu",
                    ],
                    env={**os.environ, "AUTOTUNER_HOME": str(tmp_path)},
                    stdout=out,
                    stderr=out,
                )
            shown: dict[str, dict[str, Any]] = {}
            deadline = time.monotonic() + WAIT_S
            while worker.poll() is None:
                assert time.monotonic() < deadline, log.read_text("utf-8")
                for each in client.get("/api/docker/containers?all=true").json():
                    shown[each["name"]] = each
                time.sleep(0.05)
            done = client.get(f"/api/tasks/{task_id}").json()
            found = client.get(f"/api/experiments/task/{task_id}").json()
            config = client.get("/api/v2/tasks/1").json()["config"]
    assert done["status"] == "completed", log.read_text("utf-8")
    assert (done["total_experiments"], done["successful_experiments"]) == (2, 2)
    assert sorted(str(e["parameters"]["max-num-seqs"]) for e in found) == ["2", "4"]
    assert all(e["metrics"]["success_rate"] == 1.0 for e in found)
    assert config["deployment_mode"] == "docker"
    assert config["docker"] == {"image": f"vllm/vllm-openai:{TAG}"}
    ours = [each for each in shown.values() if LABEL in each["labels"]]
    assert {each["image"] for each in ours} == {f"vllm/vllm-openai:{TAG}"}
    assert {each["labels"][f"{LABEL}.task"] for each in ours} == {"1"}
    assert docker_here.daemon.containers(stopped=True, label=LABEL) == []
