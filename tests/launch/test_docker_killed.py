"""`kill -9` of who tunes in containers: nothing is left, and nothing is lost or repeated."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from autotuner.launch.container_spec import LABEL
from own_docker import IMAGE, OwnDocker

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("AUTOTUNER_KILLS", "3"))
"""More of them find rarer moments."""
_GONE_WITHIN_S = 10.0
_STARTED_WITHIN_S = 60.0
SLOTS = [2, 3, 4, 5, 6, 7]
TASK = {
    "version": 2,
    "name": "killed",
    "deployment_mode": "docker",
    "docker": {"image": IMAGE, "pull": "never"},
    "engine_path": "fake-engine",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 8, "osl": 4},
    "scheduling": {"max_running_requests": SLOTS},
    "memory": {"max_model_len": 64},
    "optimization": {"strategy": "grid", "baseline": "none", "confirm": 0},
    "benchmark": {"concurrency": [1, 2], "requests_per_level": 4, "cut_short": False},
}


def left(docker: OwnDocker) -> list[str]:
    """Our containers, whether they run or not, and supervisors of ours."""
    found = docker.daemon.containers(stopped=True, label=LABEL)
    names = [each["Name"].removeprefix("/") for each in found]
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)  # noqa: S607
    return names + [line for line in shown.stdout.splitlines() if "docker_supervisor.py" in line]


def test_whoever_is_killed_leaves_no_container_and_the_task_goes_on(
    docker_here: OwnDocker, tmp_path: Path
) -> None:
    file = tmp_path / "task.yaml"
    file.write_text(yaml.safe_dump(TASK), encoding="utf-8")
    environment = {
        **os.environ,
        "DOCKER_HOST": docker_here.daemon.address,
        "AUTOTUNER_HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-m", "autotuner", "tune", str(file), "--json"]
    moments = random.Random(7)
    for _ in range(KILLS):
        with (tmp_path / "out").open("ab") as out:
            owner = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        deadline = time.monotonic() + _STARTED_WITHIN_S
        while not left(docker_here) and owner.poll() is None:
            assert time.monotonic() < deadline, (tmp_path / "out").read_text()
            time.sleep(0.02)
        time.sleep(moments.uniform(0, 1.2))
        owner.kill()
        owner.wait()
        deadline = time.monotonic() + _GONE_WITHIN_S
        while found := left(docker_here):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    experiments = json.loads(done.stdout)["experiments"]
    completed = [each["id"] for each in experiments if each["status"] == "completed"]
    assert len(set(completed)) == len(completed) == len(SLOTS), experiments
    assert left(docker_here) == []
