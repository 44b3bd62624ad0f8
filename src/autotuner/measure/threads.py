"""Threads of the load generator: one for the loop that measures, one for what has to be computed.

Whatever runs on the loop of the tuner (writing to the disk, drawing progress, choosing what to
launch next) would delay the time stamps of the engines that are being measured.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Self, TypeVar

T = TypeVar("T")
_SWITCH_S = 0.0002
"""How long another thread may keep the interpreter from a loop that has something to read; Python's
own 5 ms would be seen in every latency."""
_MOST_FRAGMENTS = 500_000
"""Fragments of answers that may wait to be read: some 200 MB."""
_lock = threading.Lock()
_loads = 0
_usual_s = 0.005
_was_frozen = False


async def run_in_own_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs `work` in a thread and returns its result; cancelling cancels it there and waits."""
    caller = asyncio.get_running_loop()
    result: asyncio.Future[T] = caller.create_future()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []
    cancelled = threading.Event()

    async def begin() -> T:
        task = asyncio.ensure_future(work())
        running.append((asyncio.get_running_loop(), task))
        if cancelled.is_set():
            task.cancel()
        return await task

    def run() -> None:
        try:
            with _undisturbed():
                value = asyncio.run(begin())
        except BaseException as error:  # handed to the caller, whatever it is
            caller.call_soon_threadsafe(_fail, result, error)
        else:
            caller.call_soon_threadsafe(_fulfil, result, value)

    thread = threading.Thread(target=run, name="load", daemon=True)
    thread.start()
    try:
        return await asyncio.shield(result)
    except asyncio.CancelledError:
        cancelled.set()
        for loop, task in running:
            with suppress(RuntimeError):  # the loop has just closed
                loop.call_soon_threadsafe(task.cancel)
        await asyncio.wait({result})
        result.cancelled() or result.exception()
        raise


def _fulfil(result: asyncio.Future[T], value: T) -> None:
    if not result.done():
        result.set_result(value)


def _fail(result: asyncio.Future[T], error: BaseException) -> None:
    if result.done():
        return
    if isinstance(error, asyncio.CancelledError):
        result.cancel()
    else:
        result.set_exception(error)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Threads give way to each other at once while any load is timed, and no collection of garbage
    walks over what was there before: of a grown process, that holds all threads up for 0.1 s.

    Where somebody had frozen objects before, they stay so."""
    global _loads, _usual_s, _was_frozen
    with _lock:
        if _loads == 0:
            _usual_s = sys.getswitchinterval()
            sys.setswitchinterval(_SWITCH_S)
            _was_frozen = gc.get_freeze_count() > 0
            gc.collect()
            gc.freeze()
        _loads += 1
    try:
        yield
    finally:
        with _lock:
            _loads -= 1
            if _loads == 0:
                sys.setswitchinterval(_usual_s)
                if not _was_frozen:
                    gc.unfreeze()


class BackgroundThread:
    """A thread that computes, in order; results come back to the loop.

    `failure` is set where something raised: whoever waits for results has to look at it.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="replies")
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Callable[[], None]] = []
        self._fragments = 0
        self.failure: asyncio.Future[None] = self._loop.create_future()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)
        self.failure.cancel()

    def compute(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Calls `then` on the loop with what `work` returns."""

        def run() -> None:
            try:
                result = work()
            except Exception as error:
                self._loop.call_soon_threadsafe(self.fail, error)
            else:
                self._loop.call_soon_threadsafe(then, result)

        self._thread.submit(run)

    def later(self, work: Callable[[], T], then: Callable[[T], None], fragments: int) -> None:
        """As `compute`, when the next `flush` comes, or when very much is waiting for it."""
        self._waiting.append(partial(self.compute, work, then))
        self._fragments += fragments
        if self._fragments > _MOST_FRAGMENTS:
            self.flush()

    def flush(self) -> None:
        """Begins what was left for later."""
        waiting, self._waiting, self._fragments = self._waiting, [], 0
        for begin in waiting:
            begin()

    async def idle(self) -> None:
        """Waits until all has come back; raises what went wrong in it."""
        self.flush()
        await self._loop.run_in_executor(self._thread, lambda: None)
        if self.failure.done():
            self.failure.result()

    def fail(self, error: BaseException) -> None:
        """Sets `failure`, if nothing else has."""
        if not self.failure.done():
            self.failure.set_exception(error)
