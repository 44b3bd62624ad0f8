"""Asks AISimulate's process: kept warm, ended when it takes too long, started anew when it is gone.

Starting it takes half a second, the first question of an engine and device another one or two, and
each load level 0.05 s and more, by its requests.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import queue
import selectors
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any, cast

from autotuner.errors import EngineError
from autotuner.predict.aisimulate.installation import INSTALL

START_LIMIT_S = 60.0
QUESTION_LIMIT_S = 120.0
"""Of all load levels of one candidate. 10,000 requests in flight by the thousand take 2 s."""
MOST_FAILURES = 3
"""Questions in a row that may end a process until the rest is refused."""
QUESTIONS_PER_PROCESS = 8
"""Questions for which one process is taken: starting and loading cost as much as these."""

_CHUNK = 1 << 16
_GRACE_S = 2.0

Reply = Mapping[str, Any]


class ProcessFailedError(Exception):
    """Why there is no answer: the process ended, or was ended since it took too long."""


@dataclass(frozen=True)
class _Running:
    """A process with its pipes, and what it wrote to its error output."""

    process: subprocess.Popen[bytes]
    questions: IO[bytes]
    answers: IO[bytes]
    log: IO[bytes]

    def end(self, grace_s: float = 0.0) -> int:
        """Its exit status, once its input is closed; killed where it does not end by that."""
        for pipe in (self.questions, self.answers):
            with contextlib.suppress(OSError):
                pipe.close()
        try:
            return self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def last_words(self) -> list[str]:
        """The last line that it wrote; none where it wrote nothing. Closes the log."""
        with self.log:
            self.log.seek(max(self.log.seek(0, os.SEEK_END) - _CHUNK, 0))
            return self.log.read().decode(errors="replace").strip().splitlines()[-1:]


class SimulatorProcess:
    """One process, started with the first question.

    Args:
        command: see `simulator_process`.
        start_limit_s, question_limit_s: time until it is ended.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        start_limit_s: float = START_LIMIT_S,
        question_limit_s: float = QUESTION_LIMIT_S,
    ) -> None:
        self._command = tuple(command)
        self._start_limit_s = start_limit_s
        self._question_limit_s = question_limit_s
        self._running: _Running | None = None
        self._unread = b""

    def ask(self, question: Mapping[str, Any]) -> Reply:
        """The answer to one question.

        Raises:
            ProcessFailedError: the process ended or was ended; the next question starts another.
            EngineError: it cannot be started, or cannot load AISimulate.
        """
        try:
            running = self._running or self._start()
            # Where it has ended, so has its output, and reading says why.
            with contextlib.suppress(OSError):
                running.questions.write(json.dumps(question).encode() + b"\n")
                running.questions.flush()
            return self._read(running, self._question_limit_s)
        except BaseException:
            # Interrupted, it would answer the next question with the answer to this one.
            self.close()
            raise

    def close(self) -> None:
        """Ends the process, if there is one."""
        running, self._running, self._unread = self._running, None, b""
        if running is not None:
            running.end(_GRACE_S)
            running.log.close()

    def _start(self) -> _Running:
        # Closed with the process that writes it.
        log = tempfile.TemporaryFile()  # noqa: SIM115
        pipe = subprocess.PIPE
        try:
            # An interrupt of the terminal is ours to answer: it has a session of its own.
            process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=log, start_new_session=True
            )
        except OSError as error:
            log.close()
            raise EngineError(
                f"AISimulate cannot be started: {error.strerror}", remedy=INSTALL
            ) from None
        running = _Running(process, cast(Any, process.stdin), cast(Any, process.stdout), log)
        self._running = running
        try:
            first = self._read(running, self._start_limit_s)
        except ProcessFailedError as error:
            raise EngineError(f"AISimulate did not start: {error}", remedy=INSTALL) from None
        if "version" not in first:
            self.close()
            why = first.get("error", "it says no version")
            raise EngineError(f"AISimulate cannot be loaded: {why}", remedy=INSTALL)
        return running

    def _read(self, running: _Running, limit_s: float) -> Reply:
        until = time.monotonic() + limit_s
        with selectors.DefaultSelector() as ready:
            ready.register(running.answers, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not ready.select(max(until - time.monotonic(), 0.0)):
                    raise self._failed(running, f"no answer within {limit_s:g} s, so it was ended")
                chunk = os.read(running.answers.fileno(), _CHUNK)
                if not chunk:
                    raise self._failed(running)
                self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._failed(running, "its answer is no JSON object, so it was ended")
        return answer

    def _failed(self, running: _Running, why: str = "") -> ProcessFailedError:
        """Ends the process and forgets it; its own last words where it ended by itself."""
        self._running, self._unread = None, b""
        if why:
            running.process.kill()
        code = running.end(_GRACE_S)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        last = running.last_words()
        return ProcessFailedError(why or ": ".join([f"it ended with {how}", *last]))


class ProcessPool:
    """Processes of one command, warm between calls.

    Args:
        most: processes at a time; None is one for each CPU.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        most: int | None = None,
        start_limit_s: float = START_LIMIT_S,
        question_limit_s: float = QUESTION_LIMIT_S,
    ) -> None:
        count = most or os.cpu_count() or 1
        self._most = count
        self._idle: queue.LifoQueue[SimulatorProcess] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(
                SimulatorProcess(
                    command, start_limit_s=start_limit_s, question_limit_s=question_limit_s
                )
            )

    def answer_all(self, questions: Sequence[Mapping[str, Any]]) -> list[Reply | str]:
        """Per question the answer, or why there is none, in order.

        Raises:
            EngineError: no process can be started.
        """
        workers = min(self._most, 1 + len(questions) // QUESTIONS_PER_PROCESS)
        failures = _Failures()
        one = functools.partial(self._answer, failures)
        if workers == 1:
            return [one(question) for question in questions]
        with ThreadPoolExecutor(workers) as threads:
            return list(threads.map(one, questions))

    def close(self) -> None:
        """Ends the processes that are idle."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _answer(self, failures: _Failures, question: Mapping[str, Any]) -> Reply | str:
        if failures.in_a_row >= MOST_FAILURES:
            return f"AISimulate: not asked any more after {failures.last}"
        process = self._idle.get()
        try:
            answer = process.ask(question)
        except ProcessFailedError as error:
            failures.add(str(error))
            return f"AISimulate: {error}"
        finally:
            self._idle.put(process)
        failures.clear()
        return answer


class _Failures:
    """Processes that ended in a row, in all threads of a call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.in_a_row = 0
        self.last = ""

    def add(self, why: str) -> None:
        with self._lock:
            self.in_a_row += 1
            self.last = f"{self.in_a_row} failures in a row: {why}"

    def clear(self) -> None:
        with self._lock:
            self.in_a_row = 0


@functools.cache
def shared_pool(command: tuple[str, ...]) -> ProcessPool:
    """The warm processes of a command, ended with ours."""
    pool = ProcessPool(command)
    atexit.register(pool.close)
    return pool
