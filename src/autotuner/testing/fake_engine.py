"""A fake engine: a real process, a real streaming HTTP server, a made-up speed.

`python -m autotuner.testing.fake_engine --port 8080 --slots 4 --ttft-ms 60 --tpot-ms 20` serves
`/health`, `/v1/models`, `/v1/completions`, its chat form, and `/stats`. It accepts llama-server's
flags too, so it can stand in for that program, and `--fail` makes it fail in one of the ways that
real engines do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
import time
from pathlib import Path
from typing import Any

from autotuner.llamacpp_host import parser as llama_server_flags
from autotuner.socket_clock import SocketClock
from autotuner.testing.queueing import Job, RequestQueue, Speed

VOCABULARY = 32_000
# epoll waits in whole milliseconds, rounded up: aimed half of one early, tokens are late and early
# alike, and the speed is true on average.
_TIMER_GRAIN_S = 0.001
_READ_BYTES = 1 << 18
STALL_S = 0.5
FAILURES = {
    "crash-start": "ends at once with exit code 3",
    "oom-start": "prints that memory ran out, and ends",
    "model-load": "prints that the model cannot be loaded, and ends",
    "hang-start": "listens and is never healthy",
    "ignore-term": "serves, and ignores SIGTERM",
    "crash-load": "aborts after --fail-after requests",
    "oom-load": "prints that memory ran out after --fail-after requests, and ends",
    "refuse": "answers every request with 503 after --fail-after requests",
    "drop": "closes every --fail-after-th connection without an answer",
    "short": "answers with half of the tokens asked for",
    "stall": "does nothing for half a second when request --fail-after + 1 has come",
    "hang-load": "stops answering after --fail-after requests",
}


def parser() -> argparse.ArgumentParser:
    """llama-server's flags, and the fake's own."""
    flags = llama_server_flags()
    flags.prog = "fake_engine"
    for action in flags._actions:
        if action.dest == "model":
            action.required = False
    flags.add_argument("--version", action="version", version="version: fake 1")
    flags.add_argument("--slots", type=int, help="as --parallel")
    for name in ("ttft-ms", "tpot-ms", "tpot-slope-ms", "prefill-ms-per-token"):
        flags.add_argument(f"--{name}", type=float, default=getattr(Speed, name.replace("-", "_")))
    flags.add_argument("--load-delay-s", type=float, default=0.0)
    flags.add_argument("--fail", choices=tuple(FAILURES))
    flags.add_argument("--fail-after", type=int, default=0)
    return flags


def install_fake_engine(folder: Path, *arguments: str) -> Path:
    """Writes an executable `llama-server` that is the fake, for a task's `engine_path`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "llama-server"
    argv = [sys.executable, "-m", "autotuner.testing.fake_engine", *arguments]
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in argv)
    path.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class FakeServer:
    """The state that all connections share."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.fail: str | None = args.fail
        self.fail_after: int = args.fail_after
        self.model: str = args.alias or "fake"
        self.healthy = False
        self.requests = self.in_flight = self.most_in_flight = 0
        self.true_ttft_ms: list[float] = []
        self.true_tpot_ms: list[float] = []
        self.queue = RequestQueue(
            Speed(
                args.slots or args.parallel,
                args.ttft_ms,
                args.tpot_ms,
                args.tpot_slope_ms,
                args.prefill_ms_per_token,
            )
        )
        self._timer: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """Emits what is due, and sleeps until the next token is."""
        loop = asyncio.get_running_loop()
        self.queue.advance(loop.time() + _TIMER_GRAIN_S / 2)
        if self._timer is not None:
            self._timer.cancel()
        due_s = self.queue.next_due_s()
        self._timer = None if due_s is None else loop.call_at(due_s - _TIMER_GRAIN_S / 2, self.wake)

    def failing_now(self, kind: str) -> bool:
        """Whether this fault is switched on and its time has come."""
        return self.fail == kind and self.requests > self.fail_after


class FakeConnection(asyncio.Protocol):
    """One client; HTTP/1.1 with keep-alive, requests one after the other.

    It reads its socket itself: the truth about a TTFT begins when the request begins to arrive,
    also where this process is late to read it.
    """

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._received = b""
        self._arrived_s = 0.0
        self._job: Job | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.pause_reading()
        self._socket = transport.get_extra_info("socket").dup()
        self._clock = SocketClock(self._socket)
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def connection_lost(self, exc: Exception | None) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket.fileno())
        self._socket.close()
        if self._job is not None:
            self._server.in_flight -= 1
            self._server.queue.cancel(self._job, loop.time())
            self._server.wake()

    def _read(self) -> None:
        received = self._clock.receive(_READ_BYTES)
        if received is None:
            return
        data, arrived_s = received
        if data:
            self._received_at(arrived_s, data)
        else:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._transport.abort()

    def _received_at(self, arrived_s: float, data: bytes) -> None:
        if not self._received:
            self._arrived_s = arrived_s
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        lines = head.split(b"\r\n")
        length = next(
            (int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0
        )
        if len(body) < length:
            return
        self._received = body[length:]
        method, path, _ = lines[0].decode().split(" ", 2)
        self._route(method, path, body[:length], self._arrived_s)

    def _route(self, method: str, path: str, body: bytes, arrived_s: float) -> None:
        server = self._server
        if path == "/health":
            status = 200 if server.healthy else 503
            self._answer(status, {"status": "ok" if server.healthy else "loading model"})
        elif path == "/v1/models":
            self._answer(200, {"data": [{"id": server.model, "meta": {"n_vocab": VOCABULARY}}]})
        elif path == "/stats":
            stats = {"ttft_ms": server.true_ttft_ms, "tpot_ms": server.true_tpot_ms}
            counts = {"requests": server.requests, "most_in_flight": server.most_in_flight}
            self._answer(200, counts | stats)
        elif (method, path) in (("POST", "/v1/completions"), ("POST", "/v1/chat/completions")):
            self._complete(json.loads(body), arrived_s)
        else:
            self._answer(404, {"error": {"message": f"no {path} here"}})

    def _complete(self, request: dict[str, Any], arrived_s: float) -> None:
        server = self._server
        server.requests += 1
        if server.failing_now("crash-load"):
            os.abort()
        if server.failing_now("oom-load"):
            print("failed to allocate buffer of size 99999999", file=sys.stderr, flush=True)
            os._exit(1)
        if server.failing_now("refuse"):
            self._answer(503, {"error": {"message": "no capacity"}})
            return
        if server.fail == "stall" and server.requests == server.fail_after + 1:
            time.sleep(STALL_S)
        if server.failing_now("hang-load"):
            return
        if server.fail == "drop" and server.requests % max(server.fail_after, 1) == 0:
            self._transport.close()
            return
        messages = request.get("messages")
        prompt = " ".join(str(m["content"]) for m in messages) if messages else request["prompt"]
        prompt_tokens = len(prompt) if isinstance(prompt, list) else len(prompt.split())
        wanted = int(request.get("max_tokens", 16))
        tokens = max(1, wanted // 2) if server.fail == "short" else wanted
        stream = _Stream(
            self._transport, server, arrived_s, prompt_tokens, tokens, chat=bool(messages)
        )
        self._job = Job(prompt_tokens, tokens, stream.emit)
        server.in_flight += 1
        server.most_in_flight = max(server.most_in_flight, server.in_flight)
        server.queue.submit(self._job, asyncio.get_running_loop().time())
        server.wake()

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
        self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


class _Stream:
    """Writes one answer, token by token, and keeps the truth about its timing."""

    def __init__(
        self,
        transport: asyncio.Transport,
        server: FakeServer,
        arrived_s: float,
        prompt_tokens: int,
        tokens: int,
        *,
        chat: bool = False,
    ) -> None:
        self._transport = transport
        self._chat = chat
        self._server = server
        self._arrived_s = arrived_s
        self._first_s = 0.0
        self._usage = {"prompt_tokens": prompt_tokens, "completion_tokens": tokens}

    def emit(self, index: int, last: bool) -> None:
        """Sends token `index`, and the end of the stream after the last."""
        data = _chunk({"choices": [self._choice(f" t{index}", None)]})
        now_s = time.perf_counter()
        if index == 0:
            self._first_s = now_s
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            data = head + b"Transfer-Encoding: chunked\r\n\r\n" + data
        if last:
            data += _chunk({"choices": [self._choice("", "length")], "usage": self._usage})
            data += b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
            self._server.true_ttft_ms.append((self._first_s - self._arrived_s) * 1000)
            if index > 0:
                self._server.true_tpot_ms.append((now_s - self._first_s) * 1000 / index)
        self._transport.write(data)

    def _choice(self, text: str, finish_reason: str | None) -> dict[str, Any]:
        content = {"delta": {"content": text}} if self._chat else {"text": text}
        return {"index": 0, **content, "finish_reason": finish_reason}


def _chunk(event: dict[str, Any]) -> bytes:
    data = f"data: {json.dumps(event, separators=(',', ':'))}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


async def serve(args: argparse.Namespace) -> None:
    """Serves until SIGTERM."""
    server = FakeServer(args)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set if args.fail != "ignore-term" else int)
    try:
        listening = await loop.create_server(lambda: FakeConnection(server), args.host, args.port)
    except OSError as error:
        sys.exit(f"error: couldn't bind to port {args.port}: {error.strerror}")
    await asyncio.sleep(args.load_delay_s)
    server.healthy = args.fail != "hang-start"
    await stop.wait()
    listening.close()


def main() -> None:
    """The program."""
    args, unknown = parser().parse_known_args()
    if unknown:
        sys.exit(f"error: unknown argument: {unknown[0]}")
    failures = {
        "crash-start": ("something is wrong", 3),
        "oom-start": ("failed to allocate buffer of size 68719476736", 1),
        "model-load": ("error loading model: made to fail", 1),
    }
    if args.fail in failures:
        text, code = failures[args.fail]
        print(text, file=sys.stderr)
        sys.exit(code)
    asyncio.run(serve(args))


if __name__ == "__main__":
    main()
