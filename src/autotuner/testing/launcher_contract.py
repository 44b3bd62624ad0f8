"""Contract of launchers, as tests to inherit from.

`AnyLauncherContract` holds of whatever is launched; `LauncherContract` adds what holds where an
engine really runs: a process, a container or a job, on this machine or another. Both see engines
through the protocol alone: the address, the handle and `reap`. What is left of an engine, only its
launcher's hooks know.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import signal
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import pytest

from autotuner.engines import FailureKind, LaunchSpec
from autotuner.errors import LaunchError
from autotuner.launch import (
    EngineHandle,
    LaunchContext,
    Launcher,
    LaunchFailed,
    Reaped,
    RunningEngine,
)
from autotuner.launch.devices import VISIBLE
from autotuner.testing.launched import (
    SeenServing,
    answers,
    by_text,
    has_ended,
    in_shell,
    marked,
)

_READY_S = 60.0
_NOT_READY_S = 1.5
_HOST, _PORT = "engine-host", 54321


class AnyLauncherContract(ABC):
    """Contract of any launcher, whatever it starts. Supply the launcher and its specs."""

    @abstractmethod
    def launcher(self) -> Launcher:
        """The launcher under test. One that waits long before it kills makes the suite slow."""

    @abstractmethod
    def good_spec(self) -> LaunchSpec:
        """An engine that becomes ready and serves."""

    @abstractmethod
    def left(self, mark: str) -> Sequence[str]:
        """Processes that still run of the launches with `mark` in their environment, in words."""

    def failing_spec(self, kind: FailureKind) -> LaunchSpec | None:
        """An engine that fails with `kind`; None where there is no way to make one."""
        return None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each kind of failure that can be made."""
        if "failing_kind" in metafunc.fixturenames:
            kinds = [kind for kind in FailureKind if self.failing_spec(kind) is not None]
            metafunc.parametrize("failing_kind", kinds)

    async def launch(
        self,
        spec: LaunchSpec,
        log_path: Path,
        *,
        devices: Sequence[str] = (),
        ready_timeout_s: float = _READY_S,
    ) -> RunningEngine:
        """Launches with a launcher of its own."""
        return await self.launcher().launch(
            spec, devices, log_path=log_path, ready_timeout_s=ready_timeout_s
        )

    def _serve_once(self, log_path: Path, devices: Sequence[str] = ()) -> int | None:
        """Launches an engine and stops it; its exit code while it lives."""

        async def serve() -> int | None:
            launched = self.launch(self.good_spec(), log_path, devices=devices)
            async with await launched as engine:
                return engine.exit_code()

        return asyncio.run(serve())

    def test_a_ready_engine_lives_and_may_be_stopped_twice(self, tmp_path: Path) -> None:
        async def live() -> tuple[int | None, float, Path]:
            async with await self.launch(self.good_spec(), tmp_path / "engine.log") as engine:
                seen = engine.exit_code(), engine.startup_s, engine.log_path
            await engine.stop()
            return seen

        exit_code, startup_s, log_path = asyncio.run(live())
        assert exit_code is None, "a live engine has no exit code"
        assert startup_s > 0
        assert log_path == tmp_path / "engine.log"

    def test_the_log_begins_with_the_command(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "folder" / "engine.log"
        self._serve_once(path)
        command = re.escape(self.good_spec().command(_PORT, host=_HOST))
        bound = command.replace(str(_PORT), r"\d+").replace(re.escape(_HOST), r"\S+")
        assert re.search(bound, path.read_text(encoding="utf-8").splitlines()[0])

    def test_the_log_of_an_earlier_launch_is_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "engine.log"
        path.write_text("of an earlier launch\n" * 50, encoding="utf-8")
        self._serve_once(path)
        assert "of an earlier launch" not in path.read_text(encoding="utf-8")

    def test_a_failure_is_classified_and_leaves_nothing(
        self, failing_kind: FailureKind, tmp_path: Path
    ) -> None:
        spec = self.failing_spec(failing_kind)
        assert spec is not None
        timeout_s = _NOT_READY_S if failing_kind is FailureKind.NOT_READY else _READY_S
        with_mark, mark = marked(spec)
        path = tmp_path / "engine.log"
        with pytest.raises(LaunchFailed) as caught:
            asyncio.run(self.launch(with_mark, path, ready_timeout_s=timeout_s))
        failure = caught.value.failure
        assert failure.kind is failing_kind, failure
        assert failure.message
        last_line = path.read_text(encoding="utf-8").splitlines()[-1]
        assert failure.log_tail.splitlines()[-1] == last_line[:300]
        assert not self.left(mark)

    def test_an_error_inside_the_block_stops_the_engine(self, tmp_path: Path) -> None:
        spec, mark = marked(self.good_spec())

        async def fail() -> None:
            async with await self.launch(spec, tmp_path / "engine.log"):
                raise KeyError("made to fail")

        with pytest.raises(KeyError, match="made to fail"):
            asyncio.run(fail())
        assert not self.left(mark)

    @pytest.mark.parametrize("devices", [(), ("2", "3"), ("MIG-ab",)])
    def test_devices_are_given(self, devices: Sequence[str], tmp_path: Path) -> None:
        assert self._serve_once(tmp_path / "engine.log", devices) is None

    def test_a_log_that_cannot_be_written_is_an_error_of_the_launcher(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("no folder", encoding="utf-8")
        spec, mark = marked(self.good_spec())
        with pytest.raises(LaunchError, match=r"engine\.log"):
            asyncio.run(self.launch(spec, tmp_path / "file" / "engine.log"))
        assert not self.left(mark)

    def test_the_handle_of_an_engine_that_has_ended_reaps_nothing(self, tmp_path: Path) -> None:
        async def live() -> tuple[EngineHandle, Reaped, int | None]:
            async with await self.launch(self.good_spec(), tmp_path / "1.log") as first:
                pass
            async with await self.launch(self.good_spec(), tmp_path / "2.log") as second:
                reaped = await asyncio.to_thread(self.launcher().reap, by_text(first.handle))
                return first.handle, reaped, second.exit_code()

        handle, reaped, of_another = asyncio.run(live())
        assert all((handle.kind, handle.id, handle.host)), "a handle has no empty part"
        assert by_text(handle) == handle
        assert (reaped, of_another) == (Reaped.GONE, None)


class LauncherContract(AnyLauncherContract):
    """Contract of launchers of engines that run; inherit from it, name the subclass `Test…`.

    `testing.processes.LocalProcesses` has the hooks for processes of this machine.

    Attributes:
        owner_starts_by: how a process that launches is started (see `multiprocessing`); `spawn`
            where a launcher's library does not bear a fork.
    """

    owner_starts_by: Literal["fork", "spawn"] = "fork"

    @abstractmethod
    def kill_engine(self, mark: str) -> bool:
        """Kills a live engine as the kernel does when memory runs out, and not what guards it;
        False where that cannot be done."""

    def visible_gpus(self, mark: str) -> tuple[str, ...] | None:
        """The GPUs that a live engine can see; None where that is not known."""
        return None

    def never_ready(self) -> LaunchSpec:
        """A live engine whose health is asked for where it never answers 200."""
        return replace(self.good_spec(), health_path="/never")

    def run(self, spec: LaunchSpec, log_path: Path, devices: Sequence[str] = ()) -> SeenServing:
        """Launches `spec`, keeps what can be seen while it serves, and stops it twice."""

        async def launch_and_stop() -> SeenServing:
            with_mark, mark = marked(spec)
            engine = await self.launch(with_mark, log_path, devices=devices)
            async with engine:
                served = await answers(engine, spec.health_path)
                running = await asyncio.to_thread(self.left, mark)
                gpus = await asyncio.to_thread(self.visible_gpus, mark)
            await engine.stop()
            serves = await answers(engine, spec.health_path)
            return SeenServing(mark, served, serves, running, self.left(mark), gpus)

        return asyncio.run(launch_and_stop())

    @pytest.mark.parametrize("devices", [(), ("2", "3"), ("GPU-ab", "GPU-cd")])
    def test_devices_given_are_devices_used(
        self, devices: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever the environments say: of this process, and of the launch."""
        for name in (*VISIBLE, "ROCR_VISIBLE_DEVICES"):
            monkeypatch.setenv(name, "0,1")
        spec = self.good_spec()
        spec = replace(spec, env=(*spec.env, (VISIBLE[0], "5")))
        seen = self.run(spec, tmp_path / "engine.log", devices)
        assert seen.running, "nothing ran while the engine served"
        assert seen.gpus in (None, tuple(devices))

    def test_an_engine_is_ready_when_launch_returns(self, tmp_path: Path) -> None:
        seen = self.run(self.good_spec(), tmp_path / "engine.log")
        assert seen.served, "the engine does not serve after launch"

    def test_a_stopped_engine_serves_no_more_and_leaves_nothing(self, tmp_path: Path) -> None:
        seen = self.run(self.good_spec(), tmp_path / "engine.log")
        assert seen.running, "nothing ran while the engine served"
        assert not seen.serves_after
        assert not seen.left

    def test_what_the_engine_started_goes_with_it(self, tmp_path: Path) -> None:
        child = "(trap '' TERM; exec sleep 611) &"
        seen = self.run(in_shell(self.good_spec(), f'{child} exec "$@"'), tmp_path / "engine.log")
        assert any("sleep 611" in words for words in seen.running)
        assert not seen.left

    def test_an_engine_that_ignores_sigterm_is_killed(self, tmp_path: Path) -> None:
        stubborn = in_shell(self.good_spec(), "trap '' TERM; \"$@\" & while :; do sleep 1; done")
        seen = self.run(stubborn, tmp_path / "engine.log")
        assert seen.served
        assert not seen.serves_after
        assert not seen.left

    def test_an_engine_that_is_never_healthy_is_not_ready_in_time(self, tmp_path: Path) -> None:
        spec, mark = marked(self.never_ready())
        with pytest.raises(LaunchFailed) as caught:
            launch = self.launch(spec, tmp_path / "e.log", ready_timeout_s=_NOT_READY_S)
            asyncio.run(launch)
        assert caught.value.failure.kind is FailureKind.NOT_READY
        assert not self.left(mark)

    @pytest.mark.parametrize("after_s", [0.0, 0.005, 0.05, 0.6])
    def test_a_cancelled_launch_leaves_nothing(self, after_s: float, tmp_path: Path) -> None:
        spec, mark = marked(self.never_ready())

        async def cancel() -> None:
            launch = asyncio.ensure_future(self.launch(spec, tmp_path / "engine.log"))
            await asyncio.sleep(after_s)
            launch.cancel()
            with pytest.raises(asyncio.CancelledError):
                await launch

        asyncio.run(cancel())
        assert not self.left(mark)

    def test_a_death_under_load_is_diagnosed_as_such(self, tmp_path: Path) -> None:
        spec, mark = marked(replace(self.good_spec(), failure_patterns=()))

        async def die() -> FailureKind:
            async with await self.launch(spec, tmp_path / "engine.log") as engine:
                assert engine.exit_code() is None
                if not await asyncio.to_thread(self.kill_engine, mark):
                    pytest.skip("its engines cannot be killed")
                await has_ended(engine)
                return engine.diagnose().kind

        assert asyncio.run(die()) is FailureKind.DIED_UNDER_LOAD
        assert not self.left(mark)

    def test_a_missing_program_is_an_error_of_the_launcher(self, tmp_path: Path) -> None:
        argv = (str(tmp_path / "nothing"), "--host", "{host}", "--port", "{port}")
        with pytest.raises(LaunchError, match="nothing"):
            asyncio.run(self.launch(replace(self.good_spec(), argv=argv), tmp_path / "engine.log"))

    def test_two_engines_at_once_have_addresses_and_handles_of_their_own(
        self, tmp_path: Path
    ) -> None:
        async def both() -> tuple[RunningEngine, RunningEngine]:
            first, second = await asyncio.gather(
                self.launch(self.good_spec(), tmp_path / "1.log"),
                self.launch(self.good_spec(), tmp_path / "2.log"),
            )
            async with first, second:
                await first.stop()
                assert second.exit_code() is None, "stopping one engine ended another"
                return first, second

        first, second = asyncio.run(both())
        assert first.base_url != second.base_url
        assert first.handle != second.handle

    def test_a_live_engine_is_reaped_by_its_handle_and_no_other(self, tmp_path: Path) -> None:
        spec, mark = marked(in_shell(self.good_spec(), 'sleep 613 & exec "$@"'))

        async def reap() -> tuple[Reaped, Sequence[str], int | None, int | None]:
            async with (
                await self.launch(spec, tmp_path / "1.log") as engine,
                await self.launch(self.good_spec(), tmp_path / "2.log") as other,
            ):
                reaped = await asyncio.to_thread(self.launcher().reap, by_text(engine.handle))
                left = await asyncio.to_thread(self.left, mark)
                await has_ended(engine)
                return reaped, left, engine.exit_code(), other.exit_code()

        reaped, left, exit_code, of_the_other = asyncio.run(reap())
        assert reaped is Reaped.GONE
        assert not left
        assert exit_code is not None
        assert of_the_other is None, "another engine was ended"

    def test_what_a_dead_owner_left_is_reaped_by_another_process(self, tmp_path: Path) -> None:
        spec, mark = marked(self.good_spec())
        ours, theirs = multiprocessing.Pipe(duplex=False)
        context: Any = multiprocessing.get_context(self.owner_starts_by)
        owner = context.Process(target=self._own, args=(spec, tmp_path / "engine.log", theirs))
        owner.start()
        theirs.close()
        handle = EngineHandle(**ours.recv())
        assert self.left(mark)
        os.kill(owner.pid or 0, signal.SIGKILL)
        owner.join()
        assert self.launcher().reap(handle) is Reaped.GONE
        assert not self.left(mark)
        assert self.launcher().reap(handle) is Reaped.GONE, "a second time"

    def _own(self, spec: LaunchSpec, log_path: Path, report: Connection) -> None:
        """In a process of its own: launches, says the handle, and waits to be killed."""

        async def own() -> None:
            async with await self.launch(spec, log_path) as engine:
                report.send(asdict(engine.handle))
                await asyncio.sleep(600)

        asyncio.run(own())

    def test_whoever_asked_learns_of_an_engines_start_and_end(self, tmp_path: Path) -> None:
        spec, mark = marked(self.good_spec())
        started: list[EngineHandle] = []
        gone: list[tuple[EngineHandle, Sequence[str]]] = []
        context = LaunchContext(
            os.environ, started.append, lambda handle: gone.append((handle, self.left(mark)))
        )

        async def live() -> EngineHandle:
            launcher = self.launcher().of(context)
            launch = launcher.launch(
                spec, (), log_path=tmp_path / "engine.log", ready_timeout_s=_READY_S
            )
            async with await launch as engine:
                assert (started, gone) == ([engine.handle], [])
                return engine.handle

        handle = asyncio.run(live())
        assert [ended for ended, _ in gone] == [handle]
        assert not gone[0][1], "reported before it was gone"

    def test_an_engine_that_cannot_be_recorded_does_not_live(self, tmp_path: Path) -> None:
        spec, mark = marked(self.good_spec())

        def refuse(handle: EngineHandle) -> None:
            raise KeyError("made to fail")

        async def launch() -> None:
            launcher = self.launcher().of(LaunchContext(os.environ, refuse))
            await launcher.launch(
                spec, (), log_path=tmp_path / "engine.log", ready_timeout_s=_READY_S
            )

        with pytest.raises(KeyError, match="made to fail"):
            asyncio.run(launch())
        assert not self.left(mark)
