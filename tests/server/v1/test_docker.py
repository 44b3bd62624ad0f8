"""`/api/docker/` over a daemon's socket, and without one."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from autotuner.server.security.authentication import required_scope
from autotuner.store.tokens import TokenScope

ID = "a1b2c3d4e5f6" * 5
FOUND = {
    "Id": ID,
    "Name": "/engine",
    "Created": "2026-01-02T03:04:05Z",
    "Config": {
        "Image": "lmsysorg/sglang:v1",
        "Labels": None,
        "Env": ["HF_TOKEN=secret"],
        "Tty": False,
    },
    "State": {"Status": "running", "StartedAt": "2026-01-02T03:04:06Z"},
    "NetworkSettings": {"Ports": {}},
}
STATS = {
    "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 2000, "online_cpus": 4},
    "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
    "memory_stats": {"usage": 300, "limit": 1000, "stats": {"inactive_file": 100}},
}
ANSWERS: dict[str, Any] = {
    "GET /containers/json": [{"Id": ID}, {"Id": "gone"}],
    f"GET /containers/{ID}/json": FOUND,
    "GET /containers/engine/json": FOUND,
    "GET /containers/engine/stats": STATS,
    "GET /info": {"Containers": 2, "ServerVersion": "28.1"},
    "POST /containers/engine/start": None,
    "POST /containers/engine/stop": None,
    "DELETE /containers/engine": None,
}


class Answering(BaseHTTPRequestHandler):
    """A daemon that knows one container."""

    asked: list[tuple[str, dict[str, list[str]]]] = []  # noqa: RUF012 - of one test at a time

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        request = f"{self.command} {re.sub(r'^/v[0-9.]+', '', parts.path)}"
        if request == "GET /version":
            self.send(200, b'{"ApiVersion": "1.41"}')
            return
        self.asked.append((request, parse_qs(parts.query)))
        if request == "GET /containers/engine/logs":
            self.send(200, b"\x01\0\0\0\0\0\0\x06ready\n\x02\0\0\0\0\0\0\x05oops\n")
        elif request not in ANSWERS:
            self.send(404, b'{"message": "No such container"}')
        elif ANSWERS[request] is None:
            self.send(204, b"")
        else:
            self.send(200, json.dumps(ANSWERS[request]).encode())

    do_POST = do_DELETE = do_GET  # noqa: N815

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if body:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "a socket"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class Daemon(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def daemon(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[tuple[str, dict[str, list[str]]]]]:
    """What was asked of a daemon on a socket."""
    path = tmp_path_factory.mktemp("d") / "s"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    Answering.asked.clear()
    with Daemon(str(path), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield Answering.asked
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("daemon")
def test_containers_are_listed_without_their_environment(client: TestClient) -> None:
    (found,) = client.get("/api/docker/containers?all=true").json()
    assert (found["id"], found["short_id"], found["name"]) == (ID, ID[:12], "engine")
    assert (found["image"], found["status"]) == ("lmsysorg/sglang:v1", "running")
    assert "secret" not in client.get("/api/docker/containers/engine").text
    assert client.get("/api/docker/info").json()["containers"] == 2


@pytest.mark.usefixtures("daemon")
def test_use_and_output_of_a_container(client: TestClient) -> None:
    stats = client.get("/api/docker/containers/engine/stats").json()
    assert (stats["cpu_percent"], stats["memory_percent"]) == (80.0, 20.0)
    logs = client.get("/api/docker/containers/engine/logs?tail=5&timestamps=false")
    assert logs.json()["logs"] == "ready\noops\n"


def test_a_container_is_started_stopped_and_removed(
    client: TestClient, daemon: list[tuple[str, dict[str, list[str]]]]
) -> None:
    assert client.post("/api/docker/containers/engine/start").status_code == 200
    assert client.post("/api/docker/containers/engine/stop?timeout=7").status_code == 200
    assert client.delete("/api/docker/containers/engine?force=true").status_code == 200
    assert daemon == [
        ("POST /containers/engine/start", {}),
        ("POST /containers/engine/stop", {"t": ["7"]}),
        ("DELETE /containers/engine", {"v": ["True"], "link": ["False"], "force": ["True"]}),
    ]


@pytest.mark.usefixtures("daemon")
@pytest.mark.parametrize("name", ["other", "..%2Finfo", "x%3Fy"])
def test_an_unknown_container_is_not_found(client: TestClient, name: str) -> None:
    assert client.get(f"/api/docker/containers/{name}").status_code == 404
    assert client.post(f"/api/docker/containers/{name}/restart").status_code == 404


@pytest.mark.parametrize(
    "address", ["unix:///nothing", "tcp://127.0.0.1:9", "ssh://a", "tcp://a:x"]
)
def test_without_a_daemon_the_reason_is_given(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    answer = client.get("/api/docker/info")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("Unable to connect to Docker daemon")


def test_containers_are_changed_by_administrators_only() -> None:
    path = "/api/docker/containers/x/stop"
    assert required_scope("POST", path) is TokenScope.ADMIN
    assert required_scope("GET", "/api/docker/containers") is TokenScope.READ
