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

from autotuner.cluster.connection import probe
from autotuner.errors import LaunchError
from autotuner.testing.processes import MARK, port_is_free, processes
from free_ports import free_port

pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
LOOPBACK = "127.0.0.1"
SILENT_S = 4.0
"""Two processes of Ray's pass a heartbeat on: on a busy machine one took 1.5 s."""
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
    config = RayConfig(address=sys.argv[1], cpus=1.0)
    found = launcher.RayLauncher(config, environment=os.environ)
    log_path, mode = Path(sys.argv[2]), sys.argv[3]
    async with await found.launch(spec, (), log_path=log_path, ready_timeout_s=60) as engine:
        time.sleep({1.5 * SILENT_S})  # as an owner that waits for its database
        await asyncio.sleep(0.3)
        print("alive" if engine.exit_code() is None else "dead", flush=True)
        if mode == "serves":
            await asyncio.sleep(600)
    time.sleep({1.5 * SILENT_S})
    (reservation,) = found._idle
    print("alive" if await reservation.is_alive() else "dead", flush=True)
    time.sleep(600)

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
        *("--num-cpus=2", f"--object-store-memory={80 * 2**20}", "--disable-usage-stats"),
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


def head_port(head: psutil.Process) -> str:
    word = next(word for word in head.cmdline() if word.startswith("--port="))
    return f"{LOOPBACK}:{word.partition('=')[2]}"


def seen(there: Callable[[], object], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not (found := there()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(found)


@pytest.mark.slow
def test_owners_outside_the_cluster_keep_what_they_wait_with_and_leave_nothing_when_they_end(
    head: tuple[psutil.Process, str], tmp_path: Path
) -> None:
    processes_of_head, address = head
    for form in (address.removeprefix("ray://"), f"ray://{head_port(processes_of_head)}"):
        with pytest.raises(LaunchError, match="is the port of a") as refused:
            probe(form)
        assert refused.value.remedy.startswith("say ")
    mark = uuid.uuid4().hex
    owners = [
        subprocess.Popen(
            [sys.executable, "-c", OWNER, address, str(tmp_path / f"{mode}.log"), mode],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {MARK: mark},
        )
        for mode in ("serves", "kept")
    ]
    serves, kept = owners
    try:
        for owner in (serves, kept, kept):
            assert owner.stdout is not None
            assert owner.stdout.readline() == "alive\n"
        assert seen(lambda: len(actors(processes_of_head)) == 2, 5)
        assert list(tmp_path.glob("autotuner-launches-*"))
    finally:
        for owner in owners:
            owner.kill()
        errors = [owner.communicate()[1] for owner in owners]
    assert errors == ["", ""], "none of Ray's tracebacks"
    assert seen(lambda: not processes(mark), 20), processes(mark)
    assert seen(lambda: not actors(processes_of_head), 20)
    assert not list(tmp_path.glob("autotuner-launches-*"))
