"""Whole tasks on a cluster: nodes that die, owners that are killed, levels measured on nodes."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from autotuner.cluster.connection import _refusal, connected, ray_module
from autotuner.testing.fake_engine import install_fake_engine
from autotuner.testing.processes import MARK, processes

FOUND_S, JUST_S, LOAD_S = 60.0, 0.5, 3.0
"""An engine loads for longer than a node takes to end all that it runs."""
COMMAND = (sys.executable, "-m", "autotuner")
TASK = """
version: 2
name: on a cluster
deployment_mode: ray
model: {{id: smollm2-135m}}
engine_path: {fake}
runtime: {{isl: 8, osl: 4}}
scheduling: {{max_running_requests: {slots}}}
misc: {{threads: [1, 2, 3]}}
prediction: {{predictor: none}}
optimization: {{strategy: grid, baseline: none, confirm: 0, parallel_launches: auto}}
benchmark:
  concurrency: [1, 2]
  requests_per_level: 4
  duration_per_level_s: 20
  warmup_requests: 0
"""


class Tuning:
    """One task and one home, tuned by the real command on the cluster that `auto` finds."""

    def __init__(self, folder: Path, slots: int, load_s: float = 0.5) -> None:
        fake = install_fake_engine(
            folder / "bin", "--ttft-ms=5", "--tpot-ms=1", f"--load-delay-s={load_s}"
        )
        self.task = folder / "task.yaml"
        document = TASK.format(fake=fake, slots=list(range(1, slots + 1)))
        self.task.write_text(document, encoding="utf-8")
        self.home = folder / "home"
        self.mark = uuid.uuid4().hex
        self._progress, self._answer = folder / "progress", folder / "answer"

    def start(self) -> subprocess.Popen[bytes]:
        with self._progress.open("wb") as progress, self._answer.open("wb") as answer:
            return subprocess.Popen(
                [*COMMAND, "tune", str(self.task), "--json"],
                stdout=answer,
                stderr=progress,
                env=os.environ | {"AUTOTUNER_HOME": str(self.home), MARK: self.mark},
            )

    def shows(self, wanted: str, process: subprocess.Popen[bytes]) -> bool:
        """Waits until the progress of the command has a text; False where it ends without."""
        while wanted not in self.progress():
            if process.poll() is not None:
                return wanted in self.progress()
            time.sleep(0.05)
        return True

    def progress(self) -> str:
        return self._progress.read_text(encoding="utf-8")

    def experiments(self) -> list[dict[str, Any]]:
        """Experiments of the command's answer."""
        found: list[dict[str, Any]] = json.loads(self._answer.read_text())["experiments"]
        return found

    def left(self) -> list[str]:
        """Marked processes, actors and reservations in the cluster, ten seconds later."""
        deadline = time.monotonic() + 10
        while (found := self._there()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _there(self) -> list[str]:
        ray = ray_module()
        connected("auto")
        groups = ray.util.placement_group_table().values()
        found = [f"{one['name']}: {one['state']}" for one in groups if one["state"] != "REMOVED"]
        found += [actor["name"] for actor in ray.util.list_named_actors(all_namespaces=True)]
        return [*processes(self.mark).values(), *found]


def loading_on(cluster: Any, folder: Path) -> Any:
    """A node, not the head, on which an engine below the folder has just begun to load."""
    deadline = time.monotonic() + FOUND_S
    while time.monotonic() < deadline:
        for node in cluster.worker_nodes:
            raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in raylet.children(recursive=True):
                    is_new = time.time() - process.create_time() < JUST_S
                    if is_new and any(str(folder) in word for word in process.cmdline()):
                        return node
        time.sleep(0.02)
    raise AssertionError("no engine was started on a node")


@pytest.mark.slow
def test_nodes_that_die_cost_no_experiment_and_none_is_made_twice(
    cluster: Any, another_node: Callable[[], None], tmp_path: Path
) -> None:
    tuning = Tuning(tmp_path, slots=8, load_s=LOAD_S)
    process = tuning.start()
    for wanted in ("[4/24]", "[11/24]"):
        assert tuning.shows(wanted, process), tuning.progress()
        cluster.remove_node(loading_on(cluster, tmp_path), allow_graceful=False)
        another_node()
    assert process.wait() == 0, tuning.progress()
    assert "not made, and made again" in tuning.progress()
    experiments = tuning.experiments()
    assert [one["status"] for one in experiments] == ["completed"] * 24
    assert len({one["id"] for one in experiments}) == 24
    for one in experiments:
        first, second = (level["load"] for level in one["measurements"])
        assert first != second, "a level was measured twice"
    assert not tuning.left()


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_an_owner_that_is_killed_leaves_nothing_and_loses_nothing(tmp_path: Path) -> None:
    tuning, moments = Tuning(tmp_path, slots=2), random.Random(7)
    for number in range(int(os.environ.get("AUTOTUNER_TEST_KILLS", "2"))):
        process = tuning.start()
        tuning.shows(f"[{1 + number % 3}/6]", process)
        time.sleep(moments.uniform(0.0, 3.0))
        process.kill()
        process.wait()
        assert not tuning.left(), f"after kill {number}"
    process = tuning.start()
    assert process.wait() == 0, tuning.progress()
    experiments = tuning.experiments()
    assert [one["status"] for one in experiments] == ["completed"] * 6
    assert all(len(one["measurements"]) == 2 for one in experiments)
    assert not tuning.left()


LLAMACPP = """
version: 2
name: llama.cpp on a cluster
deployment_mode: ray
model: {id: smollm2-135m}
runtime: {isl: 16, osl: 8}
scheduling: {max_running_requests: 1}
misc: {threads: 1}
prediction: {predictor: none}
optimization: {strategy: grid, baseline: none, confirm: 0}
benchmark: {concurrency: [1], requests_per_level: 2, duration_per_level_s: 20, warmup_requests: 0}
"""


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_llamacpp_is_measured_on_a_node(tmp_path: Path) -> None:
    tuning = Tuning(tmp_path, slots=1)
    tuning.task.write_text(LLAMACPP, encoding="utf-8")
    process = tuning.start()
    assert process.wait() == 0, tuning.progress()
    (experiment,) = tuning.experiments()
    assert experiment["status"] == "completed"
    (level,) = experiment["measurements"]
    assert level["requests_completed"] == 2
    assert level["node"]["is_as_described"]
    assert not tuning.left()


def test_another_version_of_ray_is_named_with_both() -> None:
    found = _refusal("head:1", RuntimeError("Version mismatch: cluster: Ray: 2.9\n  this: 2.60"))
    assert "the cluster at head:1 has another version" in found.message
    assert "cluster: Ray: 2.9 this: 2.60" in found.message
    assert "install the versions of the cluster here" in found.remedy
