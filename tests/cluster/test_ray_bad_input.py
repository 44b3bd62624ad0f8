"""Faults of a cluster, each reported at once in a line with its remedy; nothing is left running."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import autotuner
from autotuner.cluster.connection import Node, demand
from autotuner.cluster.launcher import RayLauncher
from autotuner.cluster.node import engine_environment
from autotuner.config import RayConfig, parse_task
from autotuner.engines import HOST, PORT, LaunchSpec, Mount
from autotuner.errors import ConfigError, LaunchError, PolicyError
from autotuner.launch import EngineHandle, LaunchLost
from autotuner.testing.launched import in_shell
from autotuner.tuning.resources import resource_request
from autotuner.workers.policy import Policy
from autotuner.workers.violations import require_allowed

TASK: dict[str, Any] = {"version": 2, "name": "t", "model": {"id": "smollm2-135m"}}
ON_RAY = TASK | {"deployment_mode": "ray"}
ARGV = (sys.executable, "-m", "autotuner.testing.fake_engine", "--host", HOST, "--port", PORT)
ENGINE = LaunchSpec("llamacpp", ARGV, "fake")
SMALL, LARGE = (
    Node(str(gpus), "host", {"CPU": 8.0 * gpus, "GPU": float(gpus), "disk": 1.0}) for gpus in (2, 4)
)


@pytest.mark.parametrize("address", ["auto", "local", "ray://head:10001", "10.0.0.7:6379"])
def test_an_address_is_one_of_four_forms(address: str) -> None:
    task = parse_task(ON_RAY | {"ray": {"address": address}})
    assert task.launcher_options == RayConfig(address=address)


@pytest.mark.parametrize("address", ["head", "http://head:1", "ray://head", "head:0", "a b:1", ""])
def test_another_form_is_refused_with_those_that_there_are(address: str) -> None:
    with pytest.raises(ConfigError, match=r"ray\.address: .* say auto, local, ray://HOST:PORT"):
        parse_task(ON_RAY | {"ray": {"address": address}})


def test_a_port_that_there_is_none_of_is_refused_as_one() -> None:
    for address in ("127.0.0.1:99999", "ray://head:65536"):
        with pytest.raises(ConfigError, match=r"ray\.address: .* no such port; say one up to"):
            parse_task(ON_RAY | {"ray": {"address": address}})


def test_the_cluster_of_a_task_that_is_not_launched_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="say deployment_mode: ray, or leave it out"):
        parse_task(TASK | {"ray": {}})


def test_where_it_runs_does_not_make_another_task() -> None:
    there = parse_task(ON_RAY | {"ray": {"address": "local", "cpus": 2.0}})
    assert there.content_id == parse_task(ON_RAY).content_id
    split = parse_task(ON_RAY | {"ray": {"gpus_per_node": 4}})
    assert split.content_id != there.content_id


def test_a_worker_needs_no_gpu_for_a_task_on_a_cluster() -> None:
    gpus = {"system": {"gpu_type": "h100", "total_gpus": 8}}
    assert resource_request(parse_task(ON_RAY | gpus)) == ("", 0)


def test_a_worker_connects_only_where_its_operator_allows(tmp_path: Path) -> None:
    task = parse_task(ON_RAY | {"ray": {"address": "ray://far:10001"}})
    for allowed in (("auto",), ("ray://near*",)):
        with pytest.raises(PolicyError, match=r"ray\.address: the operator does not allow"):
            require_allowed(task, Policy(ray_addresses=allowed), base=tmp_path, source="t")
    require_allowed(task, Policy(ray_addresses=("ray://far:*",)), base=tmp_path, source="t")


@pytest.mark.parametrize(
    ("config", "gpus", "wanted"),
    [
        (RayConfig(), 2, {"GPU": 2.0}),
        (RayConfig(cpus=3.0), 4, {"GPU": 4.0, "CPU": 3.0}),
        (RayConfig(), 0, {"CPU": 32.0}),
        (RayConfig(cpus=2.0, resources={"disk": 0.5}), 0, {"disk": 0.5, "CPU": 2.0}),
    ],
)
def test_a_launch_reserves_what_it_occupies(
    config: RayConfig, gpus: int, wanted: dict[str, float]
) -> None:
    assert demand(config, gpus, (SMALL, LARGE)) == wanted


@pytest.mark.parametrize(
    ("config", "gpus", "message"),
    [
        (RayConfig(), 8, "needs 8 GPUs of one node, and no node .* has more than 4"),
        (RayConfig(resources={"tape": 1.0}), 1, "needs 1 tape of one node"),
        (RayConfig(cpus=64.0), 0, "needs 64 CPUs of one node, and no node .* more than 32"),
    ],
)
def test_what_no_node_will_ever_have_is_refused(config: RayConfig, gpus: int, message: str) -> None:
    with pytest.raises(LaunchError, match=message) as caught:
        demand(config, gpus, (SMALL, LARGE))
    assert "node" in caught.value.remedy


def test_a_launch_over_several_nodes_reserves_its_part_of_each() -> None:
    assert demand(RayConfig(), 8, (LARGE, LARGE), 2) == {"GPU": 4.0}
    with pytest.raises(LaunchError, match=r"needs 2 nodes with 4 GPUs each, .* has 1") as refused:
        demand(RayConfig(), 8, (SMALL, LARGE), 2)
    assert "ray.gpus_per_node" in refused.value.remedy
    with pytest.raises(LaunchError) as refused:
        demand(RayConfig(), 8, (SMALL, LARGE))
    assert "or say ray.gpus_per_node: 4" in refused.value.remedy


def test_what_no_node_has_together_is_refused() -> None:
    few_cpus = Node("a", "host", {"CPU": 1.0, "GPU": 8.0})
    with pytest.raises(LaunchError, match=r"no node .* has 8 GPUs, 16 CPUs together"):
        demand(RayConfig(cpus=16.0), 8, (LARGE, few_cpus))


def test_an_engine_has_its_owners_variables_and_its_nodes_paths() -> None:
    owners = {"HF_TOKEN": "owner", "PATH": "/owner", "RAY_ADDRESS": "x", "CUDA_HOME": "/owner"}
    nodes = {"PATH": "/node", "AWS_SECRET": "node", "RAY_JOB_ID": "1", "HF_TOKEN": "node"}
    assert engine_environment(owners, nodes) == {"HF_TOKEN": "owner", "PATH": "/node"}


def launched(launcher: RayLauncher, spec: LaunchSpec, folder: Path) -> None:
    async def launch() -> None:
        log_path = folder / "engine.log"
        async with await launcher.launch(spec, (), log_path=log_path, ready_timeout_s=60):
            pass

    asyncio.run(launch())


@pytest.mark.slow
class TestOnACluster:
    @pytest.fixture(autouse=True)
    def _on(self, cluster: Any) -> None:
        self.launcher = RayLauncher(RayConfig(), environment=os.environ)

    def test_more_gpus_than_any_node_has_are_refused_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(LaunchError, match="needs 3 GPUs of one node, and no node"):
            launched(self.launcher, replace(ENGINE, gpus=3), tmp_path)

    def test_a_model_that_is_not_on_the_node_is_named(self, tmp_path: Path) -> None:
        model = Mount("/nowhere/model.gguf", "/models/model.gguf")
        with pytest.raises(LaunchError, match=r"/nowhere/model\.gguf is not on the node") as caught:
            launched(self.launcher, replace(ENGINE, mounts=(model,)), tmp_path)
        assert "same path on every node" in caught.value.remedy

    def test_a_node_of_another_version_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(autotuner, "__version__", "99.0")
        with pytest.raises(LaunchError, match=r"and this is 99\.0") as caught:
            launched(self.launcher, ENGINE, tmp_path)
        assert "same version on every node" in caught.value.remedy

    def test_engines_side_by_side_have_gpus_of_their_own(self, tmp_path: Path) -> None:
        seeing = in_shell(replace(ENGINE, gpus=1), 'echo "sees $CUDA_VISIBLE_DEVICES"; exec "$@"')

        async def both() -> None:
            paths = [tmp_path / name for name in ("1.log", "2.log")]
            launches = [
                self.launcher.launch(seeing, (), log_path=path, ready_timeout_s=60)
                for path in paths
            ]
            first, second = await asyncio.gather(*launches)
            async with first, second:
                seen = [
                    (engine.node, line)
                    for engine, path in ((first, paths[0]), (second, paths[1]))
                    for line in path.read_text().splitlines()
                    if line.startswith("sees ")
                ]
                assert len(set(seen)) == 2, seen
                assert all(line in ("sees 0", "sees 1") for _, line in seen)

        asyncio.run(both())

    def test_an_actor_that_is_killed_loses_the_launch_and_leaves_nothing(
        self, tmp_path: Path
    ) -> None:
        import ray

        async def lose() -> EngineHandle:
            launch = self.launcher.launch(
                ENGINE, (), log_path=tmp_path / "engine.log", ready_timeout_s=60
            )
            async with await launch as engine:
                ray.kill(engine.actor)
                async with asyncio.timeout(30):
                    while True:
                        engine.exit_code()
                        await asyncio.sleep(0.05)

        with pytest.raises(LaunchLost):
            asyncio.run(lose())


@pytest.mark.slow
def test_an_address_where_nobody_listens_is_refused_at_once() -> None:
    pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
    for address in ("127.0.0.1:9", "ray://127.0.0.1:9"):
        with pytest.raises(LaunchError, match=f"nothing answers at {address}") as caught:
            RayLauncher.connection(RayConfig(address=address)).__enter__()
        assert "ray start --head" in caught.value.remedy
