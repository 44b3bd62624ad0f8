"""Whom the engine in a container belongs to, by its handle; without a daemon."""

from __future__ import annotations

import pytest

from autotuner.errors import LaunchError
from autotuner.launch import EngineHandle, Reaped
from autotuner.launch import docker as docker_launcher
from autotuner.launch.docker import DockerLauncher
from autotuner.launch.docker_daemon import DaemonFacts, DockerDaemon
from autotuner.launch.docker_failures import DockerUnavailableError
from autotuner.launch.processes import this_machine

ADDRESS = "unix:///var/run/docker.sock"
FACTS = DaemonFacts("DAEMON", "here", "27.0", "amd64", 2, 8.0, runs_nvidia=False)


def handle(host: str, daemon: str = "DAEMON") -> EngineHandle:
    return EngineHandle("docker", f"autotuner-llamacpp-1 {daemon} {ADDRESS}", host)


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []

    def remove(daemon: DockerDaemon, name: str) -> bool:
        names.append(name)
        return True

    monkeypatch.setattr(docker_launcher, "removed", remove)
    return names


def test_a_worker_in_a_new_container_ends_what_the_one_before_left(
    monkeypatch: pytest.MonkeyPatch, removed: list[str]
) -> None:
    monkeypatch.setattr(DockerDaemon, "facts", lambda self: FACTS)
    assert DockerLauncher.reap(handle("worker-of-yesterday")) is Reaped.GONE
    assert removed == ["autotuner-llamacpp-1"]


def test_another_daemon_at_the_same_address_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, removed: list[str]
) -> None:
    monkeypatch.setattr(DockerDaemon, "facts", lambda self: FACTS)
    assert DockerLauncher.reap(handle(this_machine().host, "OTHER")) is Reaped.ELSEWHERE
    assert not removed


def test_a_daemon_that_does_not_answer_is_of_another_machine_or_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(self: DockerDaemon) -> DaemonFacts:
        raise DockerUnavailableError("nobody answers")

    monkeypatch.setattr(DockerDaemon, "facts", away)
    assert DockerLauncher.reap(handle("another-machine")) is Reaped.ELSEWHERE
    with pytest.raises(LaunchError, match="nobody answers"):
        DockerLauncher.reap(handle(this_machine().host))
