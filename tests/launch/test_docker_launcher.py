"""The Docker launcher on a real daemon: the contract on the fake engine, and nothing is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

import pytest

from autotuner.engines import HOST, PORT, FailureKind, LaunchSpec, engine_named
from autotuner.launch.docker import DockerLauncher
from autotuner.testing.engine_image import PYTHON
from autotuner.testing.launcher_contract import LauncherContract
from autotuner.testing.processes import MARK, environment_of, processes
from own_docker import IMAGE, OwnDocker

pytestmark = pytest.mark.slow
PATTERNS = engine_named("llamacpp").table.failures
FLAGS = {
    FailureKind.OUT_OF_MEMORY: ("--fail", "oom-start"),
    FailureKind.UNKNOWN_FLAG: ("--no-such-flag",),
    FailureKind.MODEL_LOAD: ("--fail", "model-load"),
    FailureKind.DIED_LOADING: ("--fail", "crash-start"),
    FailureKind.NOT_READY: ("--fail", "hang-start"),
}


@pytest.fixture(autouse=True)
def daemon_of_the_environment(docker_here: OwnDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The launcher finds the daemon as Docker's own tools do."""
    monkeypatch.setenv("DOCKER_HOST", docker_here.daemon.address)


def fake(*flags: str) -> LaunchSpec:
    argv = (PYTHON, "-m", "autotuner.testing.fake_engine", "--host", HOST, "--port", PORT, *flags)
    return LaunchSpec("llamacpp", argv, "fake", failure_patterns=PATTERNS, image=IMAGE)


class TestDockerLauncher(LauncherContract):
    def launcher(self) -> DockerLauncher:
        return DockerLauncher(stop_grace_s=0.5)

    def good_spec(self) -> LaunchSpec:
        return fake()

    def failing_spec(self, kind: FailureKind) -> LaunchSpec | None:
        return fake(*FLAGS[kind]) if kind in FLAGS else None

    def left(self, mark: str) -> Sequence[str]:
        """Processes, and containers whether they run or not."""
        daemon = self.launcher().daemon
        found = daemon.containers(stopped=True)
        names = [each["Name"] for each in found if f"{MARK}={mark}" in each["Config"]["Env"]]
        return [*processes(mark).values(), *names]

    def visible_gpus(self, mark: str) -> tuple[str, ...] | None:
        """The GPUs that the daemon gives a container, as its runtime for them reads it."""
        (seen,) = {environment_of(pid)["NVIDIA_VISIBLE_DEVICES"] for pid in processes(mark)}
        return () if seen == "void" else tuple(seen.split(","))

    def kill_engine(self, mark: str) -> bool:
        for pid in processes(mark):
            os.kill(pid, signal.SIGKILL)
        return True
