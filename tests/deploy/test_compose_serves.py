"""The Compose file of a llama.cpp point on a real daemon: the engine serves who has the key."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from deployed import summary_of

from autotuner.catalog import resolve_model
from autotuner.config import Candidate, Model
from autotuner.deploy import FORMATS, ExportWishes, deployed_engine
from autotuner.engines import engine_named
from free_ports import free_port
from own_docker import IMAGE, OwnDocker

pytestmark = pytest.mark.slow
_READY_S = 120.0
_KEY = "sesame"


@pytest.fixture
def compose(docker_here: OwnDocker, tmp_path: Path) -> Iterator[tuple[Path, Any]]:
    """A folder for a Compose file, and its tool on the tests' own daemon."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed: apt-get install docker-compose")
    folder = tmp_path / f"deployed{os.getpid()}"
    folder.mkdir()
    address = docker_here.daemon.address
    environment = {**os.environ, "DOCKER_HOST": address, "LLAMA_API_KEY": _KEY}

    def run(*words: str) -> str:
        done = subprocess.run(
            [program, "-f", "compose.yaml", *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield folder, run
    if (folder / "compose.yaml").exists():
        run("down", "--timeout", "2")


def test_the_engine_of_a_point_is_served_by_its_compose_file(compose: tuple[Path, Any]) -> None:
    folder, run = compose
    settings = {"misc.threads": 2, "memory.max_total_tokens": 512}
    llamacpp = engine_named("llamacpp")
    model = resolve_model(Model(id="smollm2-135m"), base=Path())
    candidate = Candidate.from_settings(settings)
    spec = llamacpp.render(candidate, model, llamacpp.assume(None))
    summary = summary_of(spec.command(), "llamacpp", settings, 0)
    engine = deployed_engine(
        summary, ExportWishes(image=IMAGE, program="llama-server", api_key=True)
    )
    [file] = FORMATS["compose"].files(engine)
    port = free_port()
    assert "127.0.0.1:8000:8000" in file.text
    assert _KEY not in file.text
    text = file.text.replace("127.0.0.1:8000:8000", f"127.0.0.1:{port}:8000")
    (folder / "compose.yaml").write_text(text, encoding="utf-8")
    run("up", "-d")
    address = f"http://127.0.0.1:{port}"
    _wait_until_served(f"{address}{engine.ready_path}", run)
    body = {"model": engine.served_name, "prompt": "Once", "max_tokens": 4}
    assert httpx.post(f"{address}/v1/completions", json=body, timeout=60).status_code == 401
    key = {"Authorization": f"Bearer {_KEY}"}
    answer = httpx.post(f"{address}/v1/completions", json=body, headers=key, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["completion_tokens"] == 4
    [service] = yaml.safe_load(text)["services"].values()
    kind, probe = service["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    run("exec", "-T", "engine", "/bin/sh", "-c", probe)


def _wait_until_served(address: str, run: Any) -> None:
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            if httpx.get(address, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, run("logs", "--no-color")
        time.sleep(0.2)
