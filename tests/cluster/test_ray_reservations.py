"""Reservations in a cluster before their launch begins."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import autotuner
from autotuner.cluster import launcher, reservation
from autotuner.cluster.connection import ClusterConnection, Node
from autotuner.cluster.launcher import RayLauncher
from autotuner.cluster.messages import NodeFacts
from autotuner.cluster.node import LaunchNode
from autotuner.cluster.reservation import Reservation
from autotuner.config import RayConfig
from autotuner.engines import LaunchSpec
from autotuner.launch import LaunchLost, Preparation

pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
SPECS = tuple(LaunchSpec("llamacpp", ("engine", name), "fake") for name in "ab")
FACTS = NodeFacts("id", "n1", autotuner.__version__, (), 2.0, processor="x", cores=2)


class CountedReservation(Reservation):
    """Counts how often it is released."""

    released = 0

    def release(self) -> None:
        self.released += 1


class Cluster:
    """Gives reservations after some waiting; or loses each."""

    def __init__(self, patch: pytest.MonkeyPatch, *, loses: bool = False) -> None:
        self.reservations: list[CountedReservation] = []
        self.loses = loses
        here = ClusterConnection("auto", "auto", 0, cast("Any", None))
        patch.setattr(launcher, "connected", lambda address: here)
        patch.setattr(launcher, "nodes", lambda: (Node("id", "n1", {"CPU": 2.0}),))
        patch.setattr(launcher, "reserved", self._reserved)

    async def _reserved(
        self,
        name: str,
        demand: dict[str, float],
        gpus: int,
        still_fits: Callable[[], object],
        *,
        node_count: int,
        waiting: Callable[[], None],
        owner_silent_s: float | None,
    ) -> Reservation:
        waiting()
        if self.loses:
            raise LaunchLost("node n1 went down")
        self.reservations.append(CountedReservation(name, None, None, demand, FACTS))
        return self.reservations[-1]


def launch(found: RayLauncher, spec: LaunchSpec, folder: Path) -> Any:
    return found.launch(spec, (), log_path=folder / "engine.log", ready_timeout_s=60)


def test_a_launch_takes_the_reservation_that_was_prepared_for_it_and_the_end_those_that_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, reports = Cluster(monkeypatch), list[Preparation]()
    reservations: list[Reservation] = []

    class Engine:
        def __init__(
            self, spec: LaunchSpec, reservation: Reservation, *_: object, **__: object
        ) -> None:
            reservations.append(reservation)
            self.handle: Any = None
            self.launch_id, self.processes = "launch-1.1", (self,)

        async def start(self, request: object) -> None:
            pass

    monkeypatch.setattr(launcher, "RayEngine", Engine)

    async def tuned() -> None:
        found = RayLauncher(RayConfig(), environment={})
        for spec in SPECS:
            await found.prepare(spec, reports.append)
        await launch(found, SPECS[1], tmp_path)
        await found.close()

    asyncio.run(tuned())
    assert reports == [Preparation("reserving resources of the Ray cluster")] * 2
    assert reservations == [cluster.reservations[1]]
    assert [reservation.released for reservation in cluster.reservations] == [1, 0]


def test_a_reservation_that_is_lost_while_it_is_prepared_loses_its_launch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Cluster(monkeypatch, loses=True)

    async def tuned() -> None:
        found = RayLauncher(RayConfig(), environment={})
        await found.prepare(SPECS[0], lambda progress: None)
        with pytest.raises(LaunchLost, match="went down"):
            await launch(found, SPECS[0], tmp_path)

    asyncio.run(tuned())


def test_a_reservation_that_is_released_removes_its_files_before_its_actor_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node, calls = LaunchNode(), list[str]()
    folder = node._log.parent
    assert folder.exists()

    def kill(actor: object) -> None:
        calls.append("killed" if not folder.exists() else "killed too early")

    ray = SimpleNamespace(
        exceptions=SimpleNamespace(RayError=OSError),
        get=lambda asked, timeout: asyncio.run(asked),
        kill=kill,
    )
    monkeypatch.setattr(reservation, "ray_module", lambda: ray)
    groups = importlib.import_module("ray.util.placement_group")
    monkeypatch.setattr(groups, "remove_placement_group", calls.append)
    actor = SimpleNamespace(close=SimpleNamespace(remote=node.close))
    Reservation("launch-1", actor, "group", {}, FACTS).release()
    assert calls == ["killed", "group"]


def test_a_call_that_nobody_waits_for_any_more_can_be_answered_by_ray() -> None:
    asked: list[Future[str]] = [Future(), Future()]

    async def cancelled() -> str:
        first, second = (SimpleNamespace(future=lambda one=one: one) for one in asked)
        left = asyncio.ensure_future(reservation.answered(lambda: cast("Any", first)))
        await asyncio.sleep(0)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        waited = asyncio.ensure_future(reservation.answered(lambda: cast("Any", second)))
        await asyncio.sleep(0)
        asked[1].set_result("there")
        return await waited

    assert asyncio.run(cancelled()) == "there"
    asked[0].set_exception(ConnectionError("the client has disconnected"))
