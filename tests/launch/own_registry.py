"""A registry of container images on the loopback, as a daemon asks one, with one small image."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_LAYER_BYTES = 3_000_000


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _layer() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("data")
        member.size = _LAYER_BYTES
        archive.addfile(member, io.BytesIO(bytes(_LAYER_BYTES)))
    return packed.getvalue()


class _Images:
    """The image under its digests and its tags."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}

    def add(self, tag: str, architecture: str) -> None:
        layer = _layer()
        packed = gzip.compress(layer, compresslevel=0)
        config = json.dumps(
            {
                "architecture": architecture,
                "os": "linux",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
                "history": [{"created": "2026-01-01T00:00:00Z"}],
            }
        ).encode()
        parts: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": _LAYER, "size": len(packed), "digest": _digest(packed)}],
        }
        manifest = json.dumps(parts).encode()
        self.blobs |= {_digest(config): config, _digest(packed): packed}
        self.manifests |= {tag: manifest, _digest(manifest): manifest}


@contextmanager
def own_registry(**architectures: str) -> Iterator[str]:
    """Its address, while the block runs.

    Args:
        architectures: tag -> architecture of the image that has it.
    """
    images = _Images()
    for tag, architecture in architectures.items():
        images.add(tag, architecture)

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, name = self.path.rpartition("/")
            found, media = None, "application/octet-stream"
            if self.path == "/v2/":
                found, media = b"{}", "application/json"
            elif kind.endswith("/manifests"):
                found, media = images.manifests.get(name), _MANIFEST
            elif kind.endswith("/blobs"):
                found = images.blobs.get(name)
            if found is None:
                errors = [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]
                found, media = json.dumps({"errors": errors}).encode(), "application/json"
                self.send_response(404)
            else:
                self.send_response(200)
                self.send_header("Docker-Content-Digest", _digest(found))
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(found)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
