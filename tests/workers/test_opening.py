"""The start of a worker whose database is away: it waits as its loop does, and no longer."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from autotuner.errors import StoreRefusedError, StoreUnavailableError
from autotuner.store import Store
from autotuner.workers.heartbeat import WorkerTimes
from autotuner.workers.opening import opened
from autotuner.workers.worker import WorkerEnd
from free_ports import free_port

TIMES = WorkerTimes(poll_s=0.001, blocked_s=200.0)


class Away:
    """A database that refuses so many times, each of which takes ten seconds."""

    def __init__(self, times: int, folder: Path, error: type[StoreUnavailableError]) -> None:
        self.left, self.folder, self.error = times, folder, error
        self.now_s = 0.0

    def __call__(self) -> Store:
        self.now_s += 10.0
        self.left -= 1
        if self.left >= 0:
            raise self.error("it is away")
        return Store.open(self.folder)


def found(away: Away, until_idle_s: float | None = 0.0) -> Store | WorkerEnd:
    return opened(
        away,
        threading.Event(),
        until_idle_s=until_idle_s,
        times=TIMES,
        clock=lambda: away.now_s,
    )


def test_it_begins_once_the_database_is_there_and_says_once_that_it_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = found(Away(15, tmp_path, StoreUnavailableError))
    assert isinstance(store, Store)
    store.close()
    (line,) = caplog.messages
    assert "waits for its database: it is away" in line


@pytest.mark.parametrize(("until_idle_s", "waited_s"), [(0.0, 200.0), (300.0, 300.0)])
def test_it_waits_as_long_as_one_that_is_blocked(
    until_idle_s: float, waited_s: float, tmp_path: Path
) -> None:
    away = Away(1000, tmp_path, StoreUnavailableError)
    assert found(away, until_idle_s) is WorkerEnd.BLOCKED
    assert away.now_s == waited_s


def test_one_that_is_not_to_end_by_itself_waits_on(tmp_path: Path) -> None:
    store = found(Away(1000, tmp_path, StoreUnavailableError), until_idle_s=None)
    assert isinstance(store, Store)
    store.close()


def test_one_that_is_not_let_in_ends_at_once(tmp_path: Path) -> None:
    away = Away(1000, tmp_path, StoreRefusedError)
    with pytest.raises(StoreRefusedError):
        found(away)
    assert away.left == 999


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_waits_ends_when_it_is_asked_to(number: signal.Signals, tmp_path: Path) -> None:
    url = f"postgresql://me:pw-of-nobody@127.0.0.1:{free_port()}/none"
    argv = [sys.executable, "-m", "autotuner", "worker", "--until-idle", "5", "--devices", "cpu"]
    argv += ["--home", str(tmp_path), "--database", url]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        line = worker.stderr.readline()
        worker.send_signal(number)
        rest = worker.stderr.read()
    assert "waits for its database" in line
    assert "pw-of-nobody" not in line + rest
    assert "Traceback" not in rest
    assert worker.returncode == 130


def test_it_ends_either_at_once_or_after_a_time() -> None:
    argv = [sys.executable, "-m", "autotuner", "worker", "--once", "--until-idle", "5"]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --once and --until-idle 5 ")


@pytest.mark.parametrize("command", [("worker", "--once"), ("serve", "--port", "0")])
def test_a_gpu_that_is_not_there_ends_a_worker_and_a_service_at_once(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    words = [*command, "--devices", "cpu", "--gpu", "h100", "--home", str(tmp_path / "home")]
    argv = [sys.executable, "-m", "autotuner", *words]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --gpu h100: ")
