"""`/events` and `/tasks/{task_id}/events`: events of tasks, as server-sent events.

Each has the number of its row as `id`, its kind as `event`, and as `data` a JSON mapping of `id`,
`task_id`, `at`, `kind`, `payload` and `task`. A stream stays open when its task has ended, because
a task may be resumed; it ends with an event `end` (without a number) when the task is deleted, the
client is too slow, or the service stops.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from autotuner.server.event_feed import EventFeed, EventForm
from autotuner.server.problems import ProblemKind
from autotuner.server.v2.routing import ServiceDep, TaskId, problems, v2_router
from autotuner.server.v2.tasks import require_task

EVENT_STREAM = "text/event-stream"
_LARGEST = 2**63 - 1
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Headers that keep caches and proxies from buffering a stream."""
EVENT_SCHEMA = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string"},
        "data": {"type": "string"},
        "retry": {"type": "integer", "minimum": 0, "description": "ms"},
    },
}
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events; `data` is JSON with `id`, `task_id`, `at`, `kind`, "
        "`payload`, and `task`: the task as in a list, on the last of the events that are sent "
        "together, else null.",
        "content": {EVENT_STREAM: {"schema": EVENT_SCHEMA}},
    }
}
router = v2_router("", "events")
_LastId = Annotated[
    int | None,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=_LARGEST,
        description="Number of the last event that you received; the stream continues after it.",
    ),
]
_After = Annotated[
    int | None,
    Query(
        ge=0,
        le=_LARGEST,
        description="The same, for clients that cannot set headers; the header takes precedence.",
    ),
]
_Follow = Annotated[bool, Query(description="false: the stream ends after the stored events.")]
_Form = Annotated[
    EventForm,
    Query(
        description="`message`: without the line `event`, so that a browser's `onmessage` receives "
        "every kind; the kind is in the data.",
    ),
]


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = EVENT_STREAM


async def feed_of(request: Request) -> EventFeed:
    """Event feed of the service."""
    found: EventFeed = request.app.state.feed
    return found


_Feed = Annotated[EventFeed, Depends(feed_of)]


@router.get("/events", response_class=EventStream, responses=STREAMED)
async def follow_all_events(
    feed: _Feed,
    last_event_id: _LastId = None,
    after: _After = None,
    follow: _Follow = True,
    form: _Form = "named",
) -> StreamingResponse:
    """Follows the events of all tasks, from now on or after a number."""
    begin = after if last_event_id is None else last_event_id
    lines = feed.live(begin, form=form) if follow else feed.past(begin or 0, form=form)
    return EventStream(lines, headers=STREAM_HEADERS)


@router.get(
    "/tasks/{task_id}/events",
    response_class=EventStream,
    responses=STREAMED | problems(ProblemKind.NOT_FOUND),
)
async def follow_task_events(
    feed: _Feed,
    service: ServiceDep,
    task_id: TaskId,
    last_event_id: _LastId = None,
    after: _After = None,
    follow: _Follow = True,
    form: _Form = "named",
) -> StreamingResponse:
    """Follows the events of a task, from the first one or after a number."""
    await run_in_threadpool(require_task, service, task_id)
    begin = (after if last_event_id is None else last_event_id) or 0
    stream = feed.live if follow else feed.past
    lines = stream(begin, task_id, form=form)
    return EventStream(lines, headers=STREAM_HEADERS)
