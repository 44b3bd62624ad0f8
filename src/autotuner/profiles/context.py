"""What a profile may ask about: the model, the GPUs, the engine and the workload of a task."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from autotuner.catalog import Gpu, MemoryUse, ModelFacts, gpu_named, known_model
from autotuner.config import DescribedGpu, nearest
from autotuner.errors import ModelError
from autotuner.profiles.facts import FACTS

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
