"""Recorded launches in place of engines: the launcher's contract, and time that takes no time."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from autotuner.engines import FailureKind, LaunchSpec
from autotuner.errors import LaunchError
from autotuner.landscapes import ReplaySpec
from autotuner.launch import LaunchFailed
from autotuner.launch.replay import STARTUP_S, ReplayLauncher, SimulatedTimeLoop
from autotuner.testing.launcher_contract import AnyLauncherContract
from autotuner.testing.made_up_landscape import ALL_FAIL, made_up_landscape


def spec(launch: str) -> ReplaySpec:
    return ReplaySpec(
        "vllm", ("vllm", "serve", "--host", "{host}", "--port", "{port}"), "model", recorded=launch
    )


class TestReplayLauncher(AnyLauncherContract):
    def launcher(self) -> ReplayLauncher:
        return ReplayLauncher(made_up_landscape())

    def good_spec(self) -> LaunchSpec:
        return spec("0")

    def left(self, mark: str) -> Sequence[str]:
        return ()

    def failing_spec(self, kind: FailureKind) -> LaunchSpec | None:
        return spec(ALL_FAIL) if kind is FailureKind.OUT_OF_MEMORY else None

    def test_two_launches_are_distinct(self, tmp_path: Path) -> None:
        async def both() -> set[str]:
            engines = [await self.launch(spec(name), tmp_path / name) for name in ("0", "1")]
            return {engine.base_url for engine in engines}

        assert len(asyncio.run(both())) == 2

    @pytest.mark.parametrize("unknown", [spec("77"), LaunchSpec("vllm", ("vllm",), "model")])
    def test_what_is_not_recorded_is_an_error(self, unknown: LaunchSpec, tmp_path: Path) -> None:
        with pytest.raises(LaunchError, match=r"made-up has no launch that is .*vllm"):
            asyncio.run(self.launch(unknown, tmp_path / "engine.log"))

    @pytest.mark.parametrize(("recorded_s", "takes_s"), [(37.5, 37.5), (None, STARTUP_S)])
    @pytest.mark.parametrize("launch", ["0", ALL_FAIL])
    def test_a_start_takes_its_simulated_time_whether_it_fails_or_not(
        self, launch: str, recorded_s: float | None, takes_s: float, tmp_path: Path
    ) -> None:
        launcher = ReplayLauncher(made_up_landscape(startup_s=recorded_s))

        async def start() -> float:
            try:
                await launcher.launch(
                    spec(launch), (), log_path=tmp_path / "log", ready_timeout_s=1
                )
            except LaunchFailed:
                assert launch == ALL_FAIL
            return asyncio.get_running_loop().time()

        with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
            assert runner.run(start()) == pytest.approx(takes_s)


def test_simulated_time_keeps_the_order_of_what_runs_side_by_side() -> None:
    async def story() -> list[tuple[str, float]]:
        reported: list[tuple[str, float]] = []
        clock = asyncio.get_running_loop().time

        async def sleeper(name: str, *naps_s: float) -> None:
            for nap_s in naps_s:
                await asyncio.sleep(nap_s)
                reported.append((name, round(clock(), 6)))

        await asyncio.gather(sleeper("a", 3600, 1800), sleeper("b", 4000), sleeper("c", 0, 5500))
        return reported

    began = time.monotonic()
    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
        reported = runner.run(story())
    assert reported == [("c", 0), ("a", 3600), ("b", 4000), ("a", 5400), ("c", 5500)]
    assert time.monotonic() - began < 60, "hours were waited for"


def test_a_timeout_is_one_of_simulated_time() -> None:
    async def wait() -> None:
        async with asyncio.timeout(600):
            await asyncio.sleep(601)

    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner, pytest.raises(TimeoutError):
        runner.run(wait())


def test_simulated_time_stands_while_a_thread_works() -> None:
    """Until it is done, whatever else waits."""
    slept = threading.Event()

    async def story() -> tuple[float, bool]:
        async def sleep() -> None:
            await asyncio.sleep(3600)
            slept.set()

        sleeping = asyncio.ensure_future(sleep())
        working = asyncio.to_thread(slept.wait, 0.3)
        was_first = await working
        now_s = asyncio.get_running_loop().time()
        await sleeping
        return now_s, was_first

    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
        assert runner.run(story()) == (0, False)
        assert runner.get_loop().time() == pytest.approx(3600)


def test_work_in_threads_and_signals_are_seen() -> None:
    async def story() -> tuple[int, bool]:
        heard = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, heard.set)
        answer = await asyncio.to_thread(lambda: 6 * 7)
        os.kill(os.getpid(), signal.SIGUSR1)
        await heard.wait()
        return answer, heard.is_set()

    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
        assert runner.run(story()) == (42, True)
