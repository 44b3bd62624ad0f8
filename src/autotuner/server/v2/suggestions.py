"""`/tasks/suggest`: a whole task out of a model, devices, a workload and a goal.

`autotuner init` drafts its files in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi.responses import Response
from pydantic import AfterValidator, Field, TypeAdapter

from autotuner.catalog import (
    ResolvedModel,
    ServingGoal,
    goal_named,
    goals,
    gpu_named,
    known_gpu,
    resolve_model,
    this_device,
    workload_named,
)
from autotuner.catalog.gpus import CPU
from autotuner.config import DescribedGpu, Slo, parse_task
from autotuner.config.document import NonNegativeInt, PositiveInt
from autotuner.config.slo import NEEDS_TPOT
from autotuner.engines import checked_engine, engine_named
from autotuner.errors import AutotunerError, CatalogError, EngineError, Problem
from autotuner.server.problems import ProblemError, ProblemKind, refuse_violations
from autotuner.server.service import Service
from autotuner.server.v2.form_requests import FormBody, NamedModel, NameToo, post_only
from autotuner.server.v2.routing import (
    WITH_BODY,
    ServiceDep,
    View,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.task_views import TaskDocument
from autotuner.store.maintenance import known_workers
from autotuner.store.profiles import service_registry
from autotuner.tuning.first_task import FirstTask, draft
from autotuner.tuning.first_task_asked import Asked
from autotuner.tuning.model_fit import Fit, devices_that_fit, formats_of
from autotuner.tuning.resources import gpus_of_home
from autotuner.workers.devices import ALL, devices_of

router = v2_router("/tasks", "tasks")
_SUGGEST = "/suggest"


def _lengths_of(workload: str) -> dict[str, int]:
    found = workload_named(workload)
    return {"isl": found.isl, "osl": found.osl, "prefix": found.prefix}


def _known_goal(name: str) -> str:
    try:
        return goal_named(name).name
    except CatalogError as error:
        raise ValueError(error.message) from None


def _known_engine(name: str) -> str:
    try:
        return checked_engine(name)
    except EngineError as error:
        raise ValueError(error.message.removeprefix("system.backend: ")) from None


class RequestLengths(FormBody):
    """Tokens of a request."""

    isl: PositiveInt
    """Tokens in."""
    osl: PositiveInt
    """Tokens out."""
    prefix: NonNegativeInt = 0
    """Tokens of the prompt that requests share."""


class SuggestRequest(FormBody):
    """Model, devices, workload and goal of a task; what is left out is chosen by what is there."""

    model: NamedModel
    gpu_type: Annotated[str, Field(max_length=80)] | None = None
    """A GPU of the catalog or of the home, or `cpu`; the devices of the workers, or of the
    service's machine, where left out."""
    total_gpus: Annotated[NonNegativeInt, Field(le=100_000)] | None = None
    """GPUs that a deployment may occupy; those that are found, or the fewest that hold the model,
    where left out."""
    backend: Annotated[str, AfterValidator(_known_engine)] | None = None
    """The engine; one that serves the model's format, installed ones first, where left out."""
    workload: Annotated[RequestLengths, NameToo(_lengths_of)] | None = None
    """A workload of the catalog by its name, or the tokens of a request."""
    goal: Annotated[str, AfterValidator(_known_goal)] | None = None
    """A goal of the catalog; the first where left out."""
    slo: Slo = Slo()
    profiles: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    """Fields that a profile sets here are left to it."""
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class FitView(View):
    """Devices that hold the model."""

    gpu: str
    gpus: int
    """The fewest that do; 0 on a CPU."""
    why: str


class SuggestedModelView(View):
    """Facts of the model."""

    recognised: bool
    """Whether its shape is known, so that memory and speed can be predicted."""
    name: str
    parameters_b: float | None
    weights_gib: float | None
    """In the checkpoint's own format."""
    formats: list[str]
    """Number formats that its weights can have, the checkpoint's own first."""
    context_length: int | None
    fits: list[FitView]
    """Devices with enough memory, the fewest first; empty where the size is not known."""


class Suggestion(View):
    """A task that can be planned and created as it is."""

    document: TaskDocument
    notes: list[str]
    """Sentences about what was chosen or left out, and why."""
    problem: str | None
    """Reason why nothing can be launched on these devices as the document is; null where it can."""
    model: SuggestedModelView


SUGGESTION: TypeAdapter[Suggestion] = TypeAdapter(Suggestion)


@router.post(
    _SUGGEST,
    response_model=Suggestion,
    responses=merged(WITH_BODY, problems(ProblemKind.TASK_INVALID, ProblemKind.POLICY_REFUSED)),
)
def suggest_task(service: ServiceDep, wanted: SuggestRequest) -> Response:
    """Suggests a whole task for a model and devices: sensible axes, load levels and a budget."""
    refuse_violations(service.violations_of_model(wanted.model))
    described, policy = gpus_of_home(service.folder), service.policy
    model = resolve_model(wanted.model, base=service.base)
    gpu, gpus = _devices(service, wanted, described)
    goal = goal_named(wanted.goal) if wanted.goal else next(iter(goals().values()))
    lengths = wanted.workload
    asked = Asked.of(
        wanted.model,
        gpu,
        1 if gpus is None else gpus,
        name=wanted.name,
        engine=wanted.backend,
        engines=policy.engines,
        isl=None if lengths is None else lengths.isl,
        osl=None if lengths is None else lengths.osl,
        slo=wanted.slo.limits(),
        described=described,
        objectives=goal.objectives,
        profiles=wanted.profiles,
        most_launches=policy.max_experiments,
        most_minutes=policy.max_minutes,
    )
    fits = devices_that_fit(model, engine_named(asked.engine), this_device(), described)
    if gpus is None:
        fewest = next((fit.gpus for fit in fits if fit.gpu == gpu), 1)
        asked = replace(asked, gpus=min(fewest, policy.max_gpus or fewest))
    registry = service_registry(service.store, service.folder)
    drafted = draft(asked, base=service.base, registry=registry)
    refuse_violations(service.violations(parse_task(drafted.document)))
    return json_response(
        SUGGESTION,
        {
            "document": drafted.document,
            "notes": list(_notes(wanted, asked, goal, drafted)),
            "problem": drafted.problem or None,
            "model": _model_document(model, asked, fits),
        },
    )


post_only(router, _SUGGEST)


def _devices(
    service: Service,
    wanted: SuggestRequest,
    described: Mapping[str, DescribedGpu],
) -> tuple[str, int | None]:
    """The GPU and how many; None where nothing says it, 0 on a CPU."""
    there = _devices_there(service, described)
    if wanted.gpu_type is None:
        gpu, count = max(there.items(), key=lambda item: item[1], default=(CPU, 0))
    else:
        gpu = _gpu_named(wanted.gpu_type, described)
        count = there.get(gpu, 0)
    if gpu == CPU:
        if wanted.total_gpus:
            raise _fault("total_gpus", f"{wanted.total_gpus} GPUs, and there is only a CPU; say 0")
        return CPU, 0
    if wanted.total_gpus == 0:
        raise _fault("total_gpus", f"a deployment on {gpu} takes 1 or more, not 0")
    most = service.policy.max_gpus
    found = min(count, most or count) or None
    return gpu, found if wanted.total_gpus is None else wanted.total_gpus


def _devices_there(service: Service, described: Mapping[str, DescribedGpu]) -> dict[str, int]:
    """GPU -> how many a worker that is alive has; those of this machine where there is none."""
    found: dict[str, int] = {}
    for worker in service.liveness.alive(known_workers(service.store.sessions)):
        is_known = known_gpu(worker.gpu, described) is not None
        if worker.gpu != CPU and is_known:
            found[worker.gpu] = max(found.get(worker.gpu, 0), len(worker.devices))
    if found:
        return found
    try:
        here = devices_of(ALL, described=described)
    except AutotunerError:
        # GPUs that the catalog does not know, or of different kinds: nothing to choose by.
        return {}
    return {here.gpu: here.gpus} if here.gpus else {}


def _gpu_named(name: str, described: Mapping[str, DescribedGpu]) -> str:
    try:
        return gpu_named(name, described).name
    except CatalogError as error:
        raise _fault("gpu_type", error.message.removeprefix("system.gpu_type: ")) from None


def _fault(path: str, message: str) -> ProblemError:
    fault = Problem(path, message)
    return ProblemError(ProblemKind.INVALID_BODY, str(fault), errors=[fault])


def _notes(
    wanted: SuggestRequest, asked: Asked, goal: ServingGoal, drafted: FirstTask
) -> Iterator[str]:
    """Sentences about what was chosen or left out, and why."""
    if wanted.gpu_type is None:
        yield f"system.gpu_type is {asked.gpu}: what the workers or this machine have"
    if wanted.backend is None:
        yield f"system.backend is {asked.engine}: it serves this model's format there"
    if wanted.workload is None:
        yield f"runtime: requests of {asked.isl} tokens in and {asked.osl} out, as none are given"
    elif wanted.workload.prefix:
        yield (
            f"runtime.prefix: {wanted.workload.prefix} shared tokens are left out; prompts share "
            "nothing yet"
        )
    if goal.needs_slo and not asked.slo:
        yield f"slo: the goal {goal.title} needs limits; without any nothing is ruled out"
    if asked.osl == 1 and set(goal.objectives) & set(NEEDS_TPOT):
        yield "optimization.objectives: those of answers of one token, which have no TPOT"
    for path, layer in drafted.by_profiles.items():
        yield f"{path} is left to the profile: {layer}"
    for path in drafted.offered:
        if drafted.prepared is not None and (dropped := drafted.dropped(path)):
            values = ", ".join(map(str, dropped))
            yield f"{path}: {values} would not run here and is left out"
    yield from drafted.model.notes
    if drafted.prepared is not None:
        yield from drafted.prepared.warnings


def _model_document(model: ResolvedModel, asked: Asked, fits: tuple[Fit, ...]) -> dict[str, Any]:
    facts = model.facts
    gpu = gpu_named(asked.gpu, asked.described)
    return {
        "recognised": not facts.unknown,
        "name": model.name,
        "parameters_b": None if facts.parameters is None else facts.parameters / 1e9,
        "weights_gib": facts.weights_gib(),
        "formats": list(formats_of(model, engine_named(asked.engine), gpu.formats)),
        "context_length": facts.context_length,
        "fits": [vars(fit) for fit in fits],
    }
