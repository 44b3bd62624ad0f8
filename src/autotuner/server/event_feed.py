"""Live events: one reader of the database, many streams.

While a stream is open, one task of the event loop asks for new rows every `POLL_S`, writes each
once as a server-sent event, and hands the bytes to every stream of its task. A stream that does not
keep up is ended with a reason; its client resumes behind the last number that it received.

Of the events that are sent together the last one of each task carries the task as a list shows it,
so that a row needs no request of its own. The last event of a task says that it was deleted: it
ends the streams of that task.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from fastapi.sse import format_sse_event
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from autotuner.errors import StoreError
from autotuner.store.event_log import (
    TASK_DELETED,
    Happened,
    events_after,
    events_new,
    newest_ids,
)
from autotuner.store.listing import task_items
from autotuner.store.sessions import Sessions

LATE_S = 60.0
"""After so long, a number that has not appeared belongs to a transaction that was rolled back."""
MOST_LATE = 1_000
POLL_S = 0.05
HEARTBEAT_S = 15.0
RETRY_MS = 2_000
"""Delay after which a browser reopens a lost stream."""
MOST_WAITING = 2_000
"""Events that a stream may be behind."""
_UNAVAILABLE_S = 1.0
_PAGE = 500
_LOOK_BACK = 200
_HEARTBEAT = b": still here\n\n"
_JSON = TypeAdapter(dict[str, object])
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EventWindow:
    """Numbers of events that have been seen: all up to `last` but the `late` ones. Immutable.

    Two transactions of PostgreSQL may be given numbers in one order and become visible in the
    other, so that a number that is passed over may come later.

    Attributes:
        late: number -> since when it is missing, in seconds of the caller's clock.
    """

    last: int = 0
    late: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def starting_at(cls, newest: Iterable[int], now_s: float) -> EventWindow:
        """Window in which all that is older than the newest numbers counts as seen."""
        ids = sorted(newest)
        return cls(ids[0] - 1).after(ids, now_s) if ids else cls()

    def after(self, ids: Iterable[int], now_s: float) -> EventWindow:
        """Window once these numbers, in rising order, have been seen."""
        late = {number: since for number, since in self.late.items() if now_s - since < LATE_S}
        last = self.last
        for number in ids:
            late.pop(number, None)
            late.update((missing, now_s) for missing in _between(last, number))
            last = max(last, number)
        return EventWindow(last, dict(list(late.items())[-MOST_LATE:]))


def _between(last: int, number: int) -> Iterator[int]:
    """The numbers passed over; of a great many only the newest."""
    return iter(range(max(last + 1, number - MOST_LATE), number))


EventForm = Literal["named", "message"]
"""Whether events have their kind in a line `event`, or none: browsers hand all of those to
`onmessage`, and the kind is in the data."""


class EventLine(NamedTuple):
    """An event as streams send it, but for its line `event`. `id` is None for one that a stream
    adds itself."""

    id: int | None
    task_id: int | None
    kind: str
    lines: bytes

    def text(self, form: EventForm) -> bytes:
        """The whole event."""
        return self.lines if form == "message" else f"event: {self.kind}\n".encode() + self.lines


class Subscription:
    """Queue of one stream: lines that wait to be sent, of one task or of all."""

    def __init__(self, task_id: int | None, most: int) -> None:
        self.task_id = task_id
        self.dropped = False
        self.closed = False
        self._most = most
        self._lines: deque[EventLine] = deque()
        self._ready = asyncio.Event()

    def offer(self, line: EventLine) -> None:
        """Enqueues a line of a subscribed task; a full queue ends the stream."""
        if self.task_id not in (None, line.task_id) or self.dropped:
            return
        if len(self._lines) >= self._most:
            self.dropped = True
        else:
            self._lines.append(line)
        self._ready.set()

    def close(self) -> None:
        """Ends the stream once it has sent what waits."""
        self.closed = True
        self._ready.set()

    async def waiting(self, timeout_s: float) -> list[EventLine]:
        """Lines that wait, as soon as there are any; none after the timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            return []
        self._ready.clear()
        lines = list(self._lines)
        self._lines.clear()
        return lines


class EventFeed:
    """The events of one service. Belongs to one event loop."""

    def __init__(
        self,
        sessions: Sessions,
        *,
        poll_s: float = POLL_S,
        heartbeat_s: float = HEARTBEAT_S,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._sessions = sessions
        self._poll_s = poll_s
        self._heartbeat_s = heartbeat_s
        self._most_waiting = most_waiting
        self._window = EventWindow()
        self._subscriptions: set[Subscription] = set()
        self._poller: asyncio.Task[None] | None = None
        self._unavailable = False
        self.closed = False

    @property
    def subscriptions(self) -> int:
        """Streams that are open."""
        return len(self._subscriptions)

    def close(self) -> None:
        """Ends all streams: the service is about to stop."""
        self.closed = True
        for subscription in self._subscriptions:
            subscription.close()

    async def past(
        self, after: int, task_id: int | None = None, *, form: EventForm = "named"
    ) -> AsyncIterator[bytes]:
        """Stored events behind a number, as a stream that ends."""
        yield _retry_event()
        async for lines in self._stored(after, task_id, None):
            yield b"".join(line.text(form) for line in lines)

    async def live(
        self, after: int | None, task_id: int | None = None, *, form: EventForm = "named"
    ) -> AsyncIterator[bytes]:
        """Events behind a number, and then each as it happens; None asks for new ones alone."""
        yield _retry_event()
        subscription, window = await self._join(task_id)
        try:
            late = set(window.late)
            sent: set[int] = set()
            if after is not None:
                async for lines in self._stored(after, task_id, window.last):
                    sent |= late.intersection(line.id for line in lines if line.id is not None)
                    yield b"".join(line.text(form) for line in lines)
                    if _is_last(lines, task_id):
                        yield _DELETED.text(form)
                        return
            while not (self.closed or subscription.closed):
                lines = await subscription.waiting(self._heartbeat_s)
                text = b"".join(line.text(form) for line in lines if line.id not in sent)
                if text:
                    yield text
                elif not lines and not subscription.dropped:
                    yield _HEARTBEAT
                if _is_last(lines, task_id):
                    yield _DELETED.text(form)
                    return
                if subscription.dropped:
                    reason = "too slow: resume after the last event that you received"
                    yield _end_event(reason).text(form)
                    return
            yield _end_event("the service is stopping").text(form)
        finally:
            self._subscriptions.discard(subscription)

    async def _join(self, task_id: int | None) -> tuple[Subscription, EventWindow]:
        """Subscription to every event that the poller sees, and the window where it begins."""
        if self._poller is None:
            newest = await run_in_threadpool(newest_ids, self._sessions, _LOOK_BACK)
            # Another stream may have been opened meanwhile.
            if self._poller is None:
                self._window = EventWindow.starting_at(newest, _now_s())
                self._poller = asyncio.create_task(self._poll(), name="feed")
        subscription = Subscription(task_id, self._most_waiting)
        self._subscriptions.add(subscription)
        return subscription, self._window

    async def _poll(self) -> None:
        try:
            while self._subscriptions and not self.closed:
                await self._look()
        finally:
            self._poller = None
            # None are left unless this failed; their clients reconnect.
            for subscription in self._subscriptions:
                subscription.close()

    async def _look(self) -> None:
        try:
            found = await run_in_threadpool(self._new)
        except StoreError as error:
            if not self._unavailable:
                _log.warning("events are delayed: %s", error.message)
            self._unavailable = True
            await asyncio.sleep(_UNAVAILABLE_S)
            return
        self._unavailable = False
        ids = [line.id for line in found if line.id is not None]
        self._window = self._window.after(ids, _now_s())
        for line in found:
            for subscription in self._subscriptions:
                subscription.offer(line)
        await asyncio.sleep(self._poll_s if len(found) < _PAGE else 0)

    def _new(self) -> list[EventLine]:
        window = self._window
        found = events_new(self._sessions, window.last, tuple(window.late), limit=_PAGE)
        return _lines(self._sessions, found)

    def _after(self, after: int, task_id: int | None, until: int | None) -> list[EventLine]:
        found = events_after(self._sessions, after, task_id=task_id, until=until, limit=_PAGE)
        return _lines(self._sessions, found)

    async def _stored(
        self, after: int, task_id: int | None, until: int | None
    ) -> AsyncIterator[list[EventLine]]:
        while True:
            found = await run_in_threadpool(self._after, after, task_id, until)
            if found:
                yield found
                after = found[-1].id or after
            if len(found) < _PAGE or self.closed:
                return


def _lines(sessions: Sessions, events: list[Happened]) -> list[EventLine]:
    """The events as they are sent; the tasks are read behind them, so that they are as new."""
    last = {event.task_id: event.id for event in events}
    items = task_items(sessions, last) if last else {}
    return [
        _line(event, items.get(event.task_id) if last[event.task_id] == event.id else None)
        for event in events
    ]


def _line(event: Happened, task: str | None) -> EventLine:
    """An event.

    Args:
        task: JSON of its task, where it carries it.
    """
    data = _JSON.dump_json(event._asdict()).decode().removesuffix("}")
    lines = format_sse_event(data_str=f'{data},"task":{task or "null"}}}', id=str(event.id))
    return EventLine(event.id, event.task_id, event.kind, lines)


def _is_last(lines: list[EventLine], task_id: int | None) -> bool:
    """Whether nothing comes behind these lines in a stream of that task; None is of all tasks."""
    return task_id is not None and any(line.kind == TASK_DELETED for line in lines)


def _retry_event() -> bytes:
    return format_sse_event(retry=RETRY_MS)


def _end_event(reason: str) -> EventLine:
    """Final event of a stream; without a number, so that a client resumes where it was."""
    data = _JSON.dump_json({"kind": "end", "reason": reason}).decode()
    return EventLine(None, None, "end", format_sse_event(data_str=data))


_DELETED = _end_event("the task was deleted")


def _now_s() -> float:
    return asyncio.get_running_loop().time()
