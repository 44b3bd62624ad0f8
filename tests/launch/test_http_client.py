"""The client that reads what engines say: no address is read as another, no answer as whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.errors import AddressError, NoAnswerError
from autotuner.http_client import BaseUrl, HttpAnswer, get

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def asked(
    answer: bytes, path: str = "/health", *, scheme: str = "http", prefix: str = ""
) -> tuple[HttpAnswer, bytes]:
    """What the client makes of these bytes, and what it has sent for them."""
    sent = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent.extend(await reader.read(4096))
        writer.write(answer)
        writer.close()

    async def ask() -> HttpAnswer:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            base = BaseUrl.parse(f"{scheme}://127.0.0.1:{port}{prefix}")
            return await get(base, path, timeout_s=10)

    try:
        return asyncio.run(ask()), bytes(sent)
    except NoAnswerError as error:
        error.add_note(bytes(sent[:8]).hex())
        raise


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore", 200, b"ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n",
            200,
            b"abcde",
        ),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Loading\r\nContent-Length: 1\r\n\r\nx",
            503,
            b"x",
        ),
        (b"HTTP/1.1 307 Moved\r\nLocation: /200\r\nContent-Length: 0\r\n\r\n", 307, b""),
    ],
)
def test_an_answer_is_read_whole(answer: bytes, status: int, body: bytes) -> None:
    assert asked(answer)[0] == HttpAnswer(status, body)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
    ],
)
def test_what_breaks_off_or_is_no_http_is_no_answer(answer: bytes) -> None:
    with pytest.raises(NoAnswerError, match=r"GET http://127\.0\.0\.1:\d+/health: "):
        asked(answer)


def test_an_encrypted_address_is_never_asked_in_the_clear() -> None:
    with pytest.raises(NoAnswerError, match="https://") as caught:
        asked(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", scheme="https")
    assert caught.value.__notes__[0].startswith("16"), "a handshake of TLS, and no request"


def test_the_path_of_a_server_behind_a_prefix_is_kept() -> None:
    _, sent = asked(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "/v1/models", prefix="/llm/")
    assert sent.startswith(b"GET /llm/v1/models HTTP/1.1\r\n")
    assert b"Host: 127.0.0.1:" in sent


def test_nobody_listening_is_no_answer() -> None:
    with pytest.raises(NoAnswerError, match="/health"):
        asyncio.run(get(BaseUrl("http", "127.0.0.1", 9), "/health"))


def test_one_who_says_nothing_is_left_when_the_time_is_over() -> None:
    async def ask() -> None:
        done = asyncio.Event()

        async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await done.wait()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            base = BaseUrl("http", "127.0.0.1", server.sockets[0].getsockname()[1])
            with pytest.raises(NoAnswerError, match=r"within 0\.1 s"):
                await get(base, "/health", timeout_s=0.1)
            done.set()

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("text", "parts", "authority"),
    [
        ("http://127.0.0.1:8080", ("http", "127.0.0.1", 8080, ""), "127.0.0.1:8080"),
        (
            "http://bücher.example:1",
            ("http", "xn--bcher-kva.example", 1, ""),
            "xn--bcher-kva.example:1",
        ),
        ("http://gpu-7", ("http", "gpu-7", 80, ""), "gpu-7"),
        ("https://llm.example/", ("https", "llm.example", 443, ""), "llm.example"),
        ("https://llm.example:80/a/b/", ("https", "llm.example", 80, "/a/b"), "llm.example:80"),
        ("http://[fd00::7]:30000", ("http", "fd00::7", 30000, ""), "[fd00::7]:30000"),
    ],
)
def test_an_address_is_taken_apart(
    text: str, parts: tuple[str, str, int, str], authority: str
) -> None:
    base = BaseUrl.parse(text)
    assert base == BaseUrl(*parts)
    assert base.authority == authority
    assert BaseUrl.parse(str(base)) == base


@pytest.mark.parametrize(
    "text",
    [
        *("", "127.0.0.1:8080", "localhost:8080", "//h:1", "ftp://h", "replay:4", "unix:///a"),
        *("http://", "http://:80", "http:///x", "http://h:0", "http://h:70000", "http://h:x"),
        *(
            "http://a..b",
            f"http://{'a' * 64}",
            "http://[::1",
            "http://h/?a=b",
            "http://h/#a",
            "http://a b",
            "http://h\n:80",
        ),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError, match="is no address of an engine"):
        BaseUrl.parse(text)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(AddressError, match="password") as caught:
        BaseUrl.parse("https://me:hunter2@llm.example")
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for written in (text, f"http://{text}", f"https://h{text}"):
        try:
            base = BaseUrl.parse(written)
        except AddressError:
            continue
        assert base.scheme in ("http", "https")
        assert base.host
        assert 0 < base.port < 65536
