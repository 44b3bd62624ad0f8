"""`/tasks/{task_id}/points`: every operating point of a task, dominated ones included."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Annotated, NamedTuple

from fastapi import Query
from fastapi.responses import Response

from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.conditional_requests import NOT_MODIFIED
from autotuner.server.v2.paging import decode_cursor, encode_cursor
from autotuner.server.v2.result_versions import ResultCondition
from autotuner.server.v2.routing import (
    ServiceDep,
    TaskId,
    View,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.tasks import require_task
from autotuner.tuning.operating_points import OperatingPointView
from autotuner.tuning.task_points import ListedPoint

router = v2_router("/tasks/{task_id}/points", "results")
MOST = 5_000
"""Points of a page."""
_ORDER = "points"


class PointPage(View):
    """Page of a task's operating points: launch by launch, measured before predicted ones; at the
    end predicted points that have not been launched."""

    items: list[OperatingPointView]
    next_cursor: str | None
    """`cursor` of the next page; null on the last one."""
    total: int
    """Number of points that the query matches."""
    objectives: list[str]
    slo: dict[str, float]
    """Latency -> limit in ms."""
    recommended_id: str | None
    """Id of the measured point to serve with; null while nothing is measured."""
    recommended: OperatingPointView | None
    """The same point, whatever the query asks for."""


class PointKind(StrEnum):
    """Kind of the points that are requested."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    BOTH = "both"


_BEFORE_ITEMS = b'{"items":['


@router.get(
    "",
    response_model=PointPage,
    responses=merged(
        problems(ProblemKind.NOT_FOUND),
        problems(ProblemKind.INVALID_CURSOR),
        problems(ProblemKind.TASK_INVALID),
    )
    | NOT_MODIFIED,
)
def list_points(
    service: ServiceDep,
    task_id: TaskId,
    condition: ResultCondition,
    kind: Annotated[PointKind, Query()] = PointKind.BOTH,
    on_frontier: Annotated[
        bool | None,
        Query(description="true: those that no other of their kind beats; false: the others."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 1_000,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Lists the operating points of a task, measured and predicted, dominated ones included."""
    query = PointQuery(kind, on_frontier, limit, cursor)
    return condition.answered(lambda: _page(service, task_id, query))


class PointQuery(NamedTuple):
    """Which points are asked for, and where their page begins."""

    kind: PointKind
    on_frontier: bool | None
    limit: int
    cursor: str | None


def _page(service: Service, task_id: int, query: PointQuery) -> Response:
    """A page of points, each of which was written as JSON when it was first read."""
    found = service.points.read(service.store, require_task(service, task_id))
    asked = [
        point
        for point in found.points
        if query.kind in (PointKind.BOTH, point.kind)
        and query.on_frontier in (None, point.id in found.on_frontier)
    ]
    begin = 0 if query.cursor is None else _place_after(query.cursor, asked)
    page = asked[begin : begin + query.limit]
    more, best = len(asked) > begin + query.limit, found.recommended
    around = PointPage(
        items=[],
        next_cursor=encode_cursor(_ORDER, page[-1].id, page[-1].order) if more else None,
        total=len(asked),
        objectives=list(found.criteria.objectives),
        slo=dict(found.criteria.slo),
        recommended_id=best.id if best else None,
        recommended=found.view(best) if best else None,
    )
    head, tail = _BEFORE_ITEMS, around.model_dump_json().encode().removeprefix(_BEFORE_ITEMS)
    items = b",".join(map(found.json, page))
    return Response(head + items + tail, media_type="application/json")


def _place_after(cursor: str, points: Sequence[ListedPoint]) -> int:
    """Where a page continues: behind the last point of the one before.

    Where that is gone (its launch has failed meanwhile), with the first of the same launch.
    """
    last_id, order = decode_cursor(cursor, _ORDER)
    begin, end = (
        cut(points, order, key=attrgetter("order")) for cut in (bisect_left, bisect_right)
    )
    ids = [point.id for point in points[begin:end]]
    return begin + (ids.index(last_id) + 1 if last_id in ids else 0)
