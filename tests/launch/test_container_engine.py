"""An engine in a container, on a pretended daemon: what a real one does for a moment only."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from autotuner.engines import FailureKind, LaunchSpec
from autotuner.errors import LaunchError
from autotuner.launch import EngineHandle, LaunchFailed
from autotuner.launch.container_engine import DockerEngine
from autotuner.launch.container_guard import ContainerGuard
from autotuner.launch.container_spec import Binding
from autotuner.launch.container_watch import ContainerWatch
from autotuner.launch.docker_daemon import DockerDaemon

SPEC = LaunchSpec("llamacpp", ("an-engine",), "fake", image="an/image:1")
RUNNING = {"Status": "running", "Running": True, "ExitCode": 0}
ENDED = {
    "Status": "exited",
    "Running": False,
    "ExitCode": 3,
    "FinishedAt": "2020-01-01T00:00:10.123456789Z",
}
ENDED_S = 1_577_836_810.123456
NO_PORT: dict[str, Any] = {"Networks": {}, "Ports": {}}


class PretendedDaemon(DockerDaemon):
    """Describes a container by one state after the other, by the last again and again."""

    def __init__(
        self, *states: Mapping[str, Any], output: bytes = b"", address: str = "unix:///pretended"
    ) -> None:
        super().__init__(address)
        self.states = list(states)
        self.output = output
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.answers.set()
        self.followed_since: list[float] = []
        self.signals_until: list[float] = []

    def act(self, name: str, action: str, *, timeout_s: int | None = None) -> None:
        pass

    def container(self, name: str) -> dict[str, Any]:
        self.asked.set()
        assert self.answers.wait(60)
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"Id": "c0ffee", "Name": name, "State": state, "NetworkSettings": NO_PORT}

    def follow(self, name: str, *, since_s: float = 0.0) -> Iterator[bytes]:
        self.followed_since.append(since_s)
        yield self.output

    def was_signalled(self, name: str, *, until_s: float) -> bool:
        self.signals_until.append(until_s)
        return False

    def info(self) -> dict[str, Any]:
        return {"SystemTime": "2020-01-01T00:00:00.5Z"}


def engine(daemon: DockerDaemon, folder: Path) -> DockerEngine:
    return DockerEngine(
        SPEC,
        daemon,
        "autotuner-llamacpp-1",
        "an/image:1",
        EngineHandle("docker", "autotuner-llamacpp-1 id unix:///pretended", "here"),
        Binding("0.0.0.0", 8000, "127.0.0.1"),  # noqa: S104 - of a container
        cast(ContainerGuard, None),
        folder / "engine.log",
        memory_gib=None,
        caches={},
        stop_grace_s=0.1,
        on_gone=lambda handle: None,
    )


@pytest.mark.parametrize("states", [[ENDED], [RUNNING, ENDED]], ids=["ended", "ending"])
def test_a_container_that_ends_at_once_has_no_address_and_fails_by_its_log(
    states: list[Mapping[str, Any]], tmp_path: Path
) -> None:
    """Nobody else's server at the port that it would have had counts as the engine."""
    started = engine(PretendedDaemon(*states, output=b"no such model\n"), tmp_path)
    started.start()
    assert started.base_url == ""
    with pytest.raises(LaunchFailed) as caught:
        asyncio.run(started.wait_ready(60))
    assert caught.value.failure.kind is FailureKind.DIED_LOADING
    assert "no such model" in caught.value.failure.log_tail


def test_a_running_container_without_a_published_port_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autotuner.launch.container_engine._ADDRESS_WITHIN_S", 0.0)
    with pytest.raises(LaunchError, match="has published no port of autotuner-llamacpp-1"):
        engine(PretendedDaemon(RUNNING), tmp_path).start()


def test_whether_an_engine_lives_is_answered_while_its_daemon_does_not(tmp_path: Path) -> None:
    """Who measures asks; who judges a launch waits for what is known in a moment."""
    daemon = PretendedDaemon(RUNNING, ENDED)
    daemon.answers.clear()
    watch = ContainerWatch(daemon, "a-container", (tmp_path / "engine.log").open("ab"))
    assert daemon.asked.wait(60)
    began_s = time.monotonic()
    assert watch.end is None
    assert time.monotonic() - began_s < 2
    threading.Timer(0.05, daemon.answers.set).start()
    watch.until_known()
    assert watch.end is not None
    assert watch.end.exit_code == 3


def test_a_full_disk_keeps_nobody_waiting_for_the_end_of_a_container() -> None:
    daemon = PretendedDaemon(ENDED, output=b"the last line\n")
    full = Path("/dev/full")
    watch = ContainerWatch(daemon, "a-container", full.open("ab"))
    watch.wait(60)
    watch.until_known()
    assert watch.end is not None
    assert watch.end.exit_code == 3


def test_how_a_container_ended_is_asked_by_the_clock_of_its_daemon(tmp_path: Path) -> None:
    daemon = PretendedDaemon(ENDED)
    watch = ContainerWatch(daemon, "a-container", (tmp_path / "engine.log").open("ab"))
    watch.wait(60)
    assert daemon.signals_until == [pytest.approx(ENDED_S, abs=1)]


def test_a_log_is_followed_again_by_the_clock_of_its_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autotuner.launch.container_watch._STILL_ENDING_S", 0.01)
    daemon = PretendedDaemon(RUNNING, RUNNING, ENDED, address="tcp://192.0.2.7:2375")
    watch = ContainerWatch(daemon, "a-container", (tmp_path / "engine.log").open("ab"))
    watch.wait(60)
    first, *again = daemon.followed_since
    assert first == 0
    assert again[0] == pytest.approx(ENDED_S, abs=60)
