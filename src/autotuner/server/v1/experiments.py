"""`/api/experiments/`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from autotuner.server.v1.answers import experiment_answer
from autotuner.server.v1.routing import Given, Id, answer, not_found, v1_part
from autotuner.server.v1.running import existing, look_again
from autotuner.store.v1 import V1Experiments

router = v1_part("/experiments")


@router.get("/")
def list_experiments(
    service: Given,
    skip: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Lists experiments of all tasks, newest first."""
    look_again(service)
    found = V1Experiments(service.store.sessions).page(skip=skip, limit=limit)
    return answer([experiment_answer(record) for record in found])


@router.get("/task/{task_id}")
def list_experiments_of_task(service: Given, task_id: Id) -> Response:
    """A task's experiments in the order of launch."""
    existing(service, task_id)
    found = V1Experiments(service.store.sessions).of_task(task_id)
    return answer([experiment_answer(record) for record in found])


@router.get("/{experiment_id}")
def get_experiment(service: Given, experiment_id: Id) -> Response:
    """The experiment of that number."""
    experiments = V1Experiments(service.store.sessions)
    found = experiments.get(experiment_id)
    if found is not None:
        existing(service, found.task_id)
        found = experiments.get(experiment_id)
    if found is None:
        raise not_found("Experiment")
    return answer(experiment_answer(found))
