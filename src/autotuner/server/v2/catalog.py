"""GPUs, models, engines, predictors, and the schema of tasks. What is not known is null."""

from __future__ import annotations

import functools
import typing
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import JsonValue

from autotuner.catalog import (
    Gpu,
    KnownModel,
    goals,
    gpu_named,
    gpus,
    known_model,
    known_models,
    workloads,
)
from autotuner.config import PredictionMode
from autotuner.engines import ENGINES
from autotuner.engines.failures import REMEDIES
from autotuner.errors import CatalogError, EngineError
from autotuner.predict import AiconfiguratorPredictor, AISimulatePredictor, RooflinePredictor
from autotuner.predict.aiconfigurator.installation import INSTALL, installed_version
from autotuner.predict.aisimulate import installation as aisimulate
from autotuner.profiles import FACTS, RULES
from autotuner.report.documents import coverage_document, engine_document, engine_row
from autotuner.report.task_schema import task_schema
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.v2.catalog_views import (
    COVERAGE,
    ENGINE,
    ENGINE_LIST,
    FAILURE_KIND_LIST,
    GOAL_LIST,
    GPU,
    GPU_LIST,
    MODEL,
    MODEL_LIST,
    PREDICTOR_LIST,
    PROFILE_WORDS,
    WORKLOAD_LIST,
    Coverage,
    EngineList,
    EngineView,
    FailureKindList,
    GoalList,
    GpuList,
    GpuView,
    ModelList,
    ModelView,
    PredictorList,
    ProfileWords,
    WorkloadList,
)
from autotuner.server.v2.routing import Text, json_response, problems, v2_router

catalog = v2_router("/catalog", "catalog")
engines = v2_router("/engines", "catalog")
predictors = v2_router("/predictors", "catalog")
schemas = v2_router("/schema", "catalog")
_UNKNOWN = problems(ProblemKind.NOT_FOUND)
_KINDS = {bool: "boolean", float: "number", str: "text"}
Name = Annotated[Text, Path(min_length=1, max_length=200)]


@catalog.get("/gpus", response_model=GpuList)
def list_gpus() -> Response:
    """Lists the devices that a task may name."""
    return json_response(GPU_LIST, {"items": [_gpu(gpu) for gpu in gpus().values()]})


@catalog.get("/gpus/{name}", response_model=GpuView, responses=_UNKNOWN)
def get_gpu(name: Name) -> Response:
    """A device by its name or one of its aliases."""
    try:
        return json_response(GPU, _gpu(gpu_named(name)))
    except CatalogError as error:
        raise ProblemError(ProblemKind.NOT_FOUND, error.message) from None


@catalog.get("/models", response_model=ModelList)
def list_models(
    search: Annotated[Text, Query(max_length=200, description="Text in one of its names.")] = "",
) -> Response:
    """Lists the models of which the catalog knows the shape."""
    word = search.lower()
    found = [m for m in known_models().values() if any(word in n.lower() for n in m.names)]
    return json_response(MODEL_LIST, {"items": [_model(model) for model in found]})


@catalog.get("/models/{model_id:name}", response_model=ModelView, responses=_UNKNOWN)
def get_model(
    model_id: Annotated[
        Text, Path(min_length=1, max_length=200, description="Any of its names; may hold a `/`.")
    ],
) -> Response:
    """A model by one of its names."""
    model = known_model(model_id)
    if model is None:
        raise ProblemError(ProblemKind.NOT_FOUND, f"there is no model {model_id!r} in the catalog")
    beside = {"like": model.like, "install": model.install, "facts": asdict(model.facts)}
    return json_response(MODEL, {**_model(model), **beside})


@catalog.get("/workloads", response_model=WorkloadList)
def list_workloads() -> Response:
    """Lists kinds of workloads, as sizes to begin with."""
    return json_response(WORKLOAD_LIST, {"items": [vars(row) for row in workloads().values()]})


@catalog.get("/goals", response_model=GoalList)
def list_goals() -> Response:
    """Lists goals, as objectives of a search."""
    return json_response(GOAL_LIST, {"items": [vars(row) for row in goals().values()]})


@catalog.get("/failures", response_model=FailureKindList)
def list_failure_kinds() -> Response:
    """Lists the kinds of failures of launches, and what helps against each."""
    items = [{"kind": kind, "remedy": remedy} for kind, remedy in REMEDIES.items()]
    return json_response(FAILURE_KIND_LIST, {"items": items})


@catalog.get("/profile-words", response_model=ProfileWords)
def list_profile_words() -> Response:
    """Lists the facts that a profile's conditions may ask for, and the rules that find values."""
    facts = [
        {"name": f.name, "kind": _KINDS[f.kind], "meaning": f.meaning, "values": list(f.names)}
        for f in FACTS.values()
    ]
    rules = [
        {"name": rule.name, "meaning": rule.meaning, "fields": list(rule.sets)}
        for rule in RULES.values()
    ]
    return json_response(PROFILE_WORDS, {"facts": facts, "rules": rules})


@engines.get("/", response_model=EngineList)
def list_engines() -> Response:
    """Lists the engines, and which of them are installed on the service's machine."""
    absent = dict.fromkeys(("version", "origin", "problem", "remedy"))
    return json_response(ENGINE_LIST, {"items": [absent | engine_row(name) for name in ENGINES]})


@engines.get("/coverage", response_model=Coverage)
def get_coverage() -> Response:
    """Field x engine: the flag, key or variable, or why there is none."""
    return json_response(COVERAGE, coverage_document())


@engines.get("/{name}", response_model=EngineView, responses=_UNKNOWN)
def get_engine(
    name: Name,
    version: Annotated[
        Text | None,
        Query(
            alias="engine_version",
            pattern=r"^\d{1,9}(\.\d{1,9}){0,5}$",
            description="Of the engine; the newest known one where left out.",
        ),
    ] = None,
) -> Response:
    """Mapping of every field of the eight groups to an engine."""
    if name not in ENGINES:
        raise ProblemError(
            ProblemKind.NOT_FOUND, f"there is no engine {name!r}; known: {', '.join(ENGINES)}"
        )
    try:
        return json_response(ENGINE, engine_document(name, version))
    except EngineError as error:
        raise ProblemError(ProblemKind.INVALID_PARAMETER, error.message) from None


@predictors.get("/", response_model=PredictorList)
def list_predictors() -> Response:
    """Lists the predictors, and which of them are installed."""
    known = installed_version() is not None
    simulated = aisimulate.installed()
    rows = [
        {
            "name": "roofline",
            "version": RooflinePredictor().name,
            "installed": True,
            "install": "",
            "supports": "any model whose shape is known, on any device of the catalog",
            "modes": [],
        },
        {
            "name": "aiconfigurator",
            "version": AiconfiguratorPredictor().name if known else None,
            "installed": known,
            "install": INSTALL,
            "supports": "models, GPUs and engine versions of which NVIDIA's aiconfigurator has "
            "measured operators",
            "modes": list(typing.get_args(PredictionMode)),
        },
        {
            "name": "aisimulate",
            "version": AISimulatePredictor().name if simulated else None,
            "installed": simulated is not None,
            "install": aisimulate.INSTALL,
            "supports": "models, GPUs and engines of which NVIDIA's AISimulate has measured "
            "operators; it simulates their scheduler, and predicts percentiles too",
            "modes": list(typing.get_args(PredictionMode)),
        },
    ]
    return json_response(PREDICTOR_LIST, {"items": rows})


@schemas.get("/task", response_model=dict[str, JsonValue])
def get_task_schema(
    gpu_type: Annotated[
        Text | None,
        Query(max_length=200, description="The GPU on which engines take their defaults."),
    ] = None,
) -> Response:
    """The JSON Schema of task documents, with what forms need of each field under `x-` keys."""
    try:
        gpu = None if gpu_type is None else gpu_named(gpu_type).name
    except CatalogError as error:
        raise ProblemError(ProblemKind.INVALID_PARAMETER, error.message) from None
    return JSONResponse(_schema(gpu))


@functools.cache
def _schema(gpu: str | None) -> dict[str, Any]:
    return task_schema(None if gpu is None else gpu_named(gpu))


def _gpu(gpu: Gpu) -> dict[str, Any]:
    listed = {"aliases": list(gpu.aliases), "formats": sorted(gpu.formats)}
    derived = {"is_cpu": gpu.is_cpu, "has_nvlink": gpu.has_nvlink, "tflops": dict(gpu.tflops)}
    return {**vars(gpu), **listed, **derived}


def _model(model: KnownModel) -> dict[str, Any]:
    facts = model.facts
    return {
        "id": model.id,
        "names": model.names,
        "architecture": facts.architecture,
        "parameters_b": None if facts.parameters is None else facts.parameters / 1e9,
        "is_moe": facts.is_moe,
        "weights_gib": facts.weights_gib(),
        "context_length": facts.context_length,
        "gemm_format": facts.gemm_format,
        "package": model.package,
        "is_here": model.packaged_file() is not None,
    }
