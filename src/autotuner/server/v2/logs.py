"""Logs of engines: `/tasks/{task_id}/logs`, and those of one experiment.

A stream (`follow=true`) sends each line as an event `line`, on a task's log an event `experiment`
(`data`: its index) before the lines of each launch, and `end` when nothing more will come.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import Depends, Query
from fastapi.responses import PlainTextResponse, Response
from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool

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
from autotuner.store import listing

_CHUNK_BYTES = 1 << 16
_LONGEST_LINE_BYTES = 16_384
"""Longest line; longer ones are split."""
MOST_LINES = 10_000
_MOST_BYTES = 4 << 20
"""Most bytes that are read of a log to find its last lines."""
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


def confined_log(written: str, root: Path) -> Path | None:
    """Log at a path; None if it lies outside `root`, is not a file, or does not exist."""
    try:
        path = Path(written).resolve(strict=True)
        return path if path.is_file() and path.is_relative_to(root.resolve()) else None
    except OSError:
        return None


def last_lines(path: Path, lines: int) -> tuple[list[str], int]:
    """Last lines of a log, and the position behind them.

    A line that is not complete yet is left to the next read.
    """
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - _MOST_BYTES)
        position, blocks, found = end, [], 0
        while position > start and found <= lines:
            step = min(_CHUNK_BYTES, position - start)
            position -= step
            file.seek(position)
            blocks.append(file.read(step))
            found += blocks[-1].count(b"\n")
    text = b"".join(reversed(blocks))
    whole, _, rest = text.rpartition(b"\n") if b"\n" in text else (b"", b"", text)
    kept = whole.split(b"\n")[-lines:] if whole and lines else []
    return [_decoded(line) for line in kept], end - len(rest)


class LogReader:
    """Reads what is appended to a log; a log that was replaced is read from its beginning."""

    def __init__(self, path: Path, position: int) -> None:
        self._path = path
        self._position = position
        self._inode = _inode(path)
        self._rest = b""

    def more(self, *, to_the_end: bool = False) -> list[str]:
        """Lines that were appended since the last call.

        Args:
            to_the_end: whether nothing more will be appended, so that an incomplete line counts.
        """
        try:
            with self._path.open("rb") as file:
                self._begin_anew_where_replaced(file)
                file.seek(self._position)
                block = file.read(_CHUNK_BYTES)
        except OSError:
            block = b""
        self._position += len(block)
        *lines, self._rest = (self._rest + block).split(b"\n")
        if self._rest and (len(self._rest) > _LONGEST_LINE_BYTES or (to_the_end and not block)):
            lines, self._rest = [*lines, self._rest], b""
        return [_decoded(line) for line in lines]

    def _begin_anew_where_replaced(self, file: BinaryIO) -> None:
        state = os.fstat(file.fileno())
        if state.st_ino != self._inode or state.st_size < self._position:
            self._inode, self._position, self._rest = state.st_ino, 0, b""


def _inode(path: Path) -> int:
    return path.stat().st_ino


def _decoded(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", errors="replace")


@router.get(
    "/logs", response_class=PlainTextResponse, responses=_TEXT | problems(ProblemKind.NOT_FOUND)
)
async def read_task_log(
    service: ServiceDep, feed: _Feed, task_id: TaskId, tail: _Tail = 200, follow: _Follow = False
) -> Response:
    """The log of a task's newest launch; followed, of each launch in turn."""
    await run_in_threadpool(require_task, service, task_id)
    if follow:
        lines = _followed_task(service, feed, task_id, tail)
        return EventStream(lines, headers=STREAM_HEADERS)
    newest = await run_in_threadpool(listing.newest_log, service.store.sessions, task_id)
    if newest is None:
        raise ProblemError(ProblemKind.NOT_FOUND, f"task {task_id} has launched nothing yet")
    return await _text(_file(service, newest[1]), tail)


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
    row = await run_in_threadpool(require_experiment, service, task_id, index)
    path = _file(service, row["log_path"])
    if follow:
        lines = _followed_experiment(service, feed, path, task_id, index, tail)
        return EventStream(lines, headers=STREAM_HEADERS)
    return await _text(path, tail)


def _file(service: Service, written: str) -> Path:
    found = confined_log(written, service.logs)
    if found is None:
        raise ProblemError(
            ProblemKind.NOT_FOUND,
            "the log is not on this machine: the worker ran on another, or the log was removed; "
            "of a failed experiment the last lines are in `failure.log_tail`",
        )
    return found


async def _text(path: Path, tail: int) -> Response:
    lines, _ = await run_in_threadpool(last_lines, path, tail)
    return PlainTextResponse("".join(f"{line}\n" for line in lines))


async def _followed_experiment(
    service: Service, feed: EventFeed, path: Path, task_id: int, index: int, tail: int
) -> AsyncIterator[bytes]:
    def is_under_way() -> bool:
        row = listing.experiment(service.store.sessions, task_id, index)
        return row is not None and row["status"] == "running"

    lines, position = await run_in_threadpool(last_lines, path, tail)
    yield _sent(lines)
    reader, quiet = LogReader(path, position), 0
    while not feed.closed:
        goes_on = await run_in_threadpool(is_under_way)
        lines = await run_in_threadpool(reader.more, to_the_end=not goes_on)
        if lines:
            yield _sent(lines)
        elif not goes_on:
            break
        else:
            quiet += 1
            if quiet % _HEARTBEAT_POLLS == 0:
                yield _HEARTBEAT
            await asyncio.sleep(POLL_S)
    yield _END


async def _followed_task(
    service: Service, feed: EventFeed, task_id: int, tail: int
) -> AsyncIterator[bytes]:
    def seen() -> tuple[str | None, tuple[int, str] | None]:
        sessions = service.store.sessions
        return listing.task_status(sessions, task_id), listing.newest_log(sessions, task_id)

    reader: LogReader | None = None
    shown, quiet = 0, 0
    yield _HEARTBEAT
    while not feed.closed:
        status, newest = await run_in_threadpool(seen)
        is_next = newest is not None and newest[0] != shown
        goes_on = status in _GOES_ON
        lines = []
        if reader is not None:
            lines = await run_in_threadpool(reader.more, to_the_end=is_next or not goes_on)
        if lines:
            yield _sent(lines)
        elif is_next and newest is not None:
            shown, reader = newest[0], None
            yield format_sse_event(event="experiment", data_str=str(shown))
            path = confined_log(newest[1], service.logs)
            if path is not None:
                # Later launches are read in full.
                lines, position = await run_in_threadpool(last_lines, path, tail)
                reader, tail = LogReader(path, position), MOST_LINES
                yield _sent(lines)
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
