"""The guards behind a real server, spoken to in raw bytes as no client library would."""

import asyncio
import logging
import socket
import threading

import pytest
import uvicorn
from guarded import application
from starlette.datastructures import State

from autotuner.server.security import Authentication, keep_secrets_out, protected
from autotuner.server.settings import ServiceSettings

KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = f"Connection: Upgrade\r\nUpgrade: websocket\r\n{KEY}"


@pytest.fixture
def served():
    listening = socket.create_server(("127.0.0.1", 0))
    settings = ServiceSettings(max_body_bytes=1000)
    nobody = Authentication.of(settings, find_token={}.get, find_session={}.get)
    app = protected(application(), settings=settings, authentication=nobody)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="websockets-sansio"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    port = listening.getsockname()[1]

    def send(head, body=b"", *, until=None):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            lines = head.replace("PORT", str(port))
            end = "" if "Connection:" in head else "\r\nConnection: close"
            connection.sendall(f"{lines}{end}\r\n\r\n".encode() + body)
            answer = b""
            while (until is None or until not in answer) and (more := connection.recv(65536)):
                answer += more
        status, _, rest = answer.decode(errors="replace").partition("\r\n")
        return State({"status": int(status.split()[1]), "text": rest})

    yield send
    server.should_exit = True
    thread.join(timeout=60)
    listening.close()
    assert not thread.is_alive()


def test_the_names_of_the_address_that_was_reached_are_answered_and_no_other(served):
    assert served("GET / HTTP/1.1\r\nHost: localhost:PORT").status == 200
    assert served("GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT").status == 200
    assert served("GET / HTTP/1.1\r\nHost: localhost:1").status == 421
    assert served("GET / HTTP/1.1\r\nHost: rebound.example:PORT").status == 421
    assert served("GET / HTTP/1.0").status == 400


def test_a_body_in_chunks_is_cut_at_the_limit(served):
    head = "POST /api/v2/tasks/ HTTP/1.1\r\nHost: localhost:PORT\r\nTransfer-Encoding: chunked"
    chunk = b"190\r\n" + b"x" * 400 + b"\r\n"
    assert served(head, chunk * 2 + b"0\r\n\r\n").status == 200
    refused = served(head, chunk * 3 + b"0\r\n\r\n")
    assert refused.status == 413
    assert '"limit_bytes":1000' in refused.text


def test_an_upgrade_from_another_page_is_denied_in_words(served):
    head = f"GET /api/ws/tasks/1 HTTP/1.1\r\nHost: localhost:PORT\r\n{UPGRADE}"
    refused = served(f"{head}\r\nOrigin: https://evil.example")
    assert refused.status == 403
    assert '"detail"' in refused.text
    own = served(f"{head}\r\nOrigin: http://localhost:PORT", until=b"hello")
    assert (own.status, "hello" in own.text) == (101, True)


def test_what_the_server_logs_of_a_request_holds_no_query_and_no_token(served, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    loggers = ("uvicorn.access", "uvicorn.error")
    for name in (*loggers, "uvicorn"):
        # A server of an earlier test may have taken its logs for itself.
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
    keep_secrets_out(*loggers)
    secret = "at_" + "k3" * 22
    head = f"GET /api/v2/tasks/?token={secret} HTTP/1.1\r\nHost: localhost:PORT"
    assert served(f"{head}\r\nAuthorization: Bearer {secret}").status == 400
    upgrade = f"GET /api/ws/tasks/1?q=private HTTP/1.1\r\nHost: localhost:PORT\r\n{UPGRADE}"
    served(upgrade, until=b"hello")
    assert "/api/v2/tasks/ HTTP" in caplog.text
    assert "/api/ws/tasks/1" in caplog.text
    assert secret not in caplog.text
    assert "private" not in caplog.text
