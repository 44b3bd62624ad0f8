"""`kill -9` of who tunes in containers: nothing is left, and nothing is lost or repeated."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml

from autotuner.errors import LaunchError
from autotuner.launch.container_spec import LABEL
from own_docker import IMAGE, OwnDocker

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("AUTOTUNER_TEST_KILLS", "2"))
"""More of them find rarer moments."""
_GONE_WITHIN_S = 10.0
_STARTED_WITHIN_S = 60.0
SLOTS = [2, 3, 4, 5]
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


def left(docker: OwnDocker, folder: Path) -> list[str]:
    """Our containers, whether they run or not, and the supervisors of whom the test starts."""
    found = docker.daemon.containers(stopped=True, label=LABEL)
    names = [each["Name"].removeprefix("/") for each in found]
    home = environment(docker, folder)["AUTOTUNER_HOME"]
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = " ".join(process.info["cmdline"] or ())
        is_ours = (process.info["environ"] or {}).get("AUTOTUNER_HOME") == home
        if is_ours and "docker_supervisor.py" in words:
            names.append(words)
    return names


def written(folder: Path) -> list[str]:
    """The command that tunes the task."""
    file = folder / "task.yaml"
    file.write_text(yaml.safe_dump(TASK), encoding="utf-8")
    return [sys.executable, "-m", "autotuner", "tune", str(file), "--json"]


def environment(docker: OwnDocker, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DOCKER_HOST": docker.daemon.address,
        "AUTOTUNER_HOME": str(folder / "home"),
        "HF_HUB_OFFLINE": "1",
    }


def experiments_of(document: str) -> list[tuple[str, str]]:
    """Candidate and status of each experiment."""
    return [(each["id"], each["status"]) for each in json.loads(document)["experiments"]]


def test_whoever_is_killed_leaves_no_container_and_the_task_goes_on(
    docker_here: OwnDocker, tmp_path: Path
) -> None:
    command, variables = written(tmp_path), environment(docker_here, tmp_path)
    moments = random.Random(7)
    for _ in range(KILLS):
        with (tmp_path / "out").open("ab") as out:
            owner = subprocess.Popen(command, env=variables, stdout=out, stderr=out)
        deadline = time.monotonic() + _STARTED_WITHIN_S
        while not left(docker_here, tmp_path) and owner.poll() is None:
            assert time.monotonic() < deadline, (tmp_path / "out").read_text()
            time.sleep(0.02)
        time.sleep(moments.uniform(0, 1.2))
        owner.kill()
        owner.wait()
        deadline = time.monotonic() + _GONE_WITHIN_S
        while found := left(docker_here, tmp_path):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    experiments = experiments_of(done.stdout)
    assert {status for _, status in experiments} == {"completed"}, experiments
    assert len({key for key, _ in experiments}) == len(experiments) == len(SLOTS), experiments
    assert left(docker_here, tmp_path) == []


def test_a_container_that_others_end_costs_no_experiment(
    docker_here: OwnDocker, tmp_path: Path
) -> None:
    command, variables = written(tmp_path), environment(docker_here, tmp_path)
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        owner = subprocess.Popen(command, env=variables, stdout=out, stderr=err)
    ended: set[str] = set()
    while owner.poll() is None:
        found = docker_here.daemon.containers(stopped=False, label=LABEL)
        if found and len(ended) < 2 and not ended.intersection(each["Id"] for each in found):
            ended.add(found[0]["Id"])
            with suppress(LaunchError):  # it has just ended by itself
                docker_here.daemon.signal(found[0]["Id"], signal.SIGKILL)
        time.sleep(0.3)
    shown = (tmp_path / "err").read_text()
    assert owner.returncode == 0, shown
    assert "made again" in shown
    experiments = experiments_of((tmp_path / "out").read_text())
    assert {status for _, status in experiments} == {"completed"}, experiments
    assert len({key for key, _ in experiments}) == len(experiments) == len(SLOTS), experiments
    assert left(docker_here, tmp_path) == []
