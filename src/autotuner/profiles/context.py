"""The context of a task, and the facts of it that a condition may ask for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from autotuner.catalog import WEIGHT_BYTES, Gpu, MemoryUse, ModelFacts, gpu_named, gpus, known_model
from autotuner.config import BACKENDS, DescribedGpu, nearest
from autotuner.errors import CatalogError, ModelError


@dataclass(frozen=True)
class Fact:
    """Something that a condition may ask for.

    Attributes:
        kind: `bool`, `float` (any number) or `str`.
        names: the words that a text may be; empty where it may be any.
        canonical: the one word for all that mean the same.
    """

    name: str
    kind: type
    meaning: str
    read: Callable[[TaskContext], Any]
    names: Sequence[str] = ()
    canonical: Callable[[str], str] = str


def _model_name(word: str) -> str:
    known = known_model(word)
    return word if known is None else known.id


def _gpu_name(word: str) -> str:
    try:
        return gpu_named(word).name
    except CatalogError:
        return word


def _parameters_b(context: TaskContext) -> float | None:
    parameters = context.model_facts.parameters
    return None if parameters is None else parameters / 1e9


def _is_quantized(context: TaskContext) -> bool | None:
    facts = context.model_facts
    if facts.gemm_format is None:
        return True if facts.quantization is not None else None
    return {facts.gemm_format, facts.moe_format or "bfloat16"} != {"bfloat16"}


def _has_mtp(context: TaskContext) -> bool | None:
    layers = context.model_facts.mtp_layers
    return None if layers is None else layers > 0


def _weights_share(context: TaskContext) -> float | None:
    weights, memory = context.model_facts.weights_gib(), context.gpu_memory_gib
    if weights is None or memory is None:
        return None
    return weights / (memory * max(context.gpus, 1))


def _of_gpu(name: str) -> Callable[[TaskContext], Any]:
    return lambda context: None if context.gpu is None else getattr(context.gpu, name)


_DEVICES = tuple(gpus().values())
FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact("backend", str, "the engine", lambda c: c.runtime, BACKENDS),
        Fact("backend_version", str, "the engine's version", lambda c: c.runtime_version),
        Fact("model", str, "the model, by any of its names", lambda c: c.model, (), _model_name),
        Fact("model_is_moe", bool, "the model has routed experts", lambda c: c.model_facts.is_moe),
        Fact(
            "model_is_mla",
            bool,
            "its heads share one latent instead of keys and values",
            lambda c: c.model_facts.is_mla,
        ),
        Fact("model_parameters_b", float, "billions of weights", _parameters_b),
        Fact(
            "model_weights_gib",
            float,
            "GiB of weights, in the checkpoint's own format",
            lambda c: c.model_facts.weights_gib(),
        ),
        Fact(
            "model_gemm_format",
            str,
            "the checkpoint's number format",
            lambda c: c.model_facts.gemm_format,
            tuple(WEIGHT_BYTES),
        ),
        Fact("model_is_quantized", bool, "its checkpoint is narrower than 16 bits", _is_quantized),
        Fact("model_has_mtp", bool, "it carries layers that draft tokens (MTP)", _has_mtp),
        Fact(
            "model_context_length",
            float,
            "tokens that the model was trained for",
            lambda c: c.model_facts.context_length,
        ),
        Fact("model_kv_heads", float, "heads of keys and values", lambda c: c.model_facts.kv_heads),
        Fact(
            "gpu_type",
            str,
            "the device, by any of its names",
            lambda c: c.gpu_type,
            tuple(word for gpu in _DEVICES for word in (gpu.name, *gpu.aliases)),
            _gpu_name,
        ),
        Fact(
            "gpu_vendor",
            str,
            "the device's maker",
            _of_gpu("vendor"),
            tuple(dict.fromkeys(gpu.vendor for gpu in _DEVICES)),
        ),
        Fact(
            "gpu_architecture",
            str,
            "the device's generation",
            _of_gpu("architecture"),
            tuple(dict.fromkeys(gpu.architecture for gpu in _DEVICES)),
        ),
        Fact("gpu_is_cpu", bool, "the device is a CPU", _of_gpu("is_cpu")),
        Fact("gpu_memory_gib", float, "GiB of one GPU", lambda c: c.gpu_memory_gib),
        Fact(
            "gpu_link_gb_s",
            float,
            "GB/s between GPUs of a node, one direction",
            lambda c: c.gpu_link_gb_s,
        ),
        Fact(
            "gpu_has_nvlink",
            bool,
            "more than PCIe joins the GPUs of a node",
            lambda c: c.gpu_has_nvlink,
        ),
        Fact("gpu_supports_fp8", bool, "the GPU computes in FP8", lambda c: c.supports("fp8")),
        Fact(
            "gpu_supports_nvfp4", bool, "the GPU computes in NVFP4", lambda c: c.supports("nvfp4")
        ),
        Fact(
            "total_gpus",
            float,
            "GPUs that the task may use; unknown where it does not say",
            lambda c: c.total_gpus,
        ),
        Fact("several_gpus", bool, "the task may use more than one GPU", lambda c: c.gpus > 1),
        Fact("weights_share", float, "the weights' share of all GPUs' memory", _weights_share),
        Fact("isl", float, "input tokens of the longest request", lambda c: c.isl),
        Fact("osl", float, "output tokens of the longest request", lambda c: c.osl),
    )
}
"""Every fact by its name."""


USUAL = MemoryUse(share=0.9)
PCIE_GB_S = 64.0
"""One direction of PCIe 5.0 x16 (PCI-SIG); GPUs with a faster link have more than PCIe."""


@dataclass(frozen=True)
class TaskContext:
    """The circumstances in which a configuration is built. What is not known is None.

    Every fact of `FACTS` is an attribute too: `context.gpu_supports_fp8`.

    Args:
        model: id or alias of the catalog; any name where `facts` are given.
        runtime: the engine (`sglang`).
        gpu_type: a GPU of the catalog or of `described`, or `cpu`; kept by its own name.
        total_gpus: GPUs that the deployment may occupy.
        facts: of the model; the catalog's where left out.
        memory_per_gpu: GiB, where it differs from the catalog's.
        nvlink_bandwidth: GB/s of one GPU in one direction, where it differs from the catalog's.
        isl, osl: tokens of a request, the longest of the workload.
        described: GPUs that the user describes, by name.
        use: what the engine makes of a GPU's memory; nine tenths of it for weights and KV cache,
            where left out.

    Example:
        TaskContext(model="llama-3.2-1b", runtime="sglang", gpu_type="h100")

    Raises:
        ModelError: the catalog does not know the model and no facts are given.
        CatalogError: the catalog does not know the GPU.
    """

    model: str
    runtime: str
    gpu_type: str | None = None
    total_gpus: int | None = None
    runtime_version: str | None = None
    facts: ModelFacts | None = None
    memory_per_gpu: float | None = None
    nvlink_bandwidth: float | None = None
    isl: int | None = None
    osl: int | None = None
    described: Mapping[str, DescribedGpu] = field(
        default_factory=lambda: MappingProxyType({}), hash=False
    )
    use: MemoryUse = USUAL

    def __post_init__(self) -> None:
        if self.gpu_type is not None:
            object.__setattr__(self, "gpu_type", gpu_named(self.gpu_type, self.described).name)
        if self.facts is None and known_model(self.model) is None:
            raise ModelError(
                f"model: {self.model!r} is not in the catalog",
                remedy="give the model's facts, or a name of the catalog",
            )

    def __getattr__(self, name: str) -> Any:
        # Asked for only what is no field and no property: a fact, or nothing.
        if name in FACTS:
            return self.known[name]
        raise AttributeError(f"TaskContext has no {name!r}, {nearest(name, list(FACTS))}")

    @functools.cached_property
    def gpu(self) -> Gpu | None:
        """The device."""
        return None if self.gpu_type is None else gpu_named(self.gpu_type, self.described)

    @functools.cached_property
    def model_facts(self) -> ModelFacts:
        """The facts of the model."""
        if self.facts is not None:
            return self.facts
        known = known_model(self.model)
        return known.facts if known is not None else ModelFacts()

    @property
    def gpu_memory_gib(self) -> float | None:
        """GiB of one GPU."""
        if self.memory_per_gpu is not None or self.gpu is None:
            return self.memory_per_gpu
        return self.gpu.memory_gib

    @property
    def gpu_link_gb_s(self) -> float | None:
        """GB/s between GPUs of a node, one direction."""
        if self.nvlink_bandwidth is not None or self.gpu is None:
            return self.nvlink_bandwidth
        return self.gpu.interconnect_gb_s

    @property
    def gpu_has_nvlink(self) -> bool | None:
        """Whether more than PCIe joins the GPUs of a node."""
        if self.nvlink_bandwidth is not None:
            return self.nvlink_bandwidth > PCIE_GB_S
        return None if self.gpu is None else self.gpu.has_nvlink

    @property
    def gpus(self) -> int:
        """GPUs there are; one where the task does not say, none on a CPU."""
        if self.gpu is not None and self.gpu.is_cpu:
            return 0
        return self.total_gpus or 1

    @functools.cached_property
    def known(self) -> dict[str, Any]:
        """Every fact that a condition may name -> its value, None where it is not known."""
        return {fact.name: fact.read(self) for fact in FACTS.values()}

    def supports(self, form: str) -> bool | None:
        """Whether the GPU computes in a number format."""
        return None if self.gpu is None else form in self.gpu.formats
