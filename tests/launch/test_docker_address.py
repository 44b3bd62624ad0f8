"""Which daemon is asked, and what cannot be: without any daemon."""

from __future__ import annotations

import errno
import hashlib
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from autotuner.launch.docker_address import USUAL_ADDRESS, unreachable
from autotuner.launch.docker_daemon import DockerDaemon
from autotuner.launch.docker_failures import DockerUnavailableError

pytest.importorskip("docker", reason="pip install docker")
SEALED = "tcp://192.0.2.7:2376"


@pytest.fixture(autouse=True)
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contexts of a user: `near`, which is the current one, `far`, and `sealed`, with TLS."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text('{"currentContext": "near"}', encoding="utf-8")
    hosts = {"near": "unix:///near/s", "far": "tcp://192.0.2.7:2375", "sealed": SEALED}
    for name, host in hosts.items():
        key = hashlib.sha256(name.encode()).hexdigest()
        described = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}
        meta, tls = (tmp_path / "contexts" / kind / key for kind in ("meta", "tls"))
        meta.mkdir(parents=True)
        (meta / "meta.json").write_text(json.dumps(described), encoding="utf-8")
        if name == "sealed":
            (tls / "docker").mkdir(parents=True)
            for file in ("ca.pem", "cert.pem", "key.pem"):
                (tls / "docker" / file).touch()


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "unix:///near/s"),
        ({"DOCKER_CONTEXT": "far"}, "tcp://192.0.2.7:2375"),
        ({"DOCKER_CONTEXT": "default"}, USUAL_ADDRESS),
        ({"DOCKER_CONTEXT": "far", "DOCKER_HOST": "unix:///mine"}, "unix:///mine"),
    ],
)
def test_the_daemon_is_that_of_dockers_own_tools(environment: dict[str, str], address: str) -> None:
    assert DockerDaemon.here(environment).address == address


@pytest.mark.parametrize(
    ("environment", "why", "remedy"),
    [
        ({"DOCKER_CONTEXT": "none"}, "context none cannot be read", "docker context ls"),
        ({"DOCKER_CONTEXT": "sealed"}, "has certificates of its own", "tcp://192.0.2.7:2376"),
        ({"DOCKER_HOST": "ssh://me@gpu-7"}, "ssh:// is not served", "DOCKER_TLS_VERIFY=1"),
        *(
            ({"DOCKER_HOST": wrong}, f"at '{wrong}': that is no address", "unix:///PATH or tcp://")
            for wrong in ("htp://x", "unix://", "tcp://", "/run/docker.sock", "tcp://a:b", "a b")
        ),
    ],
)
def test_a_daemon_that_cannot_be_used_says_so_and_no_other_is_asked(
    environment: dict[str, str], why: str, remedy: str
) -> None:
    daemon = DockerDaemon.here(environment)
    for ask in (daemon.facts, lambda: daemon.published_at):
        with pytest.raises(DockerUnavailableError, match="Unable to connect") as caught:
            ask()
        assert why in caught.value.message
        assert remedy in (caught.value.remedy or "")


@pytest.mark.parametrize(
    ("address", "published_at"),
    [
        ("unix:///s", "127.0.0.1"),
        ("tcp://[::1]:2375", "127.0.0.1"),
        ("tcp://192.0.2.7:2376", "192.0.2.7"),
        ("tcp://[2001:db8::7]:2376", "2001:db8::7"),
    ],
)
def test_ports_are_published_where_the_daemon_answers(address: str, published_at: str) -> None:
    assert DockerDaemon(address).published_at == published_at


def test_a_name_that_nobody_knows_is_a_daemon_that_cannot_be_reached() -> None:
    with pytest.raises(DockerUnavailableError, match="Unable to connect"):
        _ = DockerDaemon("tcp://a..b:2376").published_at


REFUSED = ConnectionError("Connection aborted.", PermissionError(errno.EACCES, "Permission denied"))


def test_without_a_right_to_its_socket_the_remedy_names_the_group(tmp_path: Path) -> None:
    error = unreachable(USUAL_ADDRESS, REFUSED, {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert "Permission denied" in error.message
    assert "usermod -aG docker" in error.remedy


def test_a_rootless_daemon_beside_one_that_may_not_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as own:
        own.bind("docker.sock")
        of_user = {"XDG_RUNTIME_DIR": str(tmp_path)}
        rootless = f"unix://{tmp_path}/docker.sock"
        assert rootless in unreachable(USUAL_ADDRESS, REFUSED, of_user).remedy
        nobody = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        assert "start it" in unreachable(rootless, nobody, of_user).remedy


@pytest.mark.parametrize(
    ("text", "why", "remedy"),
    [
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "speaks no TLS", "unset DOCKER_TLS"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed", "is not trusted", "ca.pem"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]", "CERTIFICATE_REQUIRED", "DOCKER_CERT_PATH"),
    ],
)
def test_tls_that_fails_is_no_want_of_rights(text: str, why: str, remedy: str) -> None:
    """Python numbers it as the operating system numbers that."""
    error = unreachable("tcp://192.0.2.7:2376", OSError(ssl.SSLError(errno.EPERM, text)), {})
    assert why in error.message
    assert remedy in error.remedy
    assert "usermod" not in error.remedy


def test_a_daemon_that_hangs_does_not_answer() -> None:
    text = "UnixHTTPConnectionPool(host='localhost', port=None): Read timed out. (read timeout=30)"
    error = unreachable(USUAL_ADDRESS, OSError(text), {})
    assert (
        error.message
        == f"Unable to connect to Docker daemon at {USUAL_ADDRESS}: it does not answer"
    )
    assert "journalctl -u docker" in error.remedy


def test_certificates_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    with pytest.raises(DockerUnavailableError, match=r"no cert\.pem and key\.pem") as caught:
        DockerDaemon("tcp://127.0.0.1:1").facts()
    assert "ca.pem" in caught.value.remedy


@pytest.mark.parametrize("status", [200, 404, 500])
def test_another_program_than_a_daemon_is_named_in_one_line(status: int) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"<html>\n<body>\nnothing here\n" + b"x" * 4000)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(DockerUnavailableError) as caught:
            DockerDaemon(f"tcp://127.0.0.1:{server.server_port}").facts()
        server.shutdown()
    assert len(caught.value.message) < 300
    assert "\n" not in caught.value.message
    assert ("another program" in caught.value.message) == (status != 500)
