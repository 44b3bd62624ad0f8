"""Blocking work of an event loop, in threads: done to its end, or given up when it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(
    work: Callable[[], T], undo: Callable[[T], Coroutine[Any, Any, None]] | None = None
) -> T:
    """Does what blocks in a thread. Cancelled, it waits until that is done, and undoes it: nothing
    that it makes is lost sight of."""
    done = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await _through(asyncio.wait({done}))
        if undo is not None and not done.cancelled() and done.exception() is None:
            await _through(undo(done.result()))
        raise


async def _through(work: Coroutine[Any, Any, object]) -> None:
    """Waits for the end of `work`, however often it is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()


class Interruption:
    """Interrupts what waits for a connection, by closing it; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._close: Callable[[], None] | None = None
        self._is_asked = False

    def closes(self, close: Callable[[], None]) -> None:
        """The connection is closed so, at once where that was asked for already."""
        with self._lock:
            self._close = close
            if self._is_asked:
                close()

    def ask(self) -> None:
        """Asks for it."""
        with self._lock:
            self._is_asked = True
            if self._close is not None:
                self._close()


async def until_cancelled(work: Callable[[Interruption], T]) -> T:
    """Does what blocks in a thread. Cancelled, it is interrupted and not waited for: neither is it
    when the process ends."""
    loop, interruption = asyncio.get_running_loop(), Interruption()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: Callable[[], None]) -> None:
        if not done.done():
            result()

    def run() -> None:
        try:
            found = work(interruption)
        except Exception as error:
            failed = error
            settled = lambda: done.set_exception(failed)  # noqa: E731
        else:
            settled = lambda: done.set_result(found)  # noqa: E731
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, settled)

    threading.Thread(target=run, daemon=True).start()
    try:
        return await done
    except asyncio.CancelledError:
        interruption.ask()
        raise
