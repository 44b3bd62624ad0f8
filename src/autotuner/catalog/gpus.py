"""GPUs by name: memory, bandwidth, arithmetic, interconnect, price; from `gpus.yaml`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml

from autotuner.config import nearest
from autotuner.errors import CatalogError

CPU = "cpu"


@dataclass(frozen=True)
class Gpu:
    """One device. What the catalog does not know is None.

    Attributes:
        tflops: number format -> dense TFLOP/s.
        formats: weight formats (`quantization.gemm_mode`, `moe_mode`) that it can compute with.
        interconnect_gb_s: within a node, one direction.
        linked_gpus: how many that interconnect joins: a node's, or a whole rack's.
        cores: with which bandwidth and TFLOP/s were measured; of a CPU only.
        source, price_source: where the facts and the price come from.
    """

    name: str
    aliases: tuple[str, ...]
    vendor: str
    architecture: str
    memory_gib: float | None
    bandwidth_gb_s: float | None
    tflops: Mapping[str, float]
    formats: frozenset[str]
    interconnect: str
    interconnect_gb_s: float | None
    gpus_per_node: int
    power_w: float | None
    price_usd_hour: float | None
    source: str
    price_source: str
    linked_gpus: int = 1
    cores: int | None = None

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def is_cpu(self) -> bool:
        """Whether it is a CPU and no GPU at all."""
        return self.name == CPU

    @property
    def has_nvlink(self) -> bool:
        """Whether GPUs of a node are joined by more than PCIe."""
        return self.interconnect in ("nvlink", "infinity-fabric")


def gpu_named(name: str) -> Gpu:
    """The GPU of that name or alias (`h100_sxm`, `h100`), whatever its case.

    Raises:
        CatalogError: no such GPU; names the nearest.
    """
    by_name = _by_name()
    found = by_name.get(_folded(name))
    if found is None:
        known = [word for gpu in gpus().values() for word in (gpu.name, *gpu.aliases)]
        raise CatalogError(
            f"system.gpu_type: {name!r} is not in the catalog; {nearest(name, known)}",
            remedy="use a name of the catalog; memory_per_gpu, nvlink_bandwidth and "
            "price_per_gpu_hour may differ from it",
        )
    return found


def gpus_with_format(mode: str) -> tuple[str, ...]:
    """Names of the GPUs that compute with a weight format."""
    return tuple(gpu.name for gpu in gpus().values() if mode in gpu.formats)


@functools.cache
def gpus() -> Mapping[str, Gpu]:
    """The whole table, by name."""
    text = resources.files("autotuner.catalog").joinpath("gpus.yaml").read_text("utf-8")
    document = yaml.safe_load(text)
    return MappingProxyType(
        {name: _gpu(name, row, document) for name, row in document["gpus"].items()}
    )


def _gpu(name: str, row: dict[str, Any], document: dict[str, Any]) -> Gpu:
    sources = document["sources"]
    formats = document["architectures"][row["architecture"]]["formats"]
    return Gpu(
        **{
            "linked_gpus": row["gpus_per_node"],
            **row,
            "name": name,
            "aliases": tuple(row["aliases"]),
            "tflops": MappingProxyType(row["tflops"]),
            "formats": frozenset(formats),
            "source": sources[row["source"]],
            "price_source": sources[row["price_source"]],
        }
    )


@functools.cache
def _by_name() -> dict[str, Gpu]:
    return {_folded(word): gpu for gpu in gpus().values() for word in (gpu.name, *gpu.aliases)}


def _folded(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
