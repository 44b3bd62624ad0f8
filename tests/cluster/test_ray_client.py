"""A cluster as `ray start --head` makes one, used from outside by its Ray Client server."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from autotuner.testing.processes import MARK, port_is_free, processes
from free_ports import free_port

pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
LOOPBACK = "127.0.0.1"
SILENT_S = 1.0
OWNER = f"""
import asyncio, os, sys, time
from pathlib import Path
from autotuner.cluster import launcher
from autotuner.config import RayConfig
from autotuner.engines import HOST, PORT, LaunchSpec

launcher._OWNER_SILENT_S = {SILENT_S}
words = ("-m", "autotuner.testing.fake_engine", "--host", HOST, "--port", PORT)
spec = LaunchSpec("llamacpp", (sys.executable, *words), "fake")

async def main():
    found = launcher.RayLauncher(RayConfig(address=sys.argv[1]), environment=os.environ)
    log_path = Path(sys.argv[2])
    async with await found.launch(spec, (), log_path=log_path, ready_timeout_s=60) as engine:
        time.sleep({2 * SILENT_S})  # as an owner that waits for its database
        await asyncio.sleep(0.3)
        print("alive" if engine.exit_code() is None else "dead", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[psutil.Process, str]]:
    """A head with its processes, and the address of its Ray Client server."""
    folder = tempfile.mkdtemp(prefix="ray-head-", dir="/tmp")  # sockets need short paths
    port, client, *others = (free_port() for _ in range(6))
    names = (
        "dashboard-agent-listen",
        "dashboard-agent-grpc",
        "runtime-env-agent",
        "metrics-export",
    )
    words = [f"--{name}-port={one}" for name, one in zip(names, others, strict=True)]
    argv = [
        *(str(Path(sys.executable).with_name("ray")), "start", "--head", "--block"),
        *(f"--port={port}", f"--ray-client-server-port={client}", *words),
        *(f"--node-ip-address={LOOPBACK}", f"--temp-dir={folder}", "--include-dashboard=false"),
        *("--num-cpus=1", f"--object-store-memory={80 * 2**20}", "--disable-usage-stats"),
    ]
    # Ray listens on every address of the machine: none but the owner has the token.
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    places = {"RAY_TMPDIR": folder, "TMPDIR": str(tmp_path)}
    environment = os.environ | {"RAY_AUTH_MODE": "token"} | places
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=environment)
    started = psutil.Process(process.pid)
    try:
        assert seen(lambda: not port_is_free(client), 60), "no Ray Client server"
        yield started, f"ray://{LOOPBACK}:{client}"
    finally:
        those = [started, *started.children(recursive=True)]
        for one in those:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()
        psutil.wait_procs(those, timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def actors(head: psutil.Process) -> list[str]:
    found = []
    for process in head.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found += [word for word in process.cmdline()[:1] if "LaunchNode" in word]
    return found


def seen(there: Callable[[], object], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not (found := there()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(found)


@pytest.mark.slow
def test_an_owner_outside_the_cluster_keeps_its_engine_while_it_waits_and_leaves_none_when_killed(
    head: tuple[psutil.Process, str], tmp_path: Path
) -> None:
    processes_of_head, address = head
    mark = uuid.uuid4().hex
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, address, str(tmp_path / "engine.log")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {MARK: mark},
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "alive\n"
        assert len(actors(processes_of_head)) == 1
        assert list(tmp_path.glob("autotuner-launches-*"))
        owner.kill()
    assert seen(lambda: not processes(mark), 20), processes(mark)
    assert seen(lambda: not actors(processes_of_head), 20)
    assert not list(tmp_path.glob("autotuner-launches-*"))
