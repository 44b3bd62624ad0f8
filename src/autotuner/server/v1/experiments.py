"""`/api/experiments/`: what tasks have found, all of it in every list."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fastapi.responses import Response, StreamingResponse

from autotuner.server.v1.lifecycle import current_task, refresh_running
from autotuner.server.v1.routing import Id, ServiceDep, json_response, not_found, plain, v1_router
from autotuner.server.v1.schemas import experiment_document
from autotuner.store.v1 import V1ExperimentRecord, V1Experiments

router = v1_router("/experiments")
_AT_A_TIME = 200


@router.get("/")
def list_experiments(service: ServiceDep) -> Response:
    """Lists every experiment of all tasks, newest first.

    They are read and sent some at a time: together they may be more than memory holds.
    """
    refresh_running(service)
    experiments = V1Experiments(service.store.sessions)
    ids = experiments.newest_ids()
    return StreamingResponse(_listed(experiments, ids), media_type="application/json")


def _listed(experiments: V1Experiments, ids: list[int]) -> Iterator[str]:
    comma = ""
    yield "["
    for begin in range(0, len(ids), _AT_A_TIME):
        for record in experiments.some(ids[begin : begin + _AT_A_TIME]):
            yield comma + _json_of(record)
            comma = ","
    yield "]"


def _json_of(record: V1ExperimentRecord) -> str:
    document = plain(experiment_document(record))
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@router.get("/task/{task_id}")
def list_experiments_of_task(service: ServiceDep, task_id: Id) -> Response:
    """A task's experiments, newest first; none of an unknown task."""
    current_task(service, task_id)
    found = V1Experiments(service.store.sessions).of_task(task_id)
    return json_response([experiment_document(record) for record in found])


@router.get("/{experiment_id}")
def get_experiment(service: ServiceDep, experiment_id: Id) -> Response:
    """An experiment by its number."""
    experiments = V1Experiments(service.store.sessions)
    found = experiments.get(experiment_id)
    if found is not None:
        current_task(service, found.task_id)
        found = experiments.get(experiment_id)
    if found is None:
        raise not_found(f"Experiment {experiment_id}")
    return json_response(experiment_document(found))
