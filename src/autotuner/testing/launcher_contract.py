"""What every launcher has to do, as tests to inherit from.

`AnyLauncherContract` holds of whatever is launched; `LauncherContract` adds what holds of
processes.
"""

from __future__ import annotations

import asyncio
import socket
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil
import pytest

from autotuner.engines import DEFAULT_PORT, FailureKind, LaunchSpec
from autotuner.errors import LaunchError
from autotuner.launch import Launcher, LaunchFailed, RunningEngine
from autotuner.launch.devices import VISIBLE, allowed_gpus

MARK = "AUTOTUNER_CONTRACT_MARK"
_POLL_S = 0.01
_READY_S = 60.0
_NOT_READY_S = 1.5


def marked(spec: LaunchSpec) -> tuple[LaunchSpec, str]:
    """`spec` with a mark in its environment, which everything that it starts inherits."""
    mark = uuid.uuid4().hex
    return replace(spec, env=(*spec.env, (MARK, mark))), mark


def processes(mark: str) -> dict[int, str]:
    """Live processes that carry `mark`: pid -> command line."""
    # What cannot be read is None: it has ended meanwhile, or is another user's.
    return {
        found.pid: " ".join(found.info["cmdline"] or ())
        for found in psutil.process_iter(["environ", "cmdline"])
        if (found.info["environ"] or {}).get(MARK) == mark
    }


def environment_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with; empty once it has ended."""
    try:
        return psutil.Process(pid).environ()
    except psutil.Error:
        return {}


def port_is_free(port: int) -> bool:
    """Whether nobody listens on `port` of the loopback."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def in_shell(spec: LaunchSpec, script: str) -> LaunchSpec:
    """`spec` started by a shell that runs `script`; the engine's own words are `"$@"`."""
    return replace(spec, argv=("sh", "-c", script, "sh", *spec.argv))


class AnyLauncherContract(ABC):
    """What holds of any launcher, whatever it starts. Supply the launcher and its specs."""

    @abstractmethod
    def launcher(self) -> Launcher:
        """The launcher under test. One that waits long before it kills makes the suite slow."""

    @abstractmethod
    def good_spec(self) -> LaunchSpec:
        """An engine that becomes ready and serves."""

    def failing_spec(self, kind: FailureKind) -> LaunchSpec | None:
        """An engine that fails with `kind`; None where there is no way to make one."""
        return None

    def left(self, mark: str) -> Sequence[str]:
        """What still runs of the launches with `mark` in their environment."""
        return ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each kind of failure that can be made."""
        if "failing_kind" in metafunc.fixturenames:
            kinds = [kind for kind in FailureKind if self.failing_spec(kind) is not None]
            metafunc.parametrize("failing_kind", kinds)

    async def _launch(
        self,
        spec: LaunchSpec,
        log_path: Path,
        *,
        devices: Sequence[str] | None = None,
        ready_timeout_s: float = _READY_S,
    ) -> RunningEngine:
        return await self.launcher().launch(
            spec, devices=devices, log_path=log_path, ready_timeout_s=ready_timeout_s
        )

    def test_a_ready_engine_lives_and_may_be_stopped_twice(self, tmp_path: Path) -> None:
        async def live() -> tuple[int | None, float, Path]:
            async with await self._launch(self.good_spec(), tmp_path / "engine.log") as engine:
                seen = engine.exit_code(), engine.startup_s, engine.log_path
            await engine.stop()
            return seen

        exit_code, startup_s, log_path = asyncio.run(live())
        assert exit_code is None, "a live engine has no exit code"
        assert startup_s > 0
        assert log_path == tmp_path / "engine.log"

    def test_the_log_begins_with_the_command(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "folder" / "engine.log"

        async def begin() -> str:
            async with await self._launch(self.good_spec(), path) as engine:
                return self.good_spec().command(urlsplit(engine.base_url).port or DEFAULT_PORT)

        command = asyncio.run(begin())
        assert command in path.read_text(encoding="utf-8").splitlines()[0]

    def test_the_log_of_an_earlier_launch_is_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "engine.log"
        path.write_text("of an earlier launch\n" * 50, encoding="utf-8")

        async def begin() -> None:
            async with await self._launch(self.good_spec(), path):
                pass

        asyncio.run(begin())
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
            asyncio.run(self._launch(with_mark, path, ready_timeout_s=timeout_s))
        failure = caught.value.failure
        assert failure.kind is failing_kind, failure
        assert failure.message
        last_line = path.read_text(encoding="utf-8").splitlines()[-1]
        assert failure.log_tail.splitlines()[-1] == last_line[:300]
        assert not self.left(mark)

    def test_an_error_inside_the_block_stops_the_engine(self, tmp_path: Path) -> None:
        spec, mark = marked(self.good_spec())

        async def fail() -> None:
            async with await self._launch(spec, tmp_path / "engine.log"):
                raise KeyError("made to fail")

        with pytest.raises(KeyError, match="made to fail"):
            asyncio.run(fail())
        assert not self.left(mark)

    @pytest.mark.parametrize("devices", [None, (), ("2", "3"), ("MIG-ab",)])
    def test_devices_may_be_given(self, devices: Sequence[str] | None, tmp_path: Path) -> None:
        async def begin() -> int | None:
            launched = self._launch(self.good_spec(), tmp_path / "engine.log", devices=devices)
            async with await launched as engine:
                return engine.exit_code()

        assert asyncio.run(begin()) is None

    def test_a_log_that_cannot_be_written_is_an_error_of_the_launcher(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("no folder", encoding="utf-8")
        spec, mark = marked(self.good_spec())
        with pytest.raises(LaunchError, match=r"engine\.log"):
            asyncio.run(self._launch(spec, tmp_path / "file" / "engine.log"))
        assert not self.left(mark)


class LauncherContract(AnyLauncherContract):
    """What holds of launchers that start processes; inherit from it, name the subclass `Test…`."""

    def left(self, mark: str) -> Sequence[str]:
        """Processes that are still there."""
        return list(processes(mark).values())

    def never_ready(self) -> LaunchSpec:
        """A live engine whose health is asked for where it never answers 200."""
        return replace(self.good_spec(), health_path="/never")

    def run(
        self, spec: LaunchSpec, log_path: Path, devices: Sequence[str] | None = None
    ) -> _Launched:
        """Launches `spec`, keeps what can be seen while it serves, and stops it twice."""

        async def launch_and_stop() -> _Launched:
            with_mark, mark = marked(spec)
            engine = await self._launch(with_mark, log_path, devices=devices)
            async with engine:
                seen = await asyncio.to_thread(_look, engine, with_mark, mark)
            await engine.stop()
            return seen

        return asyncio.run(launch_and_stop())

    @pytest.mark.parametrize("devices", [(), ("2", "3"), ("GPU-ab", "GPU-cd")])
    def test_devices_given_are_devices_used(
        self, devices: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever the environments say: of this process, and of the launch."""
        for name in (*VISIBLE, "ROCR_VISIBLE_DEVICES"):
            monkeypatch.setenv(name, "0,1")
        spec = self.good_spec()
        seen = self.run(
            replace(spec, env=(*spec.env, (VISIBLE[0], "5"))),
            tmp_path / "engine.log",
            devices=devices,
        )
        assert seen.environments, "no process was there while the engine served"
        for environment in seen.environments:
            assert allowed_gpus(environment) == tuple(devices)

    def test_devices_that_are_not_given_are_what_the_environment_says(self, tmp_path: Path) -> None:
        spec = self.good_spec()
        seen = self.run(replace(spec, env=(*spec.env, (VISIBLE[0], "5"))), tmp_path / "engine.log")
        assert {allowed_gpus(environment) for environment in seen.environments} == {("5",)}

    def test_an_engine_is_ready_when_launch_returns(self, tmp_path: Path) -> None:
        seen = self.run(self.good_spec(), tmp_path / "engine.log")
        assert seen.health == 200, "the engine does not serve after launch"

    def test_stop_frees_the_port_and_leaves_no_process(self, tmp_path: Path) -> None:
        seen = self.run(self.good_spec(), tmp_path / "engine.log")
        assert seen.processes, "no process was there while the engine served"
        assert processes(seen.mark) == {}
        assert port_is_free(seen.port)

    def test_what_the_engine_started_goes_with_it(self, tmp_path: Path) -> None:
        child = "(trap '' TERM; exec sleep 611) &"
        seen = self.run(in_shell(self.good_spec(), f'{child} exec "$@"'), tmp_path / "engine.log")
        assert any(command.startswith("sleep 611") for command in seen.processes.values())
        assert processes(seen.mark) == {}

    def test_an_engine_that_ignores_sigterm_is_killed(self, tmp_path: Path) -> None:
        stubborn = in_shell(self.good_spec(), "trap '' TERM; \"$@\" & while :; do sleep 1; done")
        seen = self.run(stubborn, tmp_path / "engine.log")
        assert seen.health == 200
        assert processes(seen.mark) == {}
        assert port_is_free(seen.port)

    def test_an_engine_that_is_never_healthy_is_not_ready_in_time(self, tmp_path: Path) -> None:
        spec, mark = marked(self.never_ready())
        with pytest.raises(LaunchFailed) as caught:
            launch = self._launch(spec, tmp_path / "e.log", ready_timeout_s=_NOT_READY_S)
            asyncio.run(launch)
        assert caught.value.failure.kind is FailureKind.NOT_READY
        assert processes(mark) == {}

    @pytest.mark.parametrize("after_s", [0.0, 0.005, 0.05, 0.6])
    def test_a_cancelled_launch_leaves_nothing(self, after_s: float, tmp_path: Path) -> None:
        spec, mark = marked(self.never_ready())

        async def cancel() -> None:
            launch = asyncio.ensure_future(self._launch(spec, tmp_path / "engine.log"))
            await asyncio.sleep(after_s)
            launch.cancel()
            with pytest.raises(asyncio.CancelledError):
                await launch

        asyncio.run(cancel())
        assert processes(mark) == {}

    def test_a_death_under_load_is_told_as_such(self, tmp_path: Path) -> None:
        # The shell ends with its own code some time after the engine is ready.
        dying = in_shell(self.good_spec(), '"$@" & read -r line < "$MORTAL"; kill $!; exit 7')
        fifo = tmp_path / "mortal"
        fifo_spec = replace(dying, env=(*dying.env, ("MORTAL", str(fifo))), failure_patterns=())

        async def die() -> tuple[int | None, FailureKind]:
            async with await self._launch(fifo_spec, tmp_path / "engine.log") as engine:
                assert engine.exit_code() is None
                await asyncio.to_thread(fifo.write_text, "now\n")
                while engine.exit_code() is None:  # noqa: ASYNC110 - it is what is tested
                    await asyncio.sleep(_POLL_S)
                return engine.exit_code(), engine.diagnose().kind

        _make_fifo(fifo)
        assert asyncio.run(die()) == (7, FailureKind.DIED_UNDER_LOAD)

    def test_a_missing_program_is_an_error_of_the_launcher(self, tmp_path: Path) -> None:
        spec = replace(self.good_spec(), argv=(str(tmp_path / "nothing"), "--port", "{port}"))
        with pytest.raises(LaunchError, match="nothing"):
            asyncio.run(self._launch(spec, tmp_path / "engine.log"))

    def test_two_engines_at_once_have_ports_of_their_own(self, tmp_path: Path) -> None:
        async def both() -> tuple[str, str]:
            first, second = await asyncio.gather(
                self._launch(self.good_spec(), tmp_path / "1.log"),
                self._launch(self.good_spec(), tmp_path / "2.log"),
            )
            async with first, second:
                await first.stop()
                assert second.exit_code() is None, "stopping one engine ended another"
                return first.base_url, second.base_url

        first, second = asyncio.run(both())
        assert first != second


class _Launched:
    """What was seen of an engine while it served."""

    def __init__(self, engine: RunningEngine, spec: LaunchSpec, mark: str) -> None:
        self.mark = mark
        self.port = urlsplit(engine.base_url).port or 0
        self.processes = processes(mark)
        self.environments = [environment_of(pid) for pid in self.processes]
        with urlopen(engine.base_url + spec.health_path, timeout=10) as answer:  # noqa: S310
            self.health: int = answer.status


def _look(engine: RunningEngine, spec: LaunchSpec, mark: str) -> _Launched:
    return _Launched(engine, spec, mark)


def _make_fifo(path: Path) -> None:
    import os

    os.mkfifo(path)
