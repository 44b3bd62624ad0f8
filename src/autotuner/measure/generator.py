"""Our load generator: load on an OpenAI-compatible streaming endpoint, in a closed or open loop."""

from __future__ import annotations

import asyncio
import json
import time
from asyncio import FIRST_COMPLETED
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from autotuner.errors import MeasureError
from autotuner.http_client import BaseUrl
from autotuner.measure.arrival import LOAD_KINDS
from autotuner.measure.connection import Address, Connection, Exchange, addresses_of, connect
from autotuner.measure.disturbance import ClientWatch
from autotuner.measure.level import ENGINE_DIED, Level, Ticket
from autotuner.measure.prompts import SAFE_VOCABULARY, PromptSource, Request
from autotuner.measure.protocol import Endpoint, LevelPlan, LoadContext
from autotuner.measure.reply import REPORTED, Reply, body_text, parse_reply
from autotuner.measure.results import Measurement
from autotuner.measure.threads import BackgroundThread, run_in_own_loop

_MODELS_TIMEOUT_S = 10.0
# A dying engine's exit is seen a little after its connections close.
_DEATH_POLLS, _DEATH_POLL_S = 15, 0.02


class StreamingLoadGenerator:
    """Sends requests as the plan's arrival process has it; see `LoadGenerator`.

    Sockets are read on a loop of their own, which does nothing else: prompts are drawn and encoded
    before, and replies are read in another thread, after the level where nothing depends on them.
    """

    load_kinds = LOAD_KINDS

    @classmethod
    def of(cls, context: LoadContext) -> Self:
        """See `LoadGenerator.of`; it needs nothing."""
        return cls()

    async def run(
        self,
        endpoint: Endpoint,
        plan: LevelPlan,
        *,
        engine_alive: Callable[[], bool],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Measurement:
        """Runs one level; see `LoadGenerator.run`. `engine_alive` is called in another thread."""
        caller = asyncio.get_running_loop()

        def progress(completed: int, wanted: int) -> None:
            if on_progress is not None:
                caller.call_soon_threadsafe(on_progress, completed, wanted)

        return await run_in_own_loop(lambda: _run(endpoint, plan, engine_alive, progress))


async def _run(
    endpoint: Endpoint,
    plan: LevelPlan,
    engine_alive: Callable[[], bool],
    on_progress: Callable[[int, int], None],
) -> Measurement:
    # What looks at a sample needs it, and takes a tenth of a second to load: not in the level.
    import numpy  # noqa: F401

    client = _Client(endpoint, plan, engine_alive)
    prompts = PromptSource(plan.lengths, seed=plan.seed, vocabulary=await client.vocabulary())
    with BackgroundThread() as background:
        level = Level(plan, on_progress, in_background=background.compute)
        sender = _Sender(plan, client, prompts, level, background)
        async with ClientWatch() as watch:
            over = asyncio.create_task(level.over.wait())
            try:
                sender.send_due()
                ends: set[asyncio.Future[Any]] = {over, background.failure}
                await asyncio.wait(ends, return_when=FIRST_COMPLETED)
            finally:
                over.cancel()
                unfinished = await sender.leave()
        await background.idle()
        for left in unfinished:
            level.left_unfinished(
                parse_reply(left.sent_s, left.fragments, left.times_s, unfinished=True)
            )
        return level.measurement(watch, engine_alive=engine_alive())


class _Sender:
    """Sends requests as the arrival process has it, until the level is over."""

    def __init__(
        self,
        plan: LevelPlan,
        client: _Client,
        prompts: PromptSource,
        level: Level,
        background: BackgroundThread,
    ) -> None:
        self._arrival = plan.arrival_process()
        self._client = client
        self._prompts = prompts
        self._level = level
        self._background = background
        self._loop = asyncio.get_running_loop()
        self._began_s = time.perf_counter()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[Connection] = set()

    def send_due(self) -> None:
        """Sends what is due, and comes back when the next request is, or may be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        level, is_open = self._level, self._arrival.users is None
        while not level.over.is_set():
            if level.has_arrived:
                self._background.flush()
                level.judge()
                return
            after_s = self._arrival.due_s(level.sent, level.in_flight)
            if after_s is None:
                return
            due_s = self._began_s + after_s
            if is_open:
                level.next_due_s = due_s
            wait_s = min(due_s - time.perf_counter(), level.admits_for_s)
            if wait_s > 0:
                self._timer = self._loop.call_later(wait_s, self.send_due)
                return
            if is_open and not level.may_send():
                return
            task = self._loop.create_task(self._request(level.begin(due_s if is_open else None)))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def leave(self) -> list[Exchange]:
        """Drops all that is under way; what it has brought so far is throughput too."""
        if self._timer is not None:
            self._timer.cancel()
        exchanges = [connection.exchange_under_way for connection in self._connections]
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for connection in self._connections:
            connection.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [x for x in exchanges if x is not None and x.status == 200]

    async def _request(self, ticket: Ticket) -> None:
        level, request = self._level, self._prompts.draw()
        exchange, dropped = await self._send(self._client.completion(request))
        level.dropped_and_retried += dropped
        if ticket.scheduled_s is not None:
            exchange.sent_s = ticket.scheduled_s
        end = partial(level.end, ticket, request.output_tokens)
        if exchange.error or exchange.status != 200:
            end(_read(exchange))
        else:
            level.arrived(ticket)
            self._background.later(partial(_read, exchange), end, len(exchange.fragments))
            if level.wants_reading:
                self._background.flush()
        self.send_due()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._background.fail(error)

    async def _send(self, message: bytes) -> tuple[Exchange, int]:
        """The exchange, and how many connections were dropped on the way.

        A connection that closes without an answer while the engine lives is tried once more:
        servers do that now and then.
        """
        exchange = await self._once(message)
        if not exchange.error:
            return exchange, 0
        if not await self._client.still_alive():
            exchange.error = ENGINE_DIED
        if not exchange.dropped or exchange.error == ENGINE_DIED:
            return exchange, 0
        return await self._once(message), 1

    async def _once(self, message: bytes) -> Exchange:
        # A connection for each request: llama.cpp's server closes kept ones unannounced.
        try:
            connection = await self._client.connect()
        except OSError as error:
            return Exchange(error=f"cannot connect: {error.strerror or error}")
        self._connections.add(connection)
        try:
            return await connection.exchange(message, timeout_s=self._client.timeout_s)
        finally:
            self._connections.discard(connection)


def _read(exchange: Exchange) -> Reply | str:
    if exchange.error:
        # A server that breaks off often says why in its last event.
        reported = parse_reply(exchange.sent_s, exchange.fragments, exchange.times_s)
        return (
            reported
            if isinstance(reported, str) and reported.startswith(REPORTED)
            else exchange.error
        )
    if exchange.status != 200:
        return f"HTTP {exchange.status}: {body_text(exchange.body)}"
    return parse_reply(exchange.sent_s, exchange.fragments, exchange.times_s)


class _Client:
    """Knows one endpoint: how to reach it, what to send, whether its engine lives."""

    def __init__(
        self, endpoint: Endpoint, plan: LevelPlan, engine_alive: Callable[[], bool]
    ) -> None:
        self._base = BaseUrl.parse(endpoint.base_url)
        if self._base.is_encrypted:
            raise MeasureError(
                f"{endpoint.base_url}: the load generator does not speak TLS, whose cost would be "
                "in every latency",
                remedy="give an http:// address, such as the engine's own behind the proxy",
            )
        self._addresses: list[Address] | None = None
        self._endpoint = endpoint
        self._engine_alive = engine_alive
        self.timeout_s = plan.request_timeout_s
        name = json.dumps(endpoint.model_name).replace("%", "%%")
        self._options = (
            f'"model": {name}, "max_tokens": %d, "temperature": 0.0, "ignore_eos": true, '
            '"stream": true, "stream_options": {"include_usage": true}}'
        ).encode()

    async def connect(self) -> Connection:
        """A new connection; raises OSError where nobody listens."""
        if self._addresses is None:
            self._addresses = await addresses_of(self._base.host, self._base.port)
        return await connect(self._addresses)

    async def vocabulary(self) -> int:
        """The served model's vocabulary where the server gives it (llama.cpp does)."""
        try:
            connection = await self.connect()
            message = self._message("GET", "/v1/models", b"")
            exchange = await connection.exchange(message, timeout_s=_MODELS_TIMEOUT_S)
            return int(json.loads(exchange.body)["data"][0]["meta"]["n_vocab"])
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return SAFE_VOCABULARY

    def completion(self, request: Request) -> bytes:
        """The bytes that ask for one streamed completion."""
        options = self._options % request.output_tokens
        body = b'{"prompt": [%b], %b' % (request.prompt_json, options)
        return self._message("POST", self._endpoint.api_path, body)

    async def still_alive(self) -> bool:
        """Whether the engine lives, after the time that its death may take to be seen."""
        for _ in range(_DEATH_POLLS):
            if not self._engine_alive():
                return False
            await asyncio.sleep(_DEATH_POLL_S)
        return self._engine_alive()

    def _message(self, method: str, path: str, body: bytes) -> bytes:
        head = (
            f"{method} {self._base.path}{path} HTTP/1.1\r\nHost: {self._base.authority}\r\n"
            "Connection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body
