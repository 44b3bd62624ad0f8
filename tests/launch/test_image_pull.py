"""The download of an image ends when it is cancelled, on a daemon that is pretended."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from autotuner.engines import LaunchSpec
from autotuner.launch import Preparation
from autotuner.launch.docker import DockerLauncher
from autotuner.launch.docker_daemon import DockerDaemon

pytest.importorskip("docker", reason="pip install docker")
SPEC = LaunchSpec("vllm", ("vllm",), "m", image="registry/engine:1")
ANSWERS: dict[str, Any] = {
    "/version": {"ApiVersion": "1.41"},
    "/info": {"ID": "a", "Name": "b", "Architecture": "x86_64"},
    "/containers/json": [],
}
LINE = {"status": "Downloading", "id": "a", "progressDetail": {"current": 1, "total": 9}}


class SlowDaemon:
    """A daemon that fetches an image for ever.

    Attributes:
        was_asked: for the image.
        answers: whether it has found the image at its registry.
        was_left: whoever asked has closed the connection.
    """

    def __init__(self) -> None:
        self.was_asked, self.answers, self.was_left = (threading.Event() for _ in range(3))


@contextmanager
def slow_daemon() -> Iterator[tuple[SlowDaemon, DockerDaemon]]:
    slow = SlowDaemon()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = next((v for path, v in ANSWERS.items() if path in self.path), None)
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            body = json.dumps({"message": "no"} if found is None else found).encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            slow.was_asked.set()
            assert slow.answers.wait(60)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            line = json.dumps(LINE).encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
            self.connection.settimeout(60)
            if self.connection.recv(1) == b"":
                slow.was_left.set()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield slow, DockerDaemon(f"tcp://127.0.0.1:{server.server_port}")
        slow.answers.set()
        server.shutdown()
        thread.join()


async def cancelled_once(slow: SlowDaemon, daemon: DockerDaemon, *, is_found: bool) -> None:
    """Fetches the image and cancels that while it is looked for, or while it is downloaded."""
    downloads = asyncio.Event()

    def seen(progress: Preparation) -> None:
        if progress.total_gib:
            downloads.set()

    preparing = asyncio.create_task(DockerLauncher(daemon=daemon).prepare(SPEC, seen))
    assert await asyncio.to_thread(slow.was_asked.wait, 60)
    if is_found:
        slow.answers.set()
        await asyncio.wait_for(downloads.wait(), 60)
    preparing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(preparing, 60)


@pytest.mark.parametrize("is_found", [True, False], ids=["downloads", "looks for it"])
def test_an_image_is_given_up_when_its_download_is_cancelled(is_found: bool) -> None:
    with slow_daemon() as (slow, daemon):
        asyncio.run(cancelled_once(slow, daemon, is_found=is_found))
        slow.answers.set()
        assert slow.was_left.wait(60), "the daemon would go on for ever"
