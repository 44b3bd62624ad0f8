"""An engine in a container, on a pretended daemon: what a real one does for a moment only."""

from __future__ import annotations

import asyncio
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
from autotuner.launch.docker_daemon import DockerDaemon

SPEC = LaunchSpec("llamacpp", ("an-engine",), "fake", image="an/image:1")
RUNNING = {"Status": "running", "Running": True, "ExitCode": 0}
ENDED = {"Status": "exited", "Running": False, "ExitCode": 3}
NO_PORT: dict[str, Any] = {"Networks": {}, "Ports": {}}


class PretendedDaemon(DockerDaemon):
    """Says one after the other of a container, the last again and again."""

    def __init__(self, *states: Mapping[str, Any], output: bytes = b"") -> None:
        super().__init__("unix:///pretended")
        self.states = list(states)
        self.output = output

    def act(self, name: str, action: str, *, timeout_s: int | None = None) -> None:
        pass

    def container(self, name: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"Id": "c0ffee", "Name": name, "State": state, "NetworkSettings": NO_PORT}

    def follow(self, name: str, *, since_s: float = 0.0) -> Iterator[bytes]:
        yield self.output

    def was_signalled(self, name: str, *, until_s: float) -> bool:
        return False


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
