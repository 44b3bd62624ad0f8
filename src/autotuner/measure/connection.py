"""A lean HTTP/1.1 client for streamed answers.

The load generator must not become what it measures: a general client costs a multiple of the CPU
time of this one for each token (docs/decisions/0003). It keeps each piece of a body with the time
it came, and leaves reading them to whoever has time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field


@dataclass
class Exchange:
    """One request and what came back.

    `error` is empty where the answer is complete; `dropped` says that the server closed the
    connection before it began to answer.
    """

    sent_s: float = 0.0
    status: int = 0
    pieces: list[bytes] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    error: str = ""
    answered: bool = False
    dropped: bool = False

    @property
    def body(self) -> bytes:
        """All pieces."""
        return b"".join(self.pieces)


class Connection(asyncio.Protocol):
    """A connection that carries one exchange."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._done: asyncio.Future[None]
        self._received = b""
        self._in_head = True
        self._length: int | None = None
        self._chunked = False

    async def exchange(self, request: bytes, *, timeout_s: float) -> Exchange:
        """Sends `request` and waits for the whole answer; what goes wrong is in `error`."""
        exchange = Exchange()
        loop = asyncio.get_running_loop()
        self._exchange, self._done = exchange, loop.create_future()
        timer = loop.call_later(timeout_s, self._fail, f"no complete answer within {timeout_s:g} s")
        exchange.sent_s = time.perf_counter()
        assert self._transport is not None  # noqa: S101 - `connect` promises it
        self._transport.write(request)
        try:
            await self._done
        finally:
            timer.cancel()
            if self._exchange is not None:
                self.abort()
        return exchange

    @property
    def exchange_under_way(self) -> Exchange | None:
        """The exchange that is not complete yet."""
        return self._exchange

    def abort(self) -> None:
        """Drops the connection, and the answer under way with it."""
        self._exchange = None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's own promise
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._exchange is None:
            return
        if self._exchange.answered and not self._chunked and self._length is None:
            self._finish()
        elif self._exchange.answered:
            self._fail("the connection closed in the middle of an answer")
        else:
            self._exchange.dropped = True
            self._fail("the connection closed without an answer")

    def data_received(self, data: bytes) -> None:
        now_s = time.perf_counter()
        exchange = self._exchange
        if exchange is None:
            return
        exchange.answered = True
        if self._in_head:
            data = self._received + data
            head, blank, data = data.partition(b"\r\n\r\n")
            if not blank:
                self._received = head
                return
            self._received, self._in_head = b"", False
            if not self._read_head(exchange, head):
                self._fail("the answer is no HTTP")
                return
        if self._chunked:
            self._take_chunks(exchange, data, now_s)
            return
        if data:
            exchange.pieces.append(data)
            exchange.times_s.append(now_s)
        if self._length is not None and sum(map(len, exchange.pieces)) >= self._length:
            self._finish()

    def _read_head(self, exchange: Exchange, head: bytes) -> bool:
        first, *lines = head.split(b"\r\n")
        words = first.split()
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
            return False
        exchange.status = int(words[1])
        for line in lines:
            name, _, value = line.lower().partition(b":")
            value = value.strip()
            if name == b"content-length" and value.isdigit():
                self._length = int(value)
            elif name == b"transfer-encoding":
                self._chunked = b"chunked" in value
        return True

    def _take_chunks(self, exchange: Exchange, data: bytes, now_s: float) -> None:
        if self._received:
            data = self._received + data
        place = 0
        while (line_end := data.find(b"\r\n", place)) >= 0:
            try:
                size = int(data[place:line_end].partition(b";")[0], 16)
                if size < 0:
                    raise ValueError(size)
            except ValueError:
                self._fail("a chunk of the answer has no size")
                return
            begin, end = line_end + 2, line_end + 2 + size
            if len(data) < end + 2:
                break
            if size == 0:
                self._finish()
                return
            exchange.pieces.append(data[begin:end])
            exchange.times_s.append(now_s)
            place = end + 2
        self._received = data[place:]

    def _finish(self) -> None:
        self._exchange = None
        if self._transport is not None:
            self._transport.close()
        if not self._done.done():
            self._done.set_result(None)

    def _fail(self, error: str) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.error = error
        if self._transport is not None:
            self._transport.abort()
        if not self._done.done():
            self._done.set_result(None)


async def connect(host: str, port: int) -> Connection:
    """A new connection.

    Raises:
        OSError: nobody listens.
    """
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, port)
    return connection
