"""The local launcher: the contract on the fake engine, and no engine outlives its tuner."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.engines import HOST, PORT, FailureKind, FailurePattern, LaunchSpec, engine_named
from autotuner.errors import LaunchError
from autotuner.http_client import BaseUrl
from autotuner.launch import EngineHandle, LaunchFailed, LocalLauncher, Reaped
from autotuner.launch.engine_log import TAIL_LINES, classify, read_tail
from autotuner.launch.processes import process_of, this_machine
from autotuner.testing.launched import in_shell, marked
from autotuner.testing.launcher_contract import LauncherContract
from autotuner.testing.processes import MARK, LocalProcesses, port_is_free, processes

PATTERNS = engine_named("llamacpp").table.failures
FLAGS = {
    FailureKind.OUT_OF_MEMORY: ("--fail", "oom-start"),
    FailureKind.UNKNOWN_FLAG: ("--no-such-flag",),
    FailureKind.MODEL_LOAD: ("--fail", "model-load"),
    FailureKind.DIED_LOADING: ("--fail", "crash-start"),
    FailureKind.NOT_READY: ("--fail", "hang-start"),
}


def fake(*flags: str) -> LaunchSpec:
    engine = (sys.executable, "-m", "autotuner.testing.fake_engine")
    argv = (*engine, "--host", HOST, "--port", PORT, *flags)
    return LaunchSpec("llamacpp", argv, "fake", failure_patterns=PATTERNS)


class TestLocalLauncher(LocalProcesses, LauncherContract):
    def launcher(self) -> LocalLauncher:
        return LocalLauncher(stop_grace_s=0.5)

    def good_spec(self) -> LaunchSpec:
        return fake()

    def failing_spec(self, kind: FailureKind) -> LaunchSpec | None:
        return fake(*FLAGS[kind]) if kind in FLAGS else None

    def test_the_fake_that_ignores_sigterm_is_killed(self, tmp_path: Path) -> None:
        seen = self.run(fake("--fail", "ignore-term"), tmp_path / "engine.log")
        assert not seen.left

    def test_a_port_taken_every_time_is_reported_after_some_tries(self, tmp_path: Path) -> None:
        tries = tmp_path / "tries"
        script = f"echo x >> '{tries}'; echo \"error: couldn't bind to port\"; exit 1"
        with pytest.raises(LaunchFailed) as caught:
            asyncio.run(self.launch(in_shell(fake(), script), tmp_path / "engine.log"))
        assert caught.value.failure.kind is FailureKind.PORT_TAKEN
        assert len(tries.read_text().split()) > 1

    def test_a_port_taken_once_costs_a_new_try(self, tmp_path: Path) -> None:
        first = tmp_path / "first"
        script = (
            f"if [ ! -e '{first}' ]; then touch '{first}'; echo \"couldn't bind\"; exit 1; fi; "
            'exec "$@"'
        )
        seen = self.run(in_shell(fake(), script), tmp_path / "engine.log")
        assert seen.served
        assert first.exists()

    def test_an_engine_that_ends_by_itself_says_how(self, tmp_path: Path) -> None:
        # The shell ends with its own code some time after the engine is ready.
        dying = in_shell(fake(), '"$@" & read -r line < "$MORTAL"; kill $!; exit 7')
        fifo = tmp_path / "mortal"
        os.mkfifo(fifo)
        spec = replace(dying, env=(*dying.env, ("MORTAL", str(fifo))), failure_patterns=())

        async def die() -> tuple[int | None, FailureKind]:
            async with await self.launch(spec, tmp_path / "engine.log") as engine:
                assert engine.exit_code() is None
                await asyncio.to_thread(fifo.write_text, "now\n")
                while engine.exit_code() is None:  # noqa: ASYNC110 - it is what is tested
                    await asyncio.sleep(0.01)
                return engine.exit_code(), engine.diagnose().kind

        assert asyncio.run(die()) == (7, FailureKind.DIED_UNDER_LOAD)

    def test_the_engine_binds_to_the_address_that_is_returned(self, tmp_path: Path) -> None:
        async def begin() -> str:
            async with await self.launch(fake(), tmp_path / "engine.log") as engine:
                return engine.base_url

        base = BaseUrl.parse(asyncio.run(begin()))
        line = (tmp_path / "engine.log").read_text(encoding="utf-8").splitlines()[0]
        assert f"--host {base.host} --port {base.port}" in line

    def test_a_process_that_has_the_id_of_an_engine_now_is_not_reaped(self) -> None:
        """Its start, its boot and its machine tell it from the engine that had the id before."""
        child = subprocess.Popen(["/bin/sleep", "614"], start_new_session=True)
        try:
            here, started = this_machine(), process_of(child.pid).started
            ids = {
                f"{child.pid}:{started - 1}:{here.boot}": Reaped.GONE,
                f"{child.pid}:{started}:another/1": Reaped.ELSEWHERE,
                f"{2**22 + 1}:{started}:{here.boot}": Reaped.GONE,
            }
            for handle_id, reaped in ids.items():
                assert LocalLauncher.reap(EngineHandle("local", handle_id, here.host)) is reaped
            of_this = f"{child.pid}:{started}:{here.boot}"
            handle = EngineHandle("local", of_this, "another machine")
            assert LocalLauncher.reap(handle) is Reaped.ELSEWHERE
            assert child.poll() is None, "it was ended in the place of another"
            assert LocalLauncher.reap(EngineHandle("local", of_this, here.host)) is Reaped.GONE
            assert child.wait(timeout=10) == -signal.SIGTERM
        finally:
            child.kill()
            child.wait()

    @pytest.mark.parametrize(
        "handle",
        [
            EngineHandle("local", "", "here"),
            EngineHandle("local", "12:x:boot", "here"),
            EngineHandle("local", "-1:5:boot", "here"),
            EngineHandle("local", "12:5", "here"),
            EngineHandle("docker", "12:5:boot", "here"),
        ],
    )
    def test_what_is_no_handle_of_its_own_is_refused(self, handle: EngineHandle) -> None:
        with pytest.raises(LaunchError, match="no handle of the launcher 'local'"):
            LocalLauncher.reap(handle)

    def test_the_environment_of_the_spec_reaches_the_engine(self, tmp_path: Path) -> None:
        seen = self.run(in_shell(fake(), f'echo "mark=${MARK}"; exec "$@"'), tmp_path / "e.log")
        assert f"mark={seen.mark}" in (tmp_path / "e.log").read_text()


TUNER = """
import asyncio, signal, sys
from pathlib import Path
from autotuner.engines import LaunchSpec
from autotuner.launch import LocalLauncher

# Whoever runs the tests in the background ignores Ctrl-C, and what is started inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

async def main():
    spec = LaunchSpec("llamacpp", tuple(sys.argv[2:]), "fake")
    launcher = LocalLauncher(stop_grace_s=0.5)
    async with await launcher.launch(spec, (), log_path=Path(sys.argv[1]), ready_timeout_s=60) as e:
        print(e.base_url.rpartition(":")[2], flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


class Tuner:
    """A process of its own that has launched an engine and holds it."""

    def __init__(self, spec: LaunchSpec, log_path: Path) -> None:
        spec, self.mark = marked(spec)
        self.process = subprocess.Popen(
            [sys.executable, "-c", TUNER, str(log_path), *spec.argv],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **dict(spec.env)},
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def supervisor(self) -> int:
        (pid,) = (
            pid for pid, command in processes(self.mark).items() if "supervisor.py" in command
        )
        return pid

    def wait_until_gone(self, *, others: int = 0) -> None:
        """A dying process loses its environment, by which it is known, before its sockets."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if len(processes(self.mark)) <= others and port_is_free(self.port):
                return
            time.sleep(0.02)


@pytest.fixture
def tuner(tmp_path: Path) -> Iterator[Tuner]:
    made = Tuner(in_shell(fake(), 'sleep 612 & exec "$@"'), tmp_path / "engine.log")
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()
        for pid in processes(made.mark):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_outlives_its_tuner(tuner: Tuner, number: signal.Signals) -> None:
    assert len(processes(tuner.mark)) == 4, "tuner, supervisor, engine and its child"
    assert not port_is_free(tuner.port)
    tuner.process.send_signal(number)
    tuner.process.wait(timeout=30)
    tuner.wait_until_gone()
    assert processes(tuner.mark) == {}
    assert port_is_free(tuner.port)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_an_engine_ends_with_its_supervisor(tmp_path: Path) -> None:
    tuner = Tuner(fake(), tmp_path / "engine.log")
    try:
        os.kill(tuner.supervisor(), signal.SIGKILL)
        tuner.wait_until_gone(others=1)
        assert list(processes(tuner.mark)) == [tuner.process.pid]
        assert port_is_free(tuner.port)
    finally:
        tuner.process.kill()
        tuner.process.communicate()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("bind: Address already in use", FailureKind.PORT_TAKEN),
        ("error: invalid argument: --foo", FailureKind.UNKNOWN_FLAG),
        ("llama_init: V cache quantization requires flash_attn", FailureKind.BAD_SETTING),
        ("ggml: FAILED TO ALLOCATE buffer", FailureKind.OUT_OF_MEMORY),
        ("gguf_init_from_file: invalid magic characters", FailureKind.MODEL_LOAD),
    ],
)
def test_a_line_of_the_log_decides(line: str, kind: FailureKind) -> None:
    tail = f"loading\n  {line}\nbye"
    failure = classify(tail, PATTERNS, exit_code=1, was_ready=False)
    assert failure.kind is kind
    assert failure.message.endswith(f": {line}")
    assert failure.log_tail == tail


def test_the_first_pattern_of_the_table_wins_wherever_it_matches() -> None:
    patterns = (
        FailurePattern("second", FailureKind.MODEL_LOAD, "two"),
        FailurePattern("first", FailureKind.OUT_OF_MEMORY, "one"),
    )
    failure = classify("the first\nthe second", patterns, exit_code=1, was_ready=False)
    assert (failure.kind, failure.message) == (FailureKind.MODEL_LOAD, "two: the second")


@pytest.mark.parametrize(
    ("exit_code", "was_ready", "kind", "words"),
    [
        (3, False, FailureKind.DIED_LOADING, "exit code 3"),
        (0, False, FailureKind.DIED_LOADING, "exit code 0"),
        (134, True, FailureKind.DIED_UNDER_LOAD, "SIGABRT"),
        (137, True, FailureKind.DIED_UNDER_LOAD, "memory runs out"),
        (255, False, FailureKind.DIED_LOADING, "exit code 255"),
    ],
)
def test_without_a_known_line_the_end_decides(
    exit_code: int, was_ready: bool, kind: FailureKind, words: str
) -> None:
    failure = classify("nothing of note", PATTERNS, exit_code=exit_code, was_ready=was_ready)
    assert failure.kind is kind
    assert words in failure.message


@given(st.text(), st.booleans())
def test_a_live_engine_is_not_judged_by_its_log(words: str, was_ready: bool) -> None:
    failure = classify(f"out of memory\n{words}", PATTERNS, exit_code=None, was_ready=was_ready)
    assert failure.kind is (FailureKind.LOAD_ERRORS if was_ready else FailureKind.NOT_READY)


def test_the_tail_of_a_long_log_is_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = [f"line {number} " + "é" * 500 for number in range(1000)]
    path.write_bytes("\n".join(lines).encode() + b"\n\xff last")
    tail = read_tail(path).splitlines()
    assert len(tail) == TAIL_LINES
    assert tail[-1].endswith(" last")
    assert tail[-2].startswith("line 999 ")
    assert all(len(line) < 400 for line in tail)


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_tail(tmp_path / "log") == ""
