"""The connection to a cluster: whatever a task ends by, its process leaves the cluster."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from autotuner.cli.commands import tune
from autotuner.cluster import connection
from autotuner.cluster.connection import Node
from autotuner.errors import LaunchError, StoreError
from autotuner.profiles.registry import builtin_registry
from autotuner.store import Lease, Store
from autotuner.testing.fake_engine import install_fake_engine
from autotuner.workers import run_task as running
from autotuner.workers.devices import ON_CPU
from autotuner.workers.lease import LeaseKeeper
from autotuner.workers.policy import Policy
from autotuner.workers.run_task import WorkerSetup, run_task

TASK: dict[str, Any] = {
    "version": 2,
    "name": "on a cluster",
    "deployment_mode": "ray",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 8, "osl": 4},
    "scheduling": {"max_running_requests": 1},
    "misc": {"threads": 1},
    "prediction": {"predictor": "none"},
    "optimization": {"strategy": "grid", "baseline": "none"},
}
NODE = Node("id", "n1", {"CPU": 2.0})


class Connections:
    """Those that are made and ended, on a cluster of one node."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.made = self.open = 0
        patch.setattr(connection, "connected", self._connected)
        patch.setattr(connection, "nodes", lambda: (NODE,))
        patch.setattr(connection, "disconnect", self._disconnect)

    def _connected(self, address: str) -> None:
        self.made += 1
        self.open = 1

    def _disconnect(self) -> None:
        self.open = 0


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    return Connections(monkeypatch)


def fails(*_: object, **__: object) -> Any:
    raise StoreError("the disk is full")


def left_by_worker(folder: Path, ending: str, changes: dict[str, Any]) -> tuple[str, str]:
    """The end of a task that a worker has begun with.

    Args:
        ending: why its lease has ended meanwhile; empty where it has not.
    """
    fake = str(install_fake_engine(folder / "bin"))
    config = TASK | {"engine_path": fake} | changes
    row = SimpleNamespace(id=1, base=None, config=config, plan={})
    ignore = dict.fromkeys(("engine_started", "engine_gone", "labels"), lambda *_: None)
    keeper = SimpleNamespace(ending=ending, store=Store.open(folder / "home"), **ignore)
    policy = Policy(programs=(fake,), ray_addresses=("auto",))
    setup = WorkerSetup(folder / "home", ON_CPU, policy, builtin_registry)
    lease = Lease(cast("Any", row), 1)
    return run_task(lease, cast("LeaseKeeper", keeper), setup)


def test_a_task_whose_lease_ends_before_its_loop_leaves_the_cluster(
    connections: Connections, tmp_path: Path
) -> None:
    status, _ = left_by_worker(tmp_path, "lost", {})
    assert status != "completed"
    assert (connections.made, connections.open) == (1, 0)


def test_a_task_that_no_node_has_room_for_leaves_the_cluster(
    connections: Connections, tmp_path: Path
) -> None:
    status, why = left_by_worker(tmp_path, "", {"ray": {"cpus": 64.0}})
    assert status == "failed"
    assert "no node of the Ray cluster has more than 2" in why
    assert (connections.made, connections.open) == (1, 0)


def test_a_task_that_cannot_be_put_together_leaves_the_cluster(
    connections: Connections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "forecast_of", fails)
    assert left_by_worker(tmp_path, "", {}) == ("failed", "the disk is full")
    assert (connections.made, connections.open) == (1, 0)


@pytest.mark.parametrize("place", ["kept_store", "open_store"])
def test_a_command_that_ends_before_its_loop_leaves_the_cluster(
    place: str,
    connections: Connections,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tune, place, fails)
    fake = str(install_fake_engine(tmp_path / "bin"))
    path = tmp_path / "task.yaml"
    path.write_text(json.dumps(TASK | {"engine_path": fake}), encoding="utf-8")
    with pytest.raises(StoreError, match="the disk is full"):
        tune.run_task(path, home=tmp_path / "home", quiet=False, fresh=True, again=False)
    assert (connections.made, connections.open) == (1, 0)


@pytest.mark.parametrize(("failures", "tries"), [(1, 2), (2, 2)])
def test_a_client_server_that_is_late_once_is_asked_again(
    failures: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
    made: list[str] = []

    def connect(ray: object, address: str) -> None:
        made.append(address)
        if len(made) <= failures:
            raise ConnectionAbortedError("Initialization failure from server:\ntimed out")

    monkeypatch.setattr(connection, "_connect", connect)
    monkeypatch.setattr(connection, "probe", lambda address: "")
    refused = pytest.raises(LaunchError, match="Initialization failure from server: timed out")
    with nullcontext() if failures < tries else refused:
        connection.connected("ray://head:10001")
    connection.disconnect()
    assert len(made) == tries
