"""The facts that a condition may ask for: what each is, of what kind, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autotuner.catalog import WEIGHT_BYTES, gpu_named, gpus, known_model
from autotuner.config import BACKENDS
from autotuner.errors import CatalogError

if TYPE_CHECKING:
    from autotuner.profiles.context import TaskContext


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
