"""Podman's service, which answers Docker's API a little otherwise, on one that is pretended."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from autotuner.engines import LaunchSpec
from autotuner.errors import LaunchError
from autotuner.launch import EngineHandle, Reaped
from autotuner.launch.docker import DockerLauncher
from autotuner.launch.docker_daemon import DockerDaemon

pytest.importorskip("docker", reason="pip install docker")
IMAGE = {"Id": "sha256:1", "Architecture": "amd64", "Config": {}}
SPEC = LaunchSpec("vllm", ("vllm", "{host}", "{port}"), "m", image="engine:1", gpus=1)
NAME = "autotuner-vllm-1"


class Podman:
    """Answers as Podman 4.3.1 does, read from a real one.

    Attributes:
        containers: names that are there. tags: what images were named.
    """

    def __init__(self) -> None:
        self.containers: set[str] = set()
        self.tags: list[str] = []

    def get(self, path: str) -> Any:
        """The answer; None where there is nothing."""
        if path.endswith("/version"):
            return {"ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}
        if path.endswith("/info"):
            where = {"Name": "host", "DockerRootDir": "/var/lib/containers/storage"}
            return {"ID": str(uuid.uuid4()), "Architecture": "x86_64", **where}
        if "/images/" in path:
            return IMAGE
        if path.endswith("/containers/json"):
            return []
        named = re.search(r"/containers/([^/]+)/json", path)
        if named is not None and named[1] in self.containers:
            return {"Id": "1", "HostConfig": {"Devices": [], "DeviceRequests": None}}
        return None

    def post(self, path: str) -> Any:
        if "/images/create" in path:
            return {"status": IMAGE["Id"], "progress": "", "id": IMAGE["Id"]}
        if "/tag" in path:
            self.tags.append(path.partition("?")[2])
        if "/containers/create" in path:
            self.containers.add(path.partition("name=")[2])
        return {"Id": "1"}


@contextmanager
def served(podman: Podman) -> Iterator[DockerDaemon]:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, found: Any) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.dumps({"message": "no such thing"} if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer(podman.get(self.path.partition("?")[0]))

        def do_POST(self) -> None:
            self.answer(podman.post(self.path))

        def do_DELETE(self) -> None:
            name = self.path.partition("?")[0].rpartition("/")[2]
            self.answer({} if name in podman.containers else None)
            podman.containers.discard(name)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield DockerDaemon(f"tcp://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_a_container_is_removed_by_its_handle_though_the_service_has_no_lasting_id() -> None:
    podman = Podman()
    podman.containers.add(NAME)
    with served(podman) as daemon:
        handle = EngineHandle("docker", f"{NAME} {daemon.facts().id} {daemon.address}", "host")
        assert DockerLauncher.reap(handle) is Reaped.GONE
    assert not podman.containers


def test_a_launch_on_gpus_is_refused_where_containers_get_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    podman = Podman()
    with served(podman) as daemon:
        monkeypatch.setenv("DOCKER_HOST", daemon.address)
        launch = DockerLauncher().launch(
            SPEC, ("0",), log_path=tmp_path / "engine.log", ready_timeout_s=5
        )
        with pytest.raises(LaunchError, match="without the GPUs"):
            asyncio.run(launch)


def test_an_image_that_is_imported_has_its_tag(tmp_path: Path) -> None:
    archive = tmp_path / "root.tar"
    archive.write_bytes(b"")
    podman = Podman()
    with served(podman) as daemon:
        daemon.import_image(archive, "engine", "1")
    assert podman.tags == ["tag=1&repo=engine&force=0"]
