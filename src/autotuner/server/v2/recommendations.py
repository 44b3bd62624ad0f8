"""`/recommendation`: the point to expect most of, before anything is launched or stored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query
from fastapi.responses import Response
from pydantic import Field

from autotuner.catalog import gpu_named, is_path, model_with_id
from autotuner.catalog.gpus import CPU
from autotuner.config import LoadLevel, Model, PredictionMode, PredictorName
from autotuner.engines import checked_engine
from autotuner.errors import CatalogError, EngineError, ModelError, Problem
from autotuner.report.recommendation import Recommendation, recommendation_document
from autotuner.server.problems import ProblemError, ProblemKind, refuse_violations
from autotuner.server.service import Service
from autotuner.server.v2.limits_query import Amount, LimitsQuery, refused_parameter
from autotuner.server.v2.plans import LONGEST_S, planning_turn
from autotuner.server.v2.recommendation_views import RECOMMENDATION, RecommendationView
from autotuner.server.v2.routing import ServiceDep, Text, json_response, problems, v2_router
from autotuner.store.profiles import service_registry
from autotuner.tuning.first_task_asked import Asked, engines_for, for_engines
from autotuner.tuning.predicted_tasks import PredictedTasks, PredictionWishes, predicted_tasks
from autotuner.tuning.resources import gpus_of_home

router = v2_router("/recommendation", "tasks")
_MOST_TOKENS = 10_000_000
Tokens = Annotated[int, Field(ge=1, le=_MOST_TOKENS)]
Word = Annotated[Text, Field(min_length=1, max_length=80)]


class RecommendationQuery(LimitsQuery):
    """Model, devices, requests and limits."""

    model: Annotated[Text, Field(min_length=1, max_length=1000)]
    """A name of the catalog or a hub, or a path on the service's machine, which begins with `/`,
    `.` or `~` or ends with `.gguf`."""
    gpu: Word
    """A GPU of the catalog or of the home, or `cpu`."""
    gpus: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """How many there are; 1 where left out, and none on a CPU."""
    engine: list[Word] = Field(default_factory=list, max_length=20)
    """Engines to compare; all that can serve the model where left out."""
    isl: Tokens | None = None
    """Tokens of a request in; those of a usual one where left out."""
    osl: Tokens | None = None
    users: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Requests in flight at one deployment; any load where left out."""
    rate: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    """Requests per second at one deployment, in place of `users`."""
    predictor: PredictorName = "auto"
    mode: PredictionMode | None = None
    usd_per_gpu_hour: Amount | None = None


@router.get(
    "",
    response_model=RecommendationView,
    responses=problems(ProblemKind.TASK_INVALID, ProblemKind.POLICY_REFUSED),
)
def get_recommendation(
    service: ServiceDep, asked: Annotated[RecommendationQuery, Query()]
) -> Response:
    """Says how to serve a model within limits, by prediction alone.

    The answer of `autotuner recommend --json`. Where nothing is within the limits, `recommended` is
    the nearest point, and `why_not` says what keeps it out.
    """
    began = time.monotonic()
    model = _model(asked.model)
    refuse_violations(service.violations_of_model(model))
    questions = _questions(service, asked, model)
    with planning_turn():
        tasks = _predicted(service, asked, questions)
    found = Recommendation.of(questions[0], tasks)
    seconds = round(time.monotonic() - began, 3)
    return json_response(RECOMMENDATION, recommendation_document(found, seconds=seconds))


def _model(word: str) -> Model:
    try:
        return Model(path=word) if is_path(word) else model_with_id(word)
    except ModelError as error:
        raise _refused_model(error) from None


def _refused_model(error: ModelError) -> ProblemError:
    remedy = f"; {error.remedy}" if error.remedy else ""
    return refused_parameter("model", f"{error.message.removeprefix('model.id: ')}{remedy}")


def _questions(service: Service, asked: RecommendationQuery, model: Model) -> list[Asked]:
    """The question for each engine that the operator allows."""
    described, allowed = gpus_of_home(service.folder), service.policy.engines
    try:
        gpu = gpu_named(asked.gpu, described, field="gpu").name
    except CatalogError as error:
        raise refused_parameter("gpu", error.message.removeprefix("gpu: ")) from None
    if gpu == CPU and asked.gpus is not None:
        raise refused_parameter("gpus", f"{asked.gpus} GPUs, and a CPU has none; leave it out")
    _require_engines(asked.engine, allowed)
    first = Asked.of(
        model,
        gpu,
        0 if gpu == CPU else asked.gpus or 1,
        engines=allowed,
        isl=asked.isl,
        osl=asked.osl,
        slo=asked.limits(),
        described=described,
        most_launches=service.policy.max_experiments,
        most_minutes=service.policy.max_minutes,
    )
    able = [name for name in engines_for(model, on_cpu=first.on_cpu) if name in allowed]
    return for_engines(first, asked.engine or able or (first.engine,))


def _require_engines(names: Sequence[str], allowed: Sequence[str]) -> None:
    for name in names:
        try:
            checked_engine(name, field="engine")
        except EngineError as error:
            raise refused_parameter("engine", error.message.removeprefix("engine: ")) from None
        if name not in allowed:
            fault = f"the operator does not allow {name!r}; allowed: {', '.join(allowed)}"
            refuse_violations([Problem("query.engine", fault)])


def _predicted(
    service: Service, asked: RecommendationQuery, questions: list[Asked]
) -> PredictedTasks:
    ends = time.monotonic() + LONGEST_S

    def check_deadline(candidates: int, wanted: int) -> None:
        if time.monotonic() > ends:
            raise ProblemError(
                ProblemKind.TASK_INVALID,
                f"predicting takes more than {LONGEST_S:.0f} s: {candidates} of {wanted} "
                "candidates of an engine were predicted by then; name one engine, or the "
                "predictor roofline",
            )

    try:
        return predicted_tasks(
            questions,
            PredictionWishes(asked.predictor, asked.mode, _level(asked), asked.usd_per_gpu_hour),
            base=service.base,
            home=service.folder,
            registry=service_registry(service.store, service.folder),
            known=lambda forecast: forecast.remembered(service.store),
            tell=check_deadline,
        )
    except ModelError as error:
        raise _refused_model(error) from None


def _level(asked: RecommendationQuery) -> LoadLevel | None:
    if asked.users is not None and asked.rate is not None:
        raise refused_parameter("rate", "a load is users or a rate; leave one out")
    if asked.users is not None:
        return LoadLevel.concurrency(asked.users)
    return None if asked.rate is None else LoadLevel.rate(asked.rate)
