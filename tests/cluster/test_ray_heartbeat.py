"""Signs of life between the owner of a launch and its node, behind a Ray Client server."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from autotuner.cluster.engine import RayEngine
from autotuner.cluster.heartbeat import Heartbeat
from autotuner.cluster.messages import LaunchRequest, News, NodeReply, Ready, Refused
from autotuner.cluster.node import LaunchNode
from autotuner.cluster.reaping import handle_of
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

    node = Loading()

    def exited(code: int) -> None:
        node._launch_id = ""  # else it would find itself alone for ever, in this process
        ended.set()

    monkeypatch.setattr(os, "_exit", exited)
    request = LaunchRequest("launch-1.1", SPEC, {}, None, 60.0, owner_silent_s=0.1)

    async def launched() -> None:
        launch = asyncio.create_task(node.launch(request))
        await asyncio.to_thread(ended.wait, 30)
        with pytest.raises(asyncio.CancelledError):
            await launch

    asyncio.run(launched())
    assert ended.is_set()


def test_an_owner_that_stands_still_gives_heartbeats_until_its_launch_is_over(
    tmp_path: Path,
) -> None:
    given: list[float] = []

    async def launch(request: LaunchRequest) -> NodeReply[Ready]:
        deadline = time.monotonic() + 30
        while len(given) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)  # noqa: ASYNC251 - as an owner whose database is away
        return NodeReply(Ready("http://x", 0.1, {}), 0, None)

    async def news(*_: object) -> News:
        await asyncio.sleep(0.01)
        return News(b"", None, None)

    async def stop(launch_id: str) -> NodeReply[None]:
        return NodeReply(None, 0, None)

    calls = {call.__name__: SimpleNamespace(remote=call) for call in (launch, news, stop)}
    reservation = SimpleNamespace(
        actor=SimpleNamespace(**calls), give_heartbeat=lambda: given.append(time.monotonic())
    )
    engine = RayEngine(
        SPEC,
        cast("Reservation", reservation),
        "m",
        handle_of("m", "node", "127.0.0.1:1"),
        tmp_path / "engine.log",
        give_back=lambda reservation: None,
        on_gone=lambda handle: None,
    )

    async def launched() -> None:
        await engine.start(LaunchRequest("m", SPEC, {}, None, 60.0, owner_silent_s=0.1))
        assert len(given) >= 3
        await engine.stop()

    asyncio.run(launched())
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
    ended, node = threading.Event(), Loading()
    monkeypatch.setattr(os, "_exit", lambda code: ended.set())
    request = LaunchRequest("launch-1.1", SPEC, {}, None, 60.0, owner_silent_s=0.4)

    async def launched() -> None:
        launch = asyncio.create_task(node.launch(request))
        for _ in range(80):
            await node.heartbeat()
            await asyncio.sleep(0.01)
        await node.stop(request.launch_id)
        with pytest.raises(asyncio.CancelledError):
            await launch

    asyncio.run(launched())
    assert not ended.is_set()
