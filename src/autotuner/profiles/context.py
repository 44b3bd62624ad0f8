"""What a profile may ask about: the model, the GPUs, the engine and the workload of a task."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from autotuner.catalog import Gpu, ModelFacts, gpu_named, known_model
from autotuner.config import nearest
from autotuner.errors import ModelError


@dataclass(frozen=True)
class TaskContext:
    """The circumstances in which a configuration is built. What is not known is None.

    Args:
        model: id or alias of the catalog; any name where `facts` are given.
        runtime: the engine (`sglang`).
        gpu_type: a GPU of the catalog, or `cpu`.
        total_gpus: GPUs that the deployment may occupy.
        facts: of the model; the catalog's where left out.
        memory_per_gpu: GiB, where it differs from the catalog's.
        isl, osl: tokens of a request, the longest of the workload.

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
    isl: int | None = None
    osl: int | None = None

    def __post_init__(self) -> None:
        if self.gpu_type is not None:
            gpu_named(self.gpu_type)
        if self.facts is None and known_model(self.model) is None:
            raise ModelError(
                f"model: {self.model!r} is not in the catalog",
                remedy="give the model's facts, or a name of the catalog",
            )

    @functools.cached_property
    def gpu(self) -> Gpu | None:
        """The device."""
        return None if self.gpu_type is None else gpu_named(self.gpu_type)

    @functools.cached_property
    def model_facts(self) -> ModelFacts:
        """What is known of the model."""
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
    def gpus(self) -> int:
        """GPUs there are; one where the task does not say, none on a CPU."""
        if self.gpu is not None and self.gpu.is_cpu:
            return 0
        return self.total_gpus or 1

    @functools.cached_property
    def known(self) -> dict[str, Any]:
        """Every fact that a condition may name -> its value, None where it is not known."""
        facts, gpu = self.model_facts, self.gpu
        parameters = facts.parameters
        weights = facts.weights_gib()
        return {
            "backend": self.runtime,
            "backend_version": self.runtime_version,
            "model": self.model,
            "model_is_moe": facts.is_moe,
            "model_is_mla": facts.is_mla,
            "model_parameters_b": None if parameters is None else parameters / 1e9,
            "model_weights_gib": weights,
            "model_gemm_format": facts.gemm_format,
            "model_is_quantized": None
            if facts.gemm_format is None
            else {facts.gemm_format, facts.moe_format or "bfloat16"} != {"bfloat16"},
            "model_has_mtp": None if facts.mtp_layers is None else facts.mtp_layers > 0,
            "model_context_length": facts.context_length,
            "model_kv_heads": facts.kv_heads,
            "gpu_type": gpu.name if gpu else None,
            "gpu_vendor": gpu.vendor if gpu else None,
            "gpu_architecture": gpu.architecture if gpu else None,
            "gpu_is_cpu": gpu.is_cpu if gpu else None,
            "gpu_memory_gib": self.gpu_memory_gib,
            "gpu_has_nvlink": gpu.has_nvlink if gpu else None,
            "gpu_supports_fp8": "fp8" in gpu.formats if gpu else None,
            "gpu_supports_nvfp4": "nvfp4" in gpu.formats if gpu else None,
            "total_gpus": self.gpus,
            "several_gpus": self.gpus > 1,
            "weights_share": self._weights_share(weights),
            "isl": self.isl,
            "osl": self.osl,
        }

    def _weights_share(self, weights_gib: float | None) -> float | None:
        memory = self.gpu_memory_gib
        if weights_gib is None or memory is None:
            return None
        return weights_gib / (memory * max(self.gpus, 1))


FACTS = tuple(TaskContext("", "", facts=ModelFacts()).known)
"""The names that a condition may use."""


def unmet(when: dict[str, Any], context: TaskContext) -> str | None:
    """Why a condition does not hold; None where it does.

    A fact is compared with a value, with a list of values, or with `{min: …, max: …}`. A fact that
    is not known meets no condition.
    """
    for name, wanted in when.items():
        value = context.known[name]
        if value is None:
            return f"{name} is not known"
        if isinstance(wanted, dict):
            if not isinstance(value, int | float):
                return f"{name} is {_text(value)}, which has no size"
            if value < wanted.get("min", value) or value > wanted.get("max", value):
                return f"{name} is {_text(value)}, not {_bounds(wanted)}"
        elif value not in (wanted if isinstance(wanted, list) else [wanted]):
            return f"{name} is {_text(value)}, not {_text(wanted)}"
    return None


def check_condition(when: dict[str, Any]) -> str | None:
    """What is wrong with a condition; None where nothing is."""
    for name, wanted in when.items():
        if name not in FACTS:
            return f"unknown fact {name!r}, {nearest(str(name), list(FACTS))}"
        if isinstance(wanted, dict) and not (wanted and set(wanted) <= {"min", "max"}):
            return f"{name}: give a value, a list of values, or min and max"
        if isinstance(wanted, dict) and not all(
            isinstance(v, int | float) for v in wanted.values()
        ):
            return f"{name}: min and max are numbers"
    return None


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " or ".join(_text(item) for item in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value).lower()


def _bounds(wanted: dict[str, Any]) -> str:
    return " and ".join(f"{'at least' if k == 'min' else 'at most'} {v}" for k, v in wanted.items())
