"""Times of arrival: those of the kernel, whoever is late to read."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.measure.connection import addresses_of, connect
from autotuner.socket_clock import SocketClock

LATE_S = 0.2
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


@linux
def test_a_loop_that_reads_late_does_not_change_when_something_arrived() -> None:
    async def late() -> tuple[float, float]:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as first:
            # The kernel begins to stamp a little after the first socket has asked for it.
            SocketClock(first)
            await asyncio.sleep(0.3)
            connection = await connect([(socket.AF_INET, server.getsockname())])
            asked = asyncio.ensure_future(connection.exchange(b"GET / HTTP/1.1", timeout_s=10))
            peer, _ = server.accept()
            await asyncio.sleep(0)
            with peer:
                peer.sendall(HEAD + b"data: 1\n\n")
                written_s = time.perf_counter()
            time.sleep(LATE_S)  # noqa: ASYNC251 - somebody holds the loop up
            exchange = await asked
        assert exchange.body == b"data: 1\n\n", exchange.error
        return written_s, exchange.times_s[0]

    # One segment in very many comes unstamped, and counts from when it is read.
    delays = (
        arrived_s - written_s for written_s, arrived_s in (asyncio.run(late()) for _ in range(5))
    )
    assert any(delay < LATE_S / 2 for delay in delays)


def test_a_long_request_goes_out_while_the_server_is_slow_to_read() -> None:
    body = b"x" * 8_000_000

    async def slow() -> int:
        received = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal received
            while received < len(body):
                received += len(await reader.read(65536))
                await asyncio.sleep(0)
            writer.write(HEAD + b"data: 1\n\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = await connect(await addresses_of("localhost", port))
        exchange = await connection.exchange(body, timeout_s=60)
        assert exchange.body == b"data: 1\n\n", exchange.error
        return received

    assert asyncio.run(slow()) == len(body)


def test_what_a_server_says_before_it_refuses_the_rest_of_a_request_is_read() -> None:
    async def refuse() -> tuple[int, bytes]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nbig\n")
            await writer.drain()
            await asyncio.sleep(0.2)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = await connect(await addresses_of("127.0.0.1", port))
        exchange = await connection.exchange(b"x" * 20_000_000, timeout_s=10)
        return exchange.status, exchange.body

    assert asyncio.run(refuse()) == (413, b"big\n")


def test_a_silent_server_is_given_up_and_its_connection_closed() -> None:
    async def silent() -> tuple[str, bytes]:
        left = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            left.set_result(await reader.read())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = await connect(await addresses_of("127.0.0.1", port))
        exchange = await connection.exchange(b"GET / HTTP/1.1\r\n\r\n", timeout_s=0.05)
        return exchange.error, await asyncio.wait_for(left, 10)

    error, sent = asyncio.run(silent())
    assert error == "no complete answer within 0.05 s"
    assert sent == b"GET / HTTP/1.1\r\n\r\n"


@given(st.integers(-(10**18), 10**18))
def test_a_wall_clock_that_is_set_meanwhile_moves_no_arrival_out_of_its_place(step_ns: int) -> None:
    with socket.socket() as stamped:
        before_s = time.perf_counter()
        clock = SocketClock(stamped)
        seconds, nanoseconds = divmod(time.time_ns() + step_ns, 10**9)
        stamp = struct.pack("@ll", seconds, nanoseconds)
        arrived_s = clock.arrived_s([(socket.SOL_SOCKET, 35, stamp)])
        assert before_s <= arrived_s <= time.perf_counter()
        assert arrived_s <= clock.arrived_s([])
