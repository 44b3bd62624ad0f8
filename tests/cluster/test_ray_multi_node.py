"""Engines on more GPUs than a node has: a process on each of several, started and ended as one."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from autotuner.cluster.connection import connected, ray_module
from autotuner.cluster.launcher import RayLauncher
from autotuner.cluster.load import RayLoadGenerator
from autotuner.cluster.multi_node_engine import MultiNodeEngine
from autotuner.config import RayConfig, parse_task
from autotuner.engines import HOST, PORT, FailureKind, LaunchSpec, engine_named
from autotuner.launch import LaunchFailed, LaunchLost
from autotuner.measure import Endpoint
from autotuner.measure.protocol import LoadContext
from autotuner.testing.processes import MARK, processes
from autotuner.testing.small_levels import LONG_S, plan

pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
SERVER = (sys.executable, str(Path(__file__).with_name("multi_node_server.py")))
VLLM = engine_named("vllm").table
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cluster")]


def spec(*flags: str, nodes: int = 2) -> LaunchSpec:
    """Four GPUs, in equal parts of nodes, of which each in the tests' cluster has two."""
    multi_node = VLLM.file.nodes
    assert multi_node is not None
    words = (word.replace("{nodes}", str(nodes)) for word in multi_node.argv)
    own = ("--served-model-name", "fake", "--host", HOST, "--port", PORT)
    return LaunchSpec(
        "vllm",
        (*SERVER, *own, *words, *flags),
        "fake",
        failure_patterns=VLLM.failures,
        gpus=4,
        nodes=nodes,
        followers=multi_node.followers,
    )


class Launches:
    """A launcher, and all that it has started."""

    def __init__(self, folder: Path) -> None:
        self.mark = uuid.uuid4().hex
        self.log_path = folder / "engine.log"
        self.started: list[str] = []
        self.gone: list[str] = []
        self._launcher = RayLauncher(
            RayConfig(),
            environment=os.environ | {MARK: self.mark},
            on_started=lambda handle: self.started.append(handle.id),
            on_gone=lambda handle: self.gone.append(handle.id),
        )

    async def engine(self, *flags: str) -> MultiNodeEngine:
        found = await self._launcher.launch(
            spec(*flags), (), log_path=self.log_path, ready_timeout_s=60
        )
        assert isinstance(found, MultiNodeEngine)
        return found

    def follower(self) -> int:
        """Process id of the engine's process on the second node."""
        (found,) = (
            pid
            for pid, command in processes(self.mark).items()
            if "--headless" in command and "supervisor" not in command
        )
        return found

    async def close(self) -> None:
        await self._launcher.close()


def left(mark: str) -> list[str]:
    """Marked processes, and placement groups, ten seconds later."""

    def there() -> list[str]:
        connected("auto")
        groups = ray_module().util.placement_group_table().values()
        kept = [f"{one['name']}: {one['state']}" for one in groups if one["state"] != "REMOVED"]
        return [*processes(mark).values(), *kept]

    deadline = time.monotonic() + 10
    while (found := there()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_a_process_on_each_node_meets_the_first_which_serves_and_all_end_together(
    tmp_path: Path,
) -> None:
    launches = Launches(tmp_path)

    async def launched() -> None:
        async with await launches.engine() as engine:
            first, second = engine.processes
            assert first.node != second.node
            answer = await asyncio.to_thread(httpx.get, f"{engine.base_url}/v1/models")
            assert answer.json()["data"][0]["id"] == "fake"
            assert engine.exit_code() is None
        async with await launches.engine():
            assert len(launches.started) == 4
        await launches.close()

    asyncio.run(launched())
    assert not left(launches.mark)
    assert sorted(launches.gone) == sorted(launches.started)
    assert len({name.split()[0] for name in launches.started}) == 4, "a name for each process"
    logs = [launches.log_path, launches.log_path.with_suffix(".node1.log")]
    for rank, log in enumerate(logs):
        text = log.read_text()
        assert f"--nnodes 2 --node-rank {rank}" in text
        assert f"rank {rank} on GPUs 0,1" in text
        assert ("--headless" in text) is (rank > 0)


@pytest.mark.parametrize(
    ("fault", "rank", "kind", "words"),
    [
        ("--fail-rank", "1", FailureKind.OUT_OF_MEMORY, "CUDA out of memory"),
        ("--fail-rank", "0", FailureKind.OUT_OF_MEMORY, "CUDA out of memory"),
        ("--fail-late", "0", FailureKind.OUT_OF_MEMORY, "CUDA out of memory"),
        ("--end-rank", "1", FailureKind.DIED_LOADING, "rank 1 on GPUs"),
    ],
)
def test_the_process_whose_fault_it_is_says_why_a_launch_failed(
    fault: str, rank: str, kind: FailureKind, words: str, tmp_path: Path
) -> None:
    launches = Launches(tmp_path)

    async def launched() -> None:
        with pytest.raises(LaunchFailed) as failed:
            await launches.engine(fault, rank)
        failure = failed.value.failure
        assert failure.kind is kind
        assert failure.message.startswith("on node ")
        assert words in failure.log_tail
        await launches.close()

    asyncio.run(launched())
    assert not left(launches.mark)


def test_an_engine_dies_with_any_of_its_processes(tmp_path: Path) -> None:
    launches = Launches(tmp_path)

    async def launched() -> None:
        async with await launches.engine() as engine:
            os.kill(launches.follower(), 9)
            await asyncio.wait_for(engine.processes[1].heard_last(), 30)
            assert engine.exit_code() is not None
            assert engine.diagnose().kind is FailureKind.DIED_UNDER_LOAD
        await launches.close()

    asyncio.run(launched())
    assert not left(launches.mark)


def test_a_level_ends_with_any_process_also_where_the_first_one_goes_on(tmp_path: Path) -> None:
    launches = Launches(tmp_path)
    task = parse_task({"version": 2, "name": "t", "model": {"id": "smollm2-135m"}})
    context = LoadContext(task.benchmark, cast("Any", None), tmp_path)

    async def launched() -> None:
        async with await launches.engine("--stays") as engine:
            endpoint = Endpoint(engine.base_url, "fake", "/v1/completions", engine=engine)
            begun = asyncio.Event()
            level = asyncio.create_task(
                RayLoadGenerator(context).run(
                    endpoint,
                    plan(requests=10**6),
                    engine_alive=lambda: True,
                    on_progress=lambda completed, wanted: begun.set(),
                )
            )
            await asyncio.wait_for(begun.wait(), 60)
            os.kill(launches.follower(), 9)
            measured = await asyncio.wait_for(level, LONG_S / 2)
            assert not measured.valid
            assert engine.exit_code() is not None
            assert "node" in engine.diagnose().message
        await launches.close()

    asyncio.run(launched())
    assert not left(launches.mark)


def test_a_node_that_is_lost_loses_the_launch(
    cluster: Any, another_node: Callable[[], None], tmp_path: Path
) -> None:
    launches = Launches(tmp_path)

    async def launched() -> None:
        async with await launches.engine() as engine:
            ours = {process.node for process in engine.processes}
            lost = next(node for node in cluster.worker_nodes if node.node_id in ours)
            cluster.remove_node(lost, allow_graceful=False)
            gone = next(one for one in engine.processes if one.node == lost.node_id)
            await asyncio.wait_for(gone.heard_last(), 30)
            with pytest.raises(LaunchLost):
                engine.exit_code()
        await launches.close()

    try:
        asyncio.run(launched())
        assert not left(launches.mark)
    finally:
        another_node()


TASK = """
version: 2
name: over several nodes
deployment_mode: ray
ray: {{gpus_per_node: 2}}
model: {{id: Qwen/Qwen3-8B}}
engine_path: {program}
system: {{backend: vllm, gpu_type: h100_sxm, total_gpus: 4}}
parallel: {{tensor_parallel: [2, 4]}}
runtime: {{isl: 8, osl: 4}}
prediction: {{predictor: none}}
optimization: {{strategy: grid, baseline: none, confirm: 0}}
benchmark:
  concurrency: [2]
  requests_per_level: 4
  duration_per_level_s: 20
  warmup_requests: 0
"""


class Command:
    """The command line with one home, on a task that needs one node and several."""

    def __init__(self, folder: Path) -> None:
        program, self.task = folder / "vllm", folder / "task.yaml"
        program.write_text(f'#!/bin/sh\nexec {" ".join(SERVER)} "$@"\n', encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.task.write_text(TASK.format(program=program), encoding="utf-8")
        self.mark = uuid.uuid4().hex
        home = {"AUTOTUNER_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "1"}
        self.environment = os.environ | home | {MARK: self.mark}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "autotuner", *words]
        return subprocess.run(
            command, capture_output=True, text=True, env=self.environment, check=False
        )

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "autotuner", "tune", str(self.task)]
        out = subprocess.DEVNULL
        return subprocess.Popen(command, stdout=out, stderr=out, env=self.environment)


def test_a_task_measures_candidates_on_one_node_and_on_several(tmp_path: Path) -> None:
    command = Command(tmp_path)
    done = command.run("tune", str(command.task), "--json")
    assert done.returncode == 0, done.stderr
    experiments = json.loads(done.stdout)["experiments"]
    nodes = {one["settings"]["parallel.tensor_parallel"]: one for one in experiments}
    assert "--nnodes" not in nodes[2]["engine_command"]
    assert "--nnodes 2 --node-rank 0 --master-addr HEAD" in nodes[4]["engine_command"]
    for one, hosts in ((nodes[2], 1), (nodes[4], 2)):
        assert one["status"] == "completed"
        assert len(one["measurements"][0]["node"]["host"].split(", ")) == hosts
    refused = command.run("export", "1", "--point", nodes[4]["id"], "--format", "kubernetes")
    assert refused.returncode != 0
    assert "it is of 2 nodes with a process on each" in refused.stderr
    assert "--format json has the command" in refused.stderr
    document = command.run("export", "1", "--format", "json").stdout
    assert "the others start the same with their own VLLM_HOST_IP" in document
    assert (
        command.run("export", "1", "--point", nodes[2]["id"], "--format", "shell").returncode == 0
    )


def test_an_owner_that_is_killed_leaves_no_process_on_any_node(tmp_path: Path) -> None:
    command = Command(tmp_path)
    owner = command.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any("--headless" in line for line in processes(command.mark).values()):
            break
        time.sleep(0.05)
    else:
        raise AssertionError("no process was started on a second node")
    owner.kill()
    owner.wait()
    assert not left(command.mark)
    done = command.run("tune", str(command.task), "--json")
    assert [one["status"] for one in json.loads(done.stdout)["experiments"]] == ["completed"] * 2
    assert not left(command.mark)
