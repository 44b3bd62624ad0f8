"""GPUs by name: memory, bandwidth, arithmetic, interconnect, price; from `gpus.yaml`."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from autotuner.config import DescribedGpu
from autotuner.config.tables import packaged_table
from autotuner.errors import CatalogError

CPU = "cpu"
_FILLER = frozenset(
    {"nvidia", "geforce", "tesla", "quadro", "amd", "instinct", "radeon", "intel", "apple", "oam"}
    | {"hbm2", "hbm2e", "hbm3", "hbm3e", "gddr6", "gddr6x", "gddr7", "gpu", "accelerator"}
)
_SIZE = re.compile(r"\d+(gib|gb|g)")
_SIZE_TOLERANCE = 0.1
"""A data sheet's GB against what a program sees: 24 GB are 22.0 GiB on an L4."""
_FORMATS_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "float16": ("bfloat16", "int8_wo", "int4_wo"),
        "bfloat16": ("bfloat16", "int8_wo", "int4_wo"),
        "int8": ("sq",),
        "fp8": ("fp8", "fp8_static", "fp8_ootb", "fp8_block"),
        "nvfp4": ("nvfp4",),
        "mxfp4": ("w4a16_mxfp4", "w4a8_mxfp4_mxfp8"),
    }
)
"""Number format computed in -> weight formats; weights alone are unpacked to 16 bits."""


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


def gpu_named(
    name: str,
    described: Mapping[str, DescribedGpu] = MappingProxyType({}),
    *,
    field: str = "system.gpu_type",
) -> Gpu:
    """The GPU of that name, alias or product name, whatever its case (`h100`, `H100 SXM`,
    `NVIDIA H100 80GB HBM3`).

    Args:
        described: GPUs that the user describes, by name; they come before the catalog's.
        field: the field or option that has the name.

    Raises:
        CatalogError: no such GPU; names one that differs in spelling alone, where there is one.
    """
    found = known_gpu(name, described)
    if found is not None:
        return found
    known = (word for gpu in gpus().values() for word in (gpu.name, *gpu.aliases))
    guess = _misspelt(name, [*described, *known])
    hint = f"; did you mean {guess!r}?" if guess else ""
    raise CatalogError(
        f"{field}: {name!r} is not in the catalog{hint}",
        remedy="describe it in the task, `gpus: {NAME: {memory_gib: ..., bandwidth_gb_s: ..., "
        "tflops: {bfloat16: ...}}}`, or in gpus.yaml of the home; docs/configuration.md has all "
        "fields and the GPUs that are known",
    )


def known_gpu(
    name: str, described: Mapping[str, DescribedGpu] = MappingProxyType({})
) -> Gpu | None:
    """The same; None where there is no such GPU."""
    words = _words(name)
    key = "".join(words)
    own = {"".join(_words(word)): word for word in described}
    if key in own:
        return _described(own[key], described[own[key]])
    found = _by_name().get(key)
    if found is not None:
        return found
    sizes = [word for word in words if _SIZE.fullmatch(word)]
    found = _by_name().get("".join(word for word in words if word not in sizes))
    if len(sizes) != 1 or found is None or found.memory_gib is None:
        return None
    size_gib = float(sizes[0].rstrip("gib"))
    return found if abs(found.memory_gib / size_gib - 1) <= _SIZE_TOLERANCE else None


def gpus_with_format(mode: str) -> tuple[str, ...]:
    """Names of the GPUs that compute with a weight format."""
    return tuple(gpu.name for gpu in gpus().values() if mode in gpu.formats)


@functools.cache
def gpus() -> Mapping[str, Gpu]:
    """The whole table, by name."""
    document = _document()
    return MappingProxyType(
        {name: _gpu(name, row, document) for name, row in document["gpus"].items()}
    )


@functools.cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = packaged_table("autotuner.catalog", "gpus")
    return document


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


def _described(name: str, facts: DescribedGpu) -> Gpu:
    formats: Iterable[str] | None = facts.formats
    if formats is None and facts.architecture is not None:
        formats = _document()["architectures"][facts.architecture]["formats"]
    if formats is None:
        formats = [mode for number in facts.tflops for mode in _FORMATS_OF.get(number, ())]
    return Gpu(
        name=name,
        aliases=(),
        vendor=facts.vendor,
        architecture=facts.architecture or "any",
        memory_gib=facts.memory_gib,
        bandwidth_gb_s=facts.bandwidth_gb_s,
        tflops=MappingProxyType({str(key): value for key, value in facts.tflops.items()}),
        formats=frozenset(formats),
        interconnect=facts.interconnect,
        interconnect_gb_s=facts.interconnect_gb_s,
        gpus_per_node=facts.gpus_per_node,
        power_w=facts.power_w,
        price_usd_hour=facts.price_usd_hour,
        source=facts.source,
        price_source=facts.source,
        linked_gpus=facts.linked_gpus or facts.gpus_per_node,
    )


@functools.cache
def _by_name() -> dict[str, Gpu]:
    return {
        "".join(_words(word)): gpu for gpu in gpus().values() for word in (gpu.name, *gpu.aliases)
    }


def _words(name: str) -> list[str]:
    """Words that tell GPUs apart: no maker, no kind of memory."""
    return [word for word in re.findall(r"[a-z0-9]+", name.lower()) if word not in _FILLER]


def _misspelt(name: str, known: Iterable[str]) -> str | None:
    """The known name with the same numbers and nearly the same letters.

    Another number is another GPU, however near it is in spelling (`h20`, `h200`); only a digit
    that was typed once too often is let pass.
    """
    folded = "".join(_words(name))
    repeated = (folded[:i] + folded[i + 1 :] for i in range(1, len(folded)) if _twice(folded, i))
    numbers = [re.findall(r"\d+", word) for word in (folded, *repeated)]
    letters = {
        word: re.sub(r"\d", "", "".join(_words(word)))
        for word in known
        if re.findall(r"\d+", word) in numbers
    }
    close = difflib.get_close_matches(re.sub(r"\d", "", folded), letters.values(), n=1)
    return next((word for word in letters if letters[word] == close[0]), None) if close else None


def _twice(word: str, index: int) -> bool:
    return word[index].isdigit() and word[index] == word[index - 1]
