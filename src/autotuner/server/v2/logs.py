"""Logs of engines: `/tasks/{task_id}/logs`, and those of one experiment; and the task's own log.

A stream (`follow=true`) sends each line as an event `line`, on a task's log an event `experiment`
(`data`: its index) before the lines of each launch, and `end` when nothing more will come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import PlainTextResponse, Response
from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool

from autotuner.launch.log_reader import LogReader, confined_log, last_lines
from autotuner.report.task_log import TaskLog
from autotuner.server.event_feed import EventFeed
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.events import (
    EVENT_SCHEMA,
    EVENT_STREAM,
    STREAM_HEADERS,
    EventStream,
    feed_of,
)
from autotuner.server.v2.experiments import Index, require_experiment
from autotuner.server.v2.routing import ServiceDep, TaskId, problems, v2_router
from autotuner.server.v2.tasks import require_task
from autotuner.store import experiment_listing
from autotuner.store.event_log import events_after
from autotuner.store.listing import Row, task_status

MOST_LINES = 10_000
POLL_S = 0.25
_HEARTBEAT_POLLS = 60
_GOES_ON = ("queued", "running")
"""Statuses of a task in which more may be logged."""
router = v2_router("/tasks/{task_id}", "logs")
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Lines of text, or server-sent events where it is followed.",
        "content": {
            "text/plain": {"schema": {"type": "string"}},
            EVENT_STREAM: {"schema": EVENT_SCHEMA},
        },
    }
}
_Tail = Annotated[int, Query(ge=0, le=MOST_LINES, description="Number of last lines.")]
_Follow = Annotated[bool, Query(description="Whether to continue with what is appended.")]
_Feed = Annotated[EventFeed, Depends(feed_of)]
_HEARTBEAT = b": still here\n\n"
_END = format_sse_event(event="end", data_str="{}")


@router.get(
    "/logs", response_class=PlainTextResponse, responses=_TEXT | problems(ProblemKind.NOT_FOUND)
)
async def read_task_log(
    service: ServiceDep, feed: _Feed, task_id: TaskId, tail: _Tail = 200, follow: _Follow = False
) -> Response:
    """The log of a task's newest launch; followed, of each launch in turn."""
    await run_in_threadpool(require_task, service, task_id)
    if follow:
        follower = _TaskFollower(service, task_id, tail)
        lines = _streamed(feed, follower.look, first=_HEARTBEAT)
        return EventStream(lines, headers=STREAM_HEADERS)
    newest = await run_in_threadpool(experiment_listing.newest_log, service.store.sessions, task_id)
    if newest is None:
        return PlainTextResponse("")
    return await _text(await run_in_threadpool(_log_of, service, task_id, newest[0]), tail)


@router.get(
    "/logs/task",
    response_class=PlainTextResponse,
    responses=_TEXT | problems(ProblemKind.NOT_FOUND),
)
async def read_own_log(
    service: ServiceDep, feed: _Feed, task_id: TaskId, tail: _Tail = 200, follow: _Follow = False
) -> Response:
    """The log of a task itself: what was done with it, launch by launch, from its events."""
    await run_in_threadpool(require_task, service, task_id)
    reader = await run_in_threadpool(_TaskLogReader, service, task_id, tail)
    if follow:
        return EventStream(_streamed(feed, reader.look), headers=STREAM_HEADERS)
    return _as_text(await run_in_threadpool(reader.more))


@router.get(
    "/experiments/{index}/logs",
    response_class=PlainTextResponse,
    responses=_TEXT | problems(ProblemKind.NOT_FOUND),
)
async def read_experiment_log(
    service: ServiceDep,
    feed: _Feed,
    task_id: TaskId,
    index: Index,
    tail: _Tail = 200,
    follow: _Follow = False,
) -> Response:
    """The log of one launch."""
    path = await run_in_threadpool(_log_of, service, task_id, index)
    if follow:
        follower = _ExperimentFollower(service, task_id, index, tail)
        return EventStream(_streamed(feed, follower.look), headers=STREAM_HEADERS)
    return await _text(path, tail)


def _log_of(service: Service, task_id: int, index: int) -> Path | None:
    """Log of an experiment; None where none has been written yet, or will be: of a replay.

    Raises:
        ProblemError: there is no such experiment, or its log is not here.
    """
    row = require_experiment(service, task_id, index)
    found = confined_log(row["log_path"], service.logs)
    if found is None and not _is_awaited(service, task_id, row):
        raise ProblemError(
            ProblemKind.NOT_FOUND,
            "the log is not on this machine: the worker ran on another, or the log was removed; "
            "of a failed experiment the last lines are in `failure.log_tail`",
        )
    return found


def _is_awaited(service: Service, task_id: int, experiment: Row) -> bool:
    """Whether a log that is not there is none yet."""
    if experiment["status"] in ("running", "interrupted"):
        path = Path(experiment["log_path"])
        return not path.exists() and path.resolve().is_relative_to(service.logs.resolve())
    task = service.store.tasks.get(task_id)
    return task is not None and task.replay


async def _text(path: Path | None, tail: int) -> Response:
    if path is None:
        return _as_text([])
    lines, _ = await run_in_threadpool(last_lines, path, tail)
    return _as_text(lines)


def _as_text(lines: list[str]) -> Response:
    return PlainTextResponse("".join(f"{line}\n" for line in lines))


class _TaskLogReader:
    """Reads what is appended to a task's own log.

    Args:
        tail: lines of what is there at first.
    """

    def __init__(self, service: Service, task_id: int, tail: int) -> None:
        self._sessions = service.store.sessions
        self._task_id = task_id
        self._tail: int | None = tail
        self._log = TaskLog(experiment_listing.axes(self._sessions, task_id) or ())
        self._last = 0

    def more(self) -> list[str]:
        """Lines that were appended since the last call."""
        events = events_after(self._sessions, self._last, task_id=self._task_id)
        self._last = events[-1].id if events else self._last
        lines, tail = self._log.lines(events), self._tail
        self._tail = None
        return lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]

    def look(self) -> tuple[bytes, bool]:
        """As `_streamed` asks."""
        status = task_status(self._sessions, self._task_id)
        return _sent(self.more()), status in _GOES_ON


class _ExperimentFollower:
    """Follows the log of one launch."""

    def __init__(self, service: Service, task_id: int, index: int, tail: int) -> None:
        self._service = service
        self._place = (task_id, index)
        self._tail = tail
        self._reader: LogReader | None = None

    def look(self) -> tuple[bytes, bool]:
        """As `_streamed` asks."""
        row = experiment_listing.experiment(self._service.store.sessions, *self._place)
        goes_on = row is not None and row["status"] == "running"
        lines: list[str] = []
        if self._reader is None and row is not None:
            lines, self._reader = _opened(row["log_path"], self._service.logs, self._tail)
        if self._reader is not None:
            lines += self._reader.more(to_the_end=not goes_on)
        return _sent(lines), goes_on


class _TaskFollower:
    """Follows the logs of a task's launches, each in turn."""

    def __init__(self, service: Service, task_id: int, tail: int) -> None:
        self._service = service
        self._task_id = task_id
        self._tail = tail
        self._shown: tuple[int, str] | None = None
        self._reader: LogReader | None = None

    def look(self) -> tuple[bytes, bool]:
        """As `_streamed` asks."""
        sessions = self._service.store.sessions
        goes_on = task_status(sessions, self._task_id) in _GOES_ON
        newest = experiment_listing.newest_log(sessions, self._task_id)
        is_next = newest is not None and (self._shown is None or newest[0] != self._shown[0])
        lines: list[str] = []
        if self._reader is None and self._shown is not None:
            lines, self._reader = _opened(self._shown[1], self._service.logs, self._tail)
        if self._reader is not None:
            # Later launches are read in full.
            self._tail = MOST_LINES
            lines += self._reader.more(to_the_end=is_next or not goes_on)
        if lines or not is_next or newest is None:
            return _sent(lines), goes_on
        self._shown, self._reader = newest, None
        return format_sse_event(event="experiment", data_str=str(newest[0])), True


def _opened(written: str, root: Path, tail: int) -> tuple[list[str], LogReader | None]:
    """Last lines of a log, and a reader of what follows; None while there is no log."""
    path = confined_log(written, root)
    if path is None:
        return [], None
    lines, position = last_lines(path, tail)
    return lines, LogReader(path, position)


async def _streamed(
    feed: EventFeed, look: Callable[[], tuple[bytes, bool]], *, first: bytes = b""
) -> AsyncIterator[bytes]:
    """A stream until the service stops, or nothing is found and nothing more will come.

    Args:
        look: called again and again: what has come since, and whether more may come.
    """
    quiet = 0
    yield first
    while not feed.closed:
        found, goes_on = await run_in_threadpool(look)
        if found:
            yield found
        elif not goes_on:
            break
        else:
            quiet += 1
            if quiet % _HEARTBEAT_POLLS == 0:
                yield _HEARTBEAT
            await asyncio.sleep(POLL_S)
    yield _END


def _sent(lines: list[str]) -> bytes:
    return b"".join(format_sse_event(event="line", data_str=line) for line in lines)
