"""A lean HTTP/1.1 client for streamed answers.

The load generator must not become what it measures: a general client costs a multiple of the CPU
time of this one for each token (docs/decisions/0003). It keeps each fragment of a body with the
time it came, and leaves reading them to whoever has time.
"""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from autotuner.socket_clock import SocketClock

_READ_BYTES = 1 << 16


@dataclass
class Exchange:
    """One request and what came back.

    `error` is empty where the answer is complete; `dropped` says that the server closed the
    connection before it began to answer.
    """

    sent_s: float = 0.0
    status: int = 0
    fragments: list[bytes] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    error: str = ""
    answered: bool = False
    dropped: bool = False

    @property
    def body(self) -> bytes:
        """All fragments."""
        return b"".join(self.fragments)


class Connection:
    """A connection that carries one exchange, on the running loop."""

    def __init__(self, connected: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = connected
        self._descriptor = connected.fileno()
        self._clock = SocketClock(connected)
        self._exchange: Exchange | None = None
        self._done: asyncio.Future[None]
        self._unsent = memoryview(b"")
        self._received = b""
        self._in_head = True
        self._length: int | None = None
        self._chunked = False

    async def exchange(self, request: bytes, *, timeout_s: float) -> Exchange:
        """Sends `request` and waits for the whole answer; what goes wrong is in `error`."""
        exchange = Exchange()
        self._exchange, self._done = exchange, self._loop.create_future()
        self._unsent = memoryview(request)
        timer = self._loop.call_later(
            timeout_s, self._fail, f"no complete answer within {timeout_s:g} s"
        )
        self._loop.add_reader(self._descriptor, self._read)
        exchange.sent_s = time.perf_counter()
        self._write()
        try:
            await self._done
        finally:
            timer.cancel()
            self.abort()
        return exchange

    @property
    def exchange_under_way(self) -> Exchange | None:
        """The exchange that is not complete yet."""
        return self._exchange

    def abort(self) -> None:
        """Drops the connection, and the answer under way with it."""
        self._exchange = None
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._socket.close()

    def _write(self) -> None:
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            # The server has closed: what it sent before is still read, and so is the end.
            self._unsent = memoryview(b"")
        if self._unsent:
            self._loop.add_writer(self._descriptor, self._write)
        else:
            self._loop.remove_writer(self._descriptor)

    def _read(self) -> None:
        received = self._clock.receive(_READ_BYTES)
        if received is None:
            return
        data, arrived_s = received
        if data:
            self._take(data, arrived_s)
        else:
            self._closed()

    def _closed(self) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if exchange.answered and not self._chunked and self._length is None:
            self._finish()
        elif exchange.answered:
            self._fail("the connection closed in the middle of an answer")
        else:
            exchange.dropped = True
            self._fail("the connection closed without an answer")

    def _take(self, data: bytes, arrived_s: float) -> None:
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
            self._take_chunks(exchange, data, arrived_s)
            return
        if data:
            exchange.fragments.append(data)
            exchange.times_s.append(arrived_s)
        if self._length is not None and sum(map(len, exchange.fragments)) >= self._length:
            self._finish()

    def _read_head(self, exchange: Exchange, head: bytes) -> bool:
        first, *lines = head.split(b"\r\n")
        parts = first.split()
        if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit():
            return False
        exchange.status = int(parts[1])
        for line in lines:
            name, _, value = line.lower().partition(b":")
            value = value.strip()
            if name == b"content-length" and value.isdigit():
                self._length = int(value)
            elif name == b"transfer-encoding":
                self._chunked = b"chunked" in value
        return True

    def _take_chunks(self, exchange: Exchange, data: bytes, arrived_s: float) -> None:
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
            exchange.fragments.append(data[begin:end])
            exchange.times_s.append(arrived_s)
            place = end + 2
        self._received = data[place:]

    def _finish(self) -> None:
        self.abort()
        if not self._done.done():
            self._done.set_result(None)

    def _fail(self, error: str) -> None:
        if self._exchange is not None:
            self._exchange.error = error
        self._finish()


Address = tuple[socket.AddressFamily, Any]
"""Family and address of one endpoint, as `socket.getaddrinfo` gives them."""


async def addresses_of(host: str, port: int) -> list[Address]:
    """Where `host` may be reached, in the order in which to try.

    Raises:
        OSError: no such host.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


async def connect(addresses: list[Address]) -> Connection:
    """A new connection to the first address where somebody listens.

    Raises:
        OSError: nobody listens.
    """
    failures: list[OSError] = []
    for family, address in addresses:
        connecting = socket.socket(family, socket.SOCK_STREAM)
        try:
            connecting.setblocking(False)
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(connecting, address)
            return Connection(connecting)
        except OSError as error:
            connecting.close()
            failures.append(error)
        except asyncio.CancelledError:
            connecting.close()
            raise
    raise failures[0]
