"""Entity tags of a task's results, for routes that answer 304 where nothing has changed.

@router.get("/frontier", responses=ERRORS | NOT_MODIFIED)
def get_frontier(service: ServiceDep, task_id: TaskId, condition: ResultCondition) -> Response:
    return condition.answered(lambda: json_response(FRONTIER, …))
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Depends, Header

from autotuner import __version__
from autotuner.server.v2.conditional_requests import Condition
from autotuner.server.v2.routing import ServiceDep, TaskId
from autotuner.server.v2.tasks import task_not_found
from autotuner.store.experiment_listing import results_version


def result_condition(
    service: ServiceDep,
    task_id: TaskId,
    if_none_match: Annotated[str | None, Header(description="ETag of your copy.")] = None,
) -> Condition:
    """Version of a task's results. It is a weak one: seconds of work grow without a new version.

    Raises:
        ProblemError: there is no such task.
    """
    version = results_version(service.store.sessions, task_id)
    if version is None:
        raise task_not_found(task_id)
    # Other versions of the service may answer in another form.
    text = ".".join(map(str, (*version, task_id, __version__)))
    return Condition(f'W/"{hashlib.sha256(text.encode()).hexdigest()[:20]}"', if_none_match)


ResultCondition = Annotated[Condition, Depends(result_condition)]
