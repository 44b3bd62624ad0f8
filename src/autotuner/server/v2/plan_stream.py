"""A plan as server-sent events: its progress while it is made, then the plan or the problem."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from autotuner.errors import AutotunerError
from autotuner.server.problems import ProblemError, ProblemKind, problem_document, problem_of
from autotuner.server.v2.events import STREAM_HEADERS, EventStream
from autotuner.server.v2.plan_views import PLAN, PLAN_PROGRESS, PlanProgress

PLAN_PATH = "/api/v2/tasks/plan"
_log = logging.getLogger(__name__)
Planned = Callable[[Callable[[int, int], None]], dict[str, Any]]


class _ReaderGoneError(Exception):
    """Nobody reads the stream any more: the plan is given up."""


def plan_stream(planned: Planned) -> StreamingResponse:
    """The response in which a plan is made.

    Args:
        planned: makes the plan; calls its argument with how many candidates were predicted, of how
            many.
    """
    return EventStream(_events(planned), headers=STREAM_HEADERS)


def _events(planned: Planned) -> Iterator[bytes]:
    events: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    reader_gone = threading.Event()

    def progress(asked: int, total: int) -> None:
        if reader_gone.is_set():
            raise _ReaderGoneError
        data = PLAN_PROGRESS.dump_json(PlanProgress(asked=asked, total=total))
        events.put(_event("progress", data))

    def work() -> None:
        try:
            plan = PLAN.validate_python(planned(progress))
            events.put(_event("plan", PLAN.dump_json(plan)))
        except _ReaderGoneError:
            pass
        except ProblemError as error:
            events.put(_problem(error))
        except AutotunerError as error:
            events.put(_problem(problem_of(error)))
        except Exception:
            _log.exception("a plan failed")
            events.put(_problem(ProblemError(ProblemKind.INTERNAL, "the service's log has more")))
        finally:
            events.put(None)

    threading.Thread(target=work, name="plan", daemon=True).start()
    try:
        while (event := events.get()) is not None:
            yield event
    finally:
        reader_gone.set()


def _event(kind: str, data: bytes) -> bytes:
    return format_sse_event(event=kind, data_str=data.decode())


def _problem(error: ProblemError) -> bytes:
    document = problem_document(
        error.kind, error.detail, PLAN_PATH, errors=error.errors, **error.extra
    )
    return _event("problem", json.dumps(document).encode())
