"""Signs of life between the owner of a launch and its node, behind a Ray Client server."""

from __future__ import annotations

import asyncio
import importlib
import os
import threading
import time
from types import SimpleNamespace

import pytest

from autotuner.cluster import reservation
from autotuner.cluster.heartbeat import Heartbeat
from autotuner.cluster.messages import LaunchRequest, Refused
from autotuner.cluster.node import LaunchNode
from autotuner.cluster.reservation import Reservation
from autotuner.engines import LaunchSpec
from autotuner.launch import LaunchLost

pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
SPEC = LaunchSpec("llamacpp", ("engine",), "fake")


class Loading(LaunchNode):
    """A node whose engine loads for ever."""

    async def _launch(self, request: LaunchRequest) -> Refused:
        await asyncio.Event().wait()
        raise AssertionError


def test_a_node_sees_that_its_owner_is_gone_while_the_engine_loads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = threading.Event()

    node = Loading(owner_silent_s=0.1)

    def exited(code: int) -> None:
        ended.set()

    monkeypatch.setattr(os, "_exit", exited)
    request = LaunchRequest("launch-1.1", SPEC, {}, None, 60.0)

    async def launched() -> None:
        launch = asyncio.create_task(node.launch(request))
        await asyncio.to_thread(ended.wait, 30)
        with pytest.raises(asyncio.CancelledError):
            await launch

    asyncio.run(launched())
    assert ended.is_set()


def test_a_node_without_a_launch_sees_that_its_owner_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda code: ended.set())
    LaunchNode(owner_silent_s=0.1)
    assert ended.wait(30)


def test_a_reservation_gives_heartbeats_until_it_is_released(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[float] = []

    async def answer() -> None:
        return None

    ray = SimpleNamespace(
        exceptions=importlib.import_module("ray").exceptions,
        get=lambda asked, timeout: asked.close(),
    )
    actor = SimpleNamespace(**{name: SimpleNamespace(remote=answer) for name in ("facts", "close")})
    monkeypatch.setattr(Reservation, "give_heartbeat", lambda _: given.append(time.monotonic()))
    monkeypatch.setattr(reservation, "ray_module", lambda: ray)
    monkeypatch.setattr(reservation, "_reserve", lambda *_: ([actor], "group"))
    monkeypatch.setattr(reservation, "_release", lambda *_: None)

    async def reserved() -> Reservation:
        made = await reservation.reserved("launch-1", {}, 0, lambda: None, owner_silent_s=0.1)
        deadline = time.monotonic() + 30
        while len(given) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)  # noqa: ASYNC251 - as an owner whose database is away
        return made

    made = asyncio.run(reserved())
    assert len(given) >= 3
    made.release()
    heartbeats = len(given)
    time.sleep(0.1)
    assert len(given) <= heartbeats + 1


def test_heartbeats_go_on_after_one_that_did_not_arrive_and_end_with_their_node() -> None:
    late, away, gone = TimeoutError(), OSError("the connection comes back"), LaunchLost("gone")
    ends = iter([late, away, None, gone, *[None] * 99])
    tried: list[BaseException | None] = []

    def give() -> None:
        tried.append(next(ends))
        if tried[-1] is not None:
            raise tried[-1]

    heartbeat = Heartbeat(give, 0.01)
    deadline = time.monotonic() + 30
    while len(tried) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(tried) == 4
    heartbeat.stop()


def test_a_node_whose_owner_gives_heartbeats_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, node = threading.Event(), Loading(owner_silent_s=0.4)
    monkeypatch.setattr(os, "_exit", lambda code: ended.set())
    request = LaunchRequest("launch-1.1", SPEC, {}, None, 60.0)

    async def launched() -> None:
        launch = asyncio.create_task(node.launch(request))
        for _ in range(80):
            await node.heartbeat()
            await asyncio.sleep(0.01)
        await node.stop(request.launch_id)
        with pytest.raises(asyncio.CancelledError):
            await launch
        await node.close()  # else it would find itself alone in this process

    asyncio.run(launched())
    assert not ended.is_set()


def test_a_node_that_stood_still_does_not_take_that_for_its_owners_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended, node = threading.Event(), Loading(owner_silent_s=0.8)
    monkeypatch.setattr(os, "_exit", lambda code: ended.set())

    async def stood_still() -> None:
        await node.heartbeat()
        node._loop.call_soon_threadsafe(time.sleep, 1.2)
        await asyncio.sleep(1.25)
        for _ in range(20):
            await node.heartbeat()
            await asyncio.sleep(0.02)
        await node.close()

    asyncio.run(stood_still())
    assert not ended.is_set()
