"""Our images and the Compose file on a real Docker daemon, from nothing: a task runs to its end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from base_images import write_postgres_image, write_python_image

from free_ports import free_port
from own_docker import OwnDocker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
ROOT = Path(__file__).parents[2]
BASE, POSTGRES = "autotuner-tests/base:1", "autotuner-tests/postgres:1"
BRIDGE = f"atc{os.getpid() % 10**7}"
TASK: dict[str, Any] = {
    "version": 2,
    "name": "in containers",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 16, "osl": 4},
    "prediction": {"predictor": "none"},
    "optimization": {"strategy": "grid", "baseline": "none", "confirm": 0},
    "scheduling": {"max_running_requests": [1]},
    "benchmark": {"concurrency": [1], "requests_per_level": 4},
}


class Compose:
    """The Compose file with the images of these tests, under a name and a port of its own."""

    def __init__(self, folder: Path, host: str) -> None:
        self.port = free_port()
        self.token = ""
        # The daemon leaves the firewall alone; between containers of this bridge it is opened.
        network = {"driver_opts": {"com.docker.network.bridge.name": BRIDGE}}
        own = folder / "own.yaml"
        own.write_text(yaml.safe_dump({"networks": {"default": network}}))
        self.environment = os.environ | {
            "DOCKER_HOST": host,
            "DOCKER_BUILDKIT": "0",
            "COMPOSE_DOCKER_CLI_BUILD": "0",
            "COMPOSE_PROJECT_NAME": f"autotuner-tests-{os.getpid()}",
            "COMPOSE_FILE": f"{ROOT / 'compose.yaml'}{os.pathsep}{own}",
            "AUTOTUNER_BASE": BASE,
            "AUTOTUNER_IMAGE": "autotuner-tests/autotuner:1",
            "POSTGRES_IMAGE": POSTGRES,
            "AUTOTUNER_PORT": str(self.port),
            "DATABASE_PASSWORD": "of-this-test",
        }

    def run(self, *argv: str) -> str:
        done = subprocess.run(
            argv, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, f"{argv}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def compose(self, *words: str) -> str:
        return self.run(*command(), *words)

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)


def command() -> tuple[str, ...]:
    if shutil.which("docker-compose") is not None:
        return ("docker-compose",)
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True)  # noqa: S607
    if plugin.returncode:
        pytest.skip("Compose is not installed: apt-get install docker-compose")
    return ("docker", "compose")


@contextmanager
def open_between_containers() -> Iterator[None]:
    """Where the machine's firewall forwards nothing (another daemon has it so), this bridge's."""
    rule = ("FORWARD", "-i", BRIDGE, "-o", BRIDGE, "-j", "ACCEPT")
    if shutil.which("iptables") is None:
        yield
        return
    subprocess.run(["iptables", "-w", "-I", *rule], check=True)  # noqa: S607
    try:
        yield
    finally:
        subprocess.run(["iptables", "-w", "-D", *rule], check=True)  # noqa: S607


@pytest.fixture
def compose(docker_here: OwnDocker, tmp_path: Path) -> Iterator[Compose]:
    command()
    made = Compose(tmp_path, docker_here.daemon.address)
    tars = {BASE: tmp_path / "base.tar", POSTGRES: tmp_path / "postgres.tar"}
    declared = {
        BASE: write_python_image(tars[BASE], ROOT),
        POSTGRES: write_postgres_image(tars[POSTGRES]),
    }
    for name, tar in tars.items():
        changes = [word for change in declared[name] for word in ("--change", change)]
        made.run("docker", "import", *changes, str(tar), name)
        tar.unlink()
    with open_between_containers():
        try:
            yield made
        finally:
            made.compose("down", "--volumes", "--timeout", "10")


def test_one_command_starts_all_a_task_runs_to_its_end_and_nothing_is_left(
    compose: Compose,
) -> None:
    compose.compose("build", "service")
    compose.compose("up", "--detach")
    assert compose.ask("/healthz") == {"status": "ok"}
    with pytest.raises(OSError, match="401"):
        compose.ask("/api/v2/tasks/")
    words = ("exec", "-T", "service", "autotuner", "token", "create", "first", "--scope", "admin")
    compose.token = compose.compose(*words).strip()
    task = compose.ask("/api/v2/tasks/?start=true", TASK)["id"]
    done = wait_for_end(compose, task)
    assert (done["status"], done["stop_reason"]) == ("completed", "all 1 candidates are launched")
    (worker,) = compose.ask("/api/v2/system/workers")["items"]
    assert worker["alive"]
    assert worker["host"] in compose.compose("ps", "-q", "worker")
    who = compose.compose("exec", "-T", "worker", "python", "-c", "import os; print(os.getuid())")
    assert who.strip() == "10001"
    port = compose.compose("exec", "-T", "service", "sh", "-c", 'echo "$AUTOTUNER_PORT"')
    assert port.strip() == str(compose.port), "as `make up` says it"
    compose.compose("stop", "worker")
    assert compose.ask("/api/v2/system/workers")["items"] == [], "it says good-bye"
    compose.compose("down", "--volumes")
    project = compose.environment["COMPOSE_PROJECT_NAME"]
    for kind in ("container", "volume", "network"):
        listed = compose.run("docker", kind, "ls", "--quiet", "--filter", f"name={project}")
        assert listed == "", kind


def wait_for_end(compose: Compose, task: int) -> Any:
    """The task, once the service reports its end in the stream of its events."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{compose.port}/api/v2/tasks/{task}/events",
        headers={"Authorization": f"Bearer {compose.token}"},
    )
    with urllib.request.urlopen(request, timeout=120) as stream:  # noqa: S310
        for line in stream:
            if line.startswith(b"event: task_ended"):
                break
    return compose.ask(f"/api/v2/tasks/{task}")
