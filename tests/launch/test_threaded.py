"""Blocking work that a launch waits for, and what becomes of it when the launch is cancelled."""

from __future__ import annotations

import asyncio
import threading

import pytest

from autotuner.launch.threaded import to_the_end


def test_what_was_made_is_undone_however_often_the_launch_is_cancelled() -> None:
    making, may_end = threading.Event(), threading.Event()
    undone: list[str] = []

    def make() -> str:
        making.set()
        may_end.wait(60)
        return "a container"

    async def undo(made: str) -> None:
        await asyncio.sleep(0.01)
        undone.append(made)

    async def cancelled() -> None:
        launch = asyncio.create_task(to_the_end(make, undo))
        await asyncio.to_thread(making.wait, 60)
        for _ in range(3):
            launch.cancel()
            await asyncio.sleep(0)
        may_end.set()
        while not undone:
            launch.cancel()
            await asyncio.sleep(0.001)
        with pytest.raises(asyncio.CancelledError):
            await launch

    asyncio.run(cancelled())
    assert undone == ["a container"]


def test_what_goes_wrong_while_undoing_is_no_secret() -> None:
    making, may_end = threading.Event(), threading.Event()

    def make() -> None:
        making.set()
        may_end.wait(60)

    async def undo(made: None) -> None:
        raise OSError("the daemon is away")

    async def cancelled() -> None:
        launch = asyncio.create_task(to_the_end(make, undo))
        await asyncio.to_thread(making.wait, 60)
        launch.cancel()
        may_end.set()
        with pytest.raises(OSError, match="the daemon is away"):
            await launch

    asyncio.run(cancelled())
