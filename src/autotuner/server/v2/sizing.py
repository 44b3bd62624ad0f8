"""`/tasks/{task_id}/sizing`: replicas and GPUs for a traffic, and what they cost."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response
from pydantic import Field, TypeAdapter

from autotuner.config import PredictionMode, PredictorName, TaskConfig, parse_stored_task
from autotuner.config.slo import LATENCIES
from autotuner.errors import AutotunerError
from autotuner.report.size_document import SizeQuestion, size_document
from autotuner.report.size_views import SizeView
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.limits_query import Amount, LimitsQuery, refused_parameter
from autotuner.server.v2.plans import LONGEST_S, MOST_COMBINATIONS, planning_turn
from autotuner.server.v2.routing import (
    ServiceDep,
    TaskId,
    Text,
    json_response,
    problems,
    v2_router,
)
from autotuner.server.v2.stored_tasks import (
    base_of,
    require_allowed_again,
    require_allowed_as_resolved,
)
from autotuner.server.v2.tasks import require_task
from autotuner.sizing import ServiceLevel, Traffic, TrafficError, grown
from autotuner.store import TaskRecord
from autotuner.store.profiles import service_registry
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.replicas import (
    KnownReplicas,
    ReplicaWishes,
    compared_gpus,
    predicted_replicas,
    stored_replicas,
)
from autotuner.tuning.resources import with_gpus_of_home

router = v2_router("/tasks/{task_id}", "results")
SIZE = TypeAdapter(SizeView)
_MONTHS, _MOST_MONTHS = 12, 120
_MOST_GPUS = 50
GpuWord = Annotated[Text, Field(max_length=80)]


class SizingQuery(LimitsQuery):
    """Traffic, limits, GPUs and prices. Limits take the place of the task's of the same names."""

    rate: Amount | None = None
    """Requests per second that come in."""
    users: Amount | None = None
    """Users at once, in place of `rate`."""
    think_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Seconds from an answer to its user's next request; 0 where left out."""
    headroom: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of what a replica holds that stays free."""
    growth_per_month: Annotated[float, Field(ge=0, lt=10)] | None = None
    """Share by which the traffic grows each month."""
    months: Annotated[int, Field(ge=1, le=_MOST_MONTHS)] | None = None
    """Months that it grows for; 12 where left out."""
    unlimited: list[Text] = Field(default_factory=list, max_length=len(LATENCIES))
    """Limits of the task that do not count here, by name: `ttft_ms`."""
    source: Literal["measured", "predicted"] | None = None
    """Measurements where a launch succeeded, else predictions, where left out."""
    gpu: list[GpuWord] = Field(default_factory=list, max_length=_MOST_GPUS)
    """GPUs of the catalog on which the task is predicted; `all` of its maker."""
    usd_per_gpu_hour: Amount | None = None
    """Price of every GPU, in place of the task's and the catalog's."""
    predictor: PredictorName | None = None
    mode: PredictionMode | None = None


@router.get(
    "/sizing",
    response_model=SizeView,
    responses=problems(ProblemKind.NOT_FOUND, ProblemKind.TASK_INVALID, ProblemKind.POLICY_REFUSED),
)
def get_sizing(
    service: ServiceDep, task_id: TaskId, asked: Annotated[SizingQuery, Query()]
) -> Response:
    """How many replicas and GPUs hold a traffic within the limits, and what they cost.

    The answer of `autotuner size --json`. Where nothing holds any load, `deployments` is empty and
    `nearest` says which limit is missed.
    """
    record = require_task(service, task_id)
    task = with_gpus_of_home(
        parse_stored_task(record.config, source=f"task {record.id}"), service.folder
    )
    limits = _limits(task, asked)
    traffic = _traffic(asked)
    growth = _growth(traffic, asked)
    wishes = ReplicaWishes(
        limits,
        _gpus(asked, task),
        None if asked.usd_per_gpu_hour is None else {"": asked.usd_per_gpu_hour},
        asked.predictor,
        asked.mode,
    )
    is_measured = _is_measured(service, record, asked)
    if is_measured:
        for name, value in (("predictor", asked.predictor), ("mode", asked.mode)):
            if value is not None:
                text = "says how to predict, and the task is measured; leave it out, or name GPUs"
                raise refused_parameter(name, text)
        known = stored_replicas(service.store, record, task, wishes)
    else:
        with planning_turn():
            known = _predicted(service, record, task, wishes)
    question = SizeQuestion(
        str(record.id),
        record.model,
        measured=is_measured,
        requirement=ServiceLevel(traffic, limits, asked.headroom),
        growth=growth,
    )
    return json_response(SIZE, size_document(question, known))


def _limits(task: TaskConfig, asked: SizingQuery) -> dict[str, float]:
    given = asked.limits()
    for name in asked.unlimited:
        if name not in LATENCIES:
            raise refused_parameter("unlimited", f"{name!r} is none of {', '.join(LATENCIES)}")
        if name in given:
            raise refused_parameter("unlimited", f"{name} is given a limit too; leave out one")
    own = {name: ms for name, ms in task.slo_limits().items() if name not in asked.unlimited}
    return own | given


def _is_measured(service: Service, record: TaskRecord, asked: SizingQuery) -> bool:
    if asked.source == "measured" and asked.gpu:
        raise refused_parameter(
            "gpu", "what is measured is of the task's own device; leave out one of both"
        )
    if asked.source is not None or asked.gpu:
        return asked.source == "measured"
    return any(one.status == "completed" for one in service.store.experiments(record.id))


def _predicted(
    service: Service, record: TaskRecord, task: TaskConfig, wishes: ReplicaWishes
) -> KnownReplicas:
    source = f"task {record.id}"
    base = base_of(service, record)
    registry = service_registry(service.store, service.folder)
    ends = time.monotonic() + LONGEST_S

    def resolve(made: TaskConfig) -> Prepared:
        require_allowed_again(service, record, made)
        prepared = prepare(
            made, base=base, source=source, registry=registry, most=MOST_COMBINATIONS
        )
        require_allowed_as_resolved(service, record, prepared)
        return prepared

    def check_deadline(asked: int, wanted: int) -> None:
        if time.monotonic() > ends:
            raise ProblemError(
                ProblemKind.TASK_INVALID,
                f"predicting takes more than {LONGEST_S:.0f} s: {asked} of {wanted} candidates of "
                "a GPU were predicted by then; name fewer GPUs, or the predictor roofline",
            )

    return predicted_replicas(
        task,
        wishes,
        home=service.folder,
        resolve=resolve,
        known=lambda forecast: forecast.remembered(service.store),
        tell=check_deadline,
    )


def _gpus(asked: SizingQuery, task: TaskConfig) -> tuple[str, ...]:
    try:
        return compared_gpus(asked.gpu, task, field="gpu")
    except AutotunerError as error:
        raise refused_parameter("gpu", error.message.removeprefix("gpu: ")) from None


def _traffic(asked: SizingQuery) -> Traffic:
    if (asked.rate is None) == (asked.users is None):
        raise refused_parameter(
            "rate", "traffic is a rate or a number of users: give one of the two"
        )
    if asked.think_s is not None and asked.users is None:
        raise refused_parameter("think_s", "is of users, and a rate is given; leave it out")
    try:
        return Traffic(asked.rate, asked.users, asked.think_s or 0.0)
    except TrafficError as error:
        raise refused_parameter(error.field, str(error)) from None


def _growth(traffic: Traffic, asked: SizingQuery) -> tuple[Traffic, ...]:
    if asked.growth_per_month is None:
        if asked.months is not None:
            raise refused_parameter("months", "is of growth, and growth_per_month is not given")
        return ()
    months = _MONTHS if asked.months is None else asked.months
    try:
        return tuple(grown(traffic, asked.growth_per_month, months))
    except TrafficError as error:
        raise refused_parameter("growth_per_month", f"after {months} months {error}") from None
