"""Models of GPUs, models, workloads, goals, engines and predictors in responses of API v2."""

from __future__ import annotations

from typing import Literal

from pydantic import TypeAdapter

from autotuner.server.v2.routing import View

MappingKind = Literal["flag", "key", "variable", "implied", "task", "no"]


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
    is_here: bool
    """Whether that file is on the service's machine, so that nothing has to be loaded."""


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


class WorkloadView(View):
    """A kind of requests that models are served for, as tokens of one of them."""

    name: str
    title: str
    description: str
    isl: int
    """Tokens in."""
    osl: int
    """Tokens out."""
    prefix: int
    """Tokens of the prompt that requests share."""
    source: str
    """Where the figures come from."""


class WorkloadList(View):
    """The catalog's workloads."""

    items: list[WorkloadView]


class GoalView(View):
    """A goal of a search."""

    name: str
    title: str
    description: str
    objectives: list[str]
    """Of `optimization.objectives`."""
    needs_slo: bool
    """Whether it means nothing without limits in `slo`."""


class GoalList(View):
    """The catalog's goals; the first is taken where a suggestion names none."""

    items: list[GoalView]


class FailureKindView(View):
    """A kind of failure of launches."""

    kind: str
    """As in `failure_kind` of experiments."""
    remedy: str
    """Advice in sentences."""


class FailureKindList(View):
    """The kinds of failures."""

    items: list[FailureKindView]


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


class FactView(View):
    """A fact that the condition of a profile's layer may ask for."""

    name: str
    kind: Literal["boolean", "number", "text"]
    meaning: str
    values: list[str]
    """Texts that it may be; empty where it may be any."""


class RuleView(View):
    """A rule by which a profile finds a value."""

    name: str
    meaning: str
    fields: list[str]
    """`group.field` of those that may take its value."""


class ProfileWords(View):
    """Facts and rules that profiles may name."""

    facts: list[FactView]
    rules: list[RuleView]


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
WORKLOAD_LIST: TypeAdapter[WorkloadList] = TypeAdapter(WorkloadList)
GOAL_LIST: TypeAdapter[GoalList] = TypeAdapter(GoalList)
FAILURE_KIND_LIST: TypeAdapter[FailureKindList] = TypeAdapter(FailureKindList)
PROFILE_WORDS: TypeAdapter[ProfileWords] = TypeAdapter(ProfileWords)
ENGINE: TypeAdapter[EngineView] = TypeAdapter(EngineView)
ENGINE_LIST: TypeAdapter[EngineList] = TypeAdapter(EngineList)
COVERAGE: TypeAdapter[Coverage] = TypeAdapter(Coverage)
PREDICTOR_LIST: TypeAdapter[PredictorList] = TypeAdapter(PredictorList)
