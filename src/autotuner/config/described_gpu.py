"""A GPU as a user describes it, for one that the catalog lacks or has other figures for."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from autotuner.config.document import Document, PositiveInt, PositiveReal
from autotuner.config.groups import GemmMode, MoeMode

NumberFormat = Literal["float32", "float16", "bfloat16", "int8", "fp8", "nvfp4", "mxfp4"]
Architecture = Literal[
    "volta", "turing", "ampere", "ada", "hopper", "blackwell", "cdna3", "cdna4", "apple"
]
Interconnect = Literal["nvlink", "infinity-fabric", "pcie", "none"]


class DescribedGpu(Document):
    """One GPU by its facts; `gpus` of a task and `gpus.yaml` in the home hold them by name."""

    ALIASES: ClassVar[dict[str, str]] = {
        "memory_per_gpu": "memory_gib",
        "bandwidth": "bandwidth_gb_s",
        "nvlink_bandwidth": "interconnect_gb_s",
        "price_per_gpu_hour": "price_usd_hour",
    }

    memory_gib: PositiveReal
    """GiB of one GPU, as the driver shows them."""
    bandwidth_gb_s: PositiveReal
    """GB/s between the GPU and its memory."""
    tflops: dict[NumberFormat, PositiveReal] = Field(min_length=1)
    """Dense TFLOP/s (no sparsity) by number format; `bfloat16` or `float16` among them."""
    architecture: Architecture | None = None
    """Generation in the catalog, whose number formats it has; else they follow from `tflops`."""
    formats: tuple[GemmMode | MoeMode, ...] | None = None
    """Weight formats that it computes with, as `quantization.gemm_mode` and `moe_mode` name
    them; left out, those of its architecture, else those that `tflops` names."""
    interconnect: Interconnect = "pcie"
    """The interconnect of a node's GPUs."""
    interconnect_gb_s: PositiveReal = 32.0
    """GB/s between two GPUs of a node, one direction."""
    gpus_per_node: PositiveInt = 8
    """GPUs of a node."""
    linked_gpus: PositiveInt | None = None
    """GPUs that the interconnect joins, where they are more than a node's."""
    vendor: str = "any"
    """Maker (`nvidia`, `amd` …)."""
    power_w: PositiveReal | None = None
    """Watts at the most."""
    price_usd_hour: PositiveReal | None = None
    """USD per hour."""
    source: str = "described by the user"
    """Where the facts come from."""


class DescribedGpus(Document):
    """A file of GPUs."""

    gpus: dict[str, DescribedGpu] = Field(min_length=1)
    """Name -> facts, as in a task."""
