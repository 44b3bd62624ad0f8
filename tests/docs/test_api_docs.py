"""What the documents say of the service is so."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from autotuner.server.app import Server, create_app, listening_on
from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.server.v1.routing import TAG
from autotuner.store import Store

DOCS = Path(__file__).parents[2] / "docs"
API = (DOCS / "api.md").read_text(encoding="utf-8")
OPERATIONS = (DOCS / "operations.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8700"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Service(store, tmp_path)), base_url=ADDRESS) as opened:
        yield opened


def test_every_endpoint_is_documented(client: TestClient) -> None:
    paths = client.get("/api/v2/openapi.json").json()["paths"]
    reported = [
        f"`{method.upper()} {path}`"
        for path, found in paths.items()
        for method, operation in found.items()
        if operation["tags"] != [TAG]
    ]
    assert [line for line in reported if line not in API] == []


def test_every_endpoint_is_documented_with_whole_sentences() -> None:
    lines = re.findall(r"^\| `(?:GET|POST|PUT|PATCH|DELETE) .*", API, re.MULTILINE)
    assert lines and [line for line in lines if not line.endswith(". |")] == []


def test_every_kind_of_problem_is_documented() -> None:
    assert [kind.type for kind in ProblemKind if f"| `{kind.type}` |" not in API] == []


def test_every_metric_is_documented_and_every_documented_one_is_reported(
    client: TestClient,
) -> None:
    client.get("/healthz")
    families = text_string_to_metric_families(client.get("/metrics").text)
    reported = {
        f"{family.name}{'_total' if family.type == 'counter' else ''}" for family in families
    }
    assert reported == set(re.findall(r"^\| `(autotuner_\w+)` \|", OPERATIONS, re.MULTILINE))


def test_the_documented_requests_are_answered(store: Store, tmp_path: Path) -> None:
    """With curl, by a real server; no worker runs, so that nothing is measured."""
    blocks = re.findall(r"```sh\n(curl.*?)```", API, re.DOTALL)
    first, follow, after = blocks[:3]
    with running(store, tmp_path) as address:
        created = json.loads(curl(first, address))
        assert (created["id"], created["status"]) == (1, "queued")
        assert json.loads(curl(first, address)) == created, "the same key does nothing"
        events = curl(follow.replace("events", "'events?follow=false'"), address)
        assert "event: created" in events
        task, frontier = after.splitlines()[:2]
        assert json.loads(curl(task, address))["name"] == created["name"]
        assert json.loads(curl(frontier, address)) is not None


def test_the_documented_task_can_run(client: TestClient) -> None:
    document = json.loads(re.findall(r"-d '(\{.*?\})'\n```", API, re.DOTALL)[0])
    reported = client.post("/api/v2/tasks/validate", json=document).json()
    assert (reported["valid"], reported["warnings"]) == (True, []), reported
    assert reported["candidates"] == 2


def curl(command: str, address: str) -> str:
    words = command.replace(ADDRESS, address).replace("curl -sS", "curl --fail-with-body -sS")
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def running(store: Store, home: Path) -> Iterator[str]:
    """A server on a free port; its address."""
    with listening_on("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        app = create_app(Service(store, home, ServiceSettings(port=port)))
        server = Server(app, uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            thread.join(0.02)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join()
