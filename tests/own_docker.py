"""A Docker daemon of the tests' own, with an image of the engines that are here.

Never the user's daemon: it has its folders, its socket and its bridge to itself, and leaves the
firewall alone. It needs `dockerd` and a root user.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from autotuner.errors import LaunchError
from autotuner.launch.docker_daemon import DockerDaemon
from autotuner.testing.engine_image import build

IMAGE = "autotuner-tests/engines:1.2.3"
LIKE_VLLM = """
shift 2
while [ $# -gt 1 ]; do
  case $1 in --host) host=$2 ;; --port) port=$2 ;; esac
  shift
done
exec fake-engine --host "$host" --port "$port" --slots 4
"""
"""The fake engine as vLLM is started: `vllm serve MODEL --host … --port …`."""
_READY_S = 60.0
_HOOK = "nvidia-container-runtime-hook"
"""Its presence has the daemon take requests for NVIDIA's GPUs; this one gives a container nothing
but the variables that say which it was to get."""


class OwnDocker:
    """A daemon that can be stopped and started again.

    Attributes:
        daemon, by_network: ask it by its socket, and as one of another machine is asked.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bridge = f"at{os.getpid() % 10**7}"
        self._process: subprocess.Popen[bytes] | None = None
        self._address = f"10.213.{os.getpid() % 250}.1"
        self.daemon = DockerDaemon(f"unix://{folder}/s")
        self.by_network = DockerDaemon(f"tcp://{self._address}:2375")

    def start(self, *more: str) -> None:
        """Starts the daemon and waits until it answers."""
        folder = self._folder
        arguments = (
            *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
            *("--pidfile", f"{folder}/pid", "--host", self.daemon.address),
            *("--host", self.by_network.address, "--tls=false"),
            *("--bridge", self._bridge, "--iptables=false", "--ip6tables=false", "--ip-masq=false"),
            *more,
        )
        path = os.pathsep.join((str(folder / "bin"), "/usr/sbin", "/sbin", os.environ["PATH"]))
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["dockerd", *arguments],  # noqa: S607 - wherever it is installed
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": path},
                start_new_session=True,
            )
        deadline = time.monotonic() + _READY_S
        while True:
            try:
                self.daemon.facts()
                return
            except LaunchError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    end = (folder / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"dockerd does not start: {error}\n{end}") from None
            time.sleep(0.1)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends the daemon, and with it what it runs."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def prepare(self) -> None:
        """Makes what the daemon needs of the machine."""
        hook = self._folder / "bin" / _HOOK
        hook.parent.mkdir()
        hook.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        hook.chmod(0o755)
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("addr", "add", f"{self._address}/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")

    def clean(self) -> None:
        """Removes all of it."""
        self.stop()
        _ip("link", "delete", self._bridge)
        # The name space of the machine's own network stays mounted where a container was in it.
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for path in reversed(mounted):
            if Path(path).is_relative_to(self._folder):
                subprocess.run(["umount", "--lazy", path], check=False)  # noqa: S607
        shutil.rmtree(self._folder, ignore_errors=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)  # noqa: S607


def why_not() -> str:
    """Why no daemon can be started here; empty where one can."""
    if os.getuid() != 0:
        return "a Docker daemon of the tests' own needs root"
    missing = [name for name in ("dockerd", "ip") if _found(name) is None]
    if missing:
        return f"{' and '.join(missing)} not installed: `apt-get install docker.io iproute2`"
    return ""


def _found(program: str) -> str | None:
    return shutil.which(program, path=os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin")))


@contextmanager
def own_docker(folder: Path, arguments: Sequence[str] = ()) -> Iterator[OwnDocker]:
    """A daemon with its image until the block ends; skips the test where there can be none."""
    if reason := why_not():
        pytest.skip(reason)
    docker = OwnDocker(folder)
    docker.prepare()
    try:
        docker.start(*arguments)
        build(docker.daemon, IMAGE, {"vllm": LIKE_VLLM})
        yield docker
    finally:
        docker.clean()
