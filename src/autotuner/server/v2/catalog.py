"""GPUs, models, engines, predictors, and the schema of tasks. What is not known is null."""

from __future__ import annotations

import functools
import typing
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import JsonValue, TypeAdapter

from autotuner.catalog import Gpu, KnownModel, gpu_named, gpus, known_model, known_models
from autotuner.config import PredictionMode
from autotuner.engines import ENGINES
from autotuner.errors import CatalogError, EngineError
from autotuner.predict import AiconfiguratorPredictor, RooflinePredictor
from autotuner.predict.aiconfigurator.installation import INSTALL, installed_version
from autotuner.report.documents import coverage_document, engine_document, engine_row, task_schema
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.v2.routing import Text, View, json_response, problems, v2_router

MappingKind = Literal["flag", "key", "variable", "implied", "task", "no"]
catalog = v2_router("/catalog", "catalog")
engines = v2_router("/engines", "catalog")
predictors = v2_router("/predictors", "catalog")
schemas = v2_router("/schema", "catalog")
_UNKNOWN = problems(ProblemKind.NOT_FOUND)
Name = Annotated[Text, Path(min_length=1, max_length=200)]


class GpuView(View):
    """A device of the catalog. `tflops` are dense, by number format."""

    name: str
    aliases: list[str]
    vendor: str
    architecture: str
    is_cpu: bool
    memory_gib: float | None
    bandwidth_gb_s: float | None
    tflops: dict[str, float]
    formats: list[str]
    """Weight formats that it can compute with."""
    interconnect: str
    interconnect_gb_s: float | None
    """Within a node, one direction."""
    has_nvlink: bool
    """Whether more than PCIe joins the GPUs of a node."""
    gpus_per_node: int
    linked_gpus: int
    power_w: float | None
    price_usd_hour: float | None
    source: str
    price_source: str


class GpuList(View):
    """The catalog's devices."""

    items: list[GpuView]


class ModelSummary(View):
    """A model of the catalog."""

    id: str
    names: list[str]
    """Every name that a task may use for it."""
    architecture: str | None
    parameters_b: float | None
    """Billions of weights."""
    is_moe: bool | None
    weights_gib: float | None
    """In the checkpoint's own format."""
    context_length: int | None
    gemm_format: str | None
    """The checkpoint's number format."""
    package: str | None
    """The Python package that carries its file; null where it is a hub's."""


class ModelList(View):
    """The catalog's models."""

    items: list[ModelSummary]


class WeightFormatView(View):
    """The number format of a matrix."""

    mode: str
    """The nearest `quantization.gemm_mode` or `moe_mode`."""
    bits: float
    """Of a weight, without scales."""
    block: tuple[int, int] | None
    """Outputs x inputs that share a scale; null where a tensor or a row does."""
    scale_bits: float
    """Bits of the scale and the zero point of a block."""
    activations: str | None
    """The format that activations are quantised to; null for 16 bits."""


class ShareView(View):
    """A share of the matrices of one kind, and their format."""

    kind: str
    share: float
    format: WeightFormatView


class QuantizationView(View):
    """Number formats of a checkpoint's matrices."""

    method: str
    shares: list[ShareView]
    """Empty where the scheme is not understood."""
    kv_cache: str | None
    """The format that the checkpoint asks for its KV cache."""
    ignored: list[str]
    """Names and patterns of modules that stay in 16 bits."""
    not_understood: list[str]


class FactsView(View):
    """Facts that determine the size and speed of a model."""

    architecture: str | None
    attention: str | None
    layers: int | None
    attention_layers: int | None
    windowed_layers: int
    window: int | None
    state_bytes: int
    hidden_size: int | None
    heads: int | None
    kv_heads: int | None
    head_size: int | None
    value_size: int | None
    kv_latent: int | None
    kv_values: int | None
    vocabulary: int | None
    context_length: int | None
    rope_theta: float | None
    experts: int | None
    experts_per_token: int | None
    intermediate: int | None
    shared_intermediate: int | None
    moe_intermediate: int | None
    mtp_layers: int | None
    gemm_format: str | None
    moe_format: str | None
    quantization: QuantizationView | None
    dense_parameters: int | None
    dense_parts: list[tuple[str, int]]
    """Parameters of dense matrices by kind."""
    expert_parameters: int | None
    embedding_parameters: int | None
    active_parameters: int | None
    size_bytes: int | None
    notes: list[str]
    """Parts of the model's own description that are not understood."""


class ModelView(ModelSummary):
    """A model of the catalog with all facts known of it."""

    like: str | None
    """The model whose shape it has."""
    install: str
    """Command that installs its package; empty where there is none."""
    facts: FactsView


class EngineSummary(View):
    """An engine, and whether it is on the service's machine."""

    name: str
    title: str
    model_format: Literal["gguf", "folder"]
    table_version: str
    """The version that its flags were checked against."""
    source: str
    found: bool
    version: str | None
    """Installed version."""
    origin: str | None
    """Location where it was found."""
    problem: str | None
    """Reason why it cannot be used."""
    remedy: str | None


class EngineList(View):
    """The engines that a task may name."""

    items: list[EngineSummary]


class FieldMappingView(View):
    """Mapping of a field to an engine: a flag, a key, a variable, or none."""

    field: str
    how: MappingKind
    name: str
    note: str


class EngineView(View):
    """Mapping of every field of the eight groups to an engine."""

    engine: str
    version: str
    source: str
    fields: list[FieldMappingView]


class Coverage(View):
    """Field x engine."""

    engines: dict[str, str]
    """Engine -> the version of its flags."""
    fields: dict[str, dict[str, FieldMappingView]]


class PredictorView(View):
    """A predictor that a task may name."""

    name: str
    version: str | None
    """Version of its predictions; null where it is not installed."""
    installed: bool
    install: str
    """Command that installs it; empty where it comes with this package."""
    supports: str
    """Models, devices and engines that it can predict."""
    modes: list[str]
    """Values of prediction.mode."""


class PredictorList(View):
    """The predictors."""

    items: list[PredictorView]


GPU: TypeAdapter[GpuView] = TypeAdapter(GpuView)
GPU_LIST: TypeAdapter[GpuList] = TypeAdapter(GpuList)
MODEL: TypeAdapter[ModelView] = TypeAdapter(ModelView)
MODEL_LIST: TypeAdapter[ModelList] = TypeAdapter(ModelList)
ENGINE: TypeAdapter[EngineView] = TypeAdapter(EngineView)
ENGINE_LIST: TypeAdapter[EngineList] = TypeAdapter(EngineList)
COVERAGE: TypeAdapter[Coverage] = TypeAdapter(Coverage)
PREDICTOR_LIST: TypeAdapter[PredictorList] = TypeAdapter(PredictorList)


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


@catalog.get("/models/{model_id:path}", response_model=ModelView, responses=_UNKNOWN)
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
    ]
    return json_response(PREDICTOR_LIST, {"items": rows})


@schemas.get("/task", response_model=dict[str, JsonValue])
def get_task_schema() -> Response:
    """The JSON Schema of task documents, for editors."""
    return JSONResponse(_schema())


@functools.cache
def _schema() -> dict[str, Any]:
    return task_schema()


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
    }
