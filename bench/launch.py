"""Overhead of each launcher per launch, beside the engine's own start.

Docker takes at most 2 s, Ray at most 1 s after the first.

The fake engine is started by hand and by each launcher, in turns, until its health answers; the
difference of the medians is the launcher's own. A launcher whose means are not here is left out,
with the reason.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autotuner.cluster.connection import connected
from autotuner.cluster.launcher import RayLauncher
from autotuner.config import RayConfig
from autotuner.engines import HOST, PORT, LaunchSpec
from autotuner.errors import LaunchError, NoAnswerError
from autotuner.http_client import BaseUrl, get
from autotuner.launch import Launcher, LocalLauncher
from autotuner.launch.docker import DockerLauncher
from autotuner.launch.docker_daemon import DockerDaemon
from autotuner.launch.ports import free_port
from autotuner.testing.engine_image import PYTHON, build

ROUNDS = 7
POLL_S = 0.005
IMAGE = "inference-autotuner/bench:local"
_BOUND = ("-m", "autotuner.testing.fake_engine", "--host", HOST, "--port", PORT)


@dataclass(frozen=True)
class Row:
    """A launcher, and the most that it may add to an engine's start.

    Attributes:
        ready: makes what it needs; raises `LaunchError` where that is not here.
    """

    name: str
    limit_s: float
    ready: Callable[[], tuple[Launcher, LaunchSpec]]


def _local() -> tuple[Launcher, LaunchSpec]:
    return LocalLauncher(), LaunchSpec("llamacpp", (sys.executable, *_BOUND), "fake")


def _docker() -> tuple[Launcher, LaunchSpec]:
    build(DockerDaemon.here(), IMAGE)
    return DockerLauncher(), LaunchSpec("llamacpp", (PYTHON, *_BOUND), "fake", image=IMAGE)


def _ray() -> tuple[Launcher, LaunchSpec]:
    config = RayConfig(address="local")
    connected(config.address)
    return RayLauncher(config, environment=os.environ), _local()[1]


ROWS = (Row("local", 0.5, _local), Row("docker", 2.0, _docker), Row("ray", 1.0, _ray))


async def by_hand() -> float:
    """Seconds until the engine answers, started without any launcher."""
    port, began_s = free_port(), time.monotonic()
    words = LaunchSpec("llamacpp", (sys.executable, *_BOUND), "fake").argv_for(port)
    engine = await asyncio.create_subprocess_exec(
        *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                if (await get(BaseUrl("http", "127.0.0.1", port), "/health")).status == 200:
                    return time.monotonic() - began_s
            except NoAnswerError:
                await asyncio.sleep(POLL_S)
    finally:
        engine.kill()
        await engine.wait()


async def by_launcher(launcher: Launcher, spec: LaunchSpec, log_path: Path) -> tuple[float, float]:
    """Seconds until `launch` has returned, and those that stopping took."""
    began_s = time.monotonic()
    engine = await launcher.launch(spec, (), log_path=log_path, ready_timeout_s=120)
    ready_s = time.monotonic()
    await engine.stop()
    return ready_s - began_s, time.monotonic() - ready_s


async def main() -> int:
    """Prints the table; 1 where a launcher takes more than it may."""
    ready = []
    for row in ROWS:
        try:
            ready.append((row, *row.ready()))
        except LaunchError as error:
            print(f"{row.name}: left out: {error.message}")
    bare: list[float] = []
    taken: dict[str, list[tuple[float, float]]] = {row.name: [] for row, _, _ in ready}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS + 1):
            figures = {"": (await by_hand(), 0.0)}
            for row, launcher, spec in ready:
                figures[row.name] = await by_launcher(launcher, spec, Path(folder) / "engine.log")
            if number:  # the first one warms caches
                bare.append(figures.pop("")[0])
                for name, seconds in figures.items():
                    taken[name].append(seconds)
    own_s = statistics.median(bare)
    print(f"the engine's own start: {own_s:.2f} s; medians of {ROUNDS}")
    print(f"{'launcher':10} {'start':>8} {'overhead':>9} {'stop':>8} {'at most':>8}")
    failed = False
    for row, _, _ in ready:
        start_s, stop_s = (statistics.median(c) for c in zip(*taken[row.name], strict=True))
        failed |= start_s - own_s > row.limit_s
        print(
            f"{row.name:10} {start_s:6.2f} s {start_s - own_s:7.2f} s {stop_s:6.2f} s "
            f"{row.limit_s:6.1f} s"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
