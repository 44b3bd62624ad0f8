"""What a worker may use: this machine's CPU, or GPUs of one kind."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from autotuner.catalog import gpu_named
from autotuner.catalog.gpus import CPU, Gpu, gpus
from autotuner.config import DescribedGpu
from autotuner.errors import AutotunerError

ALL = "all"
_ASKED = ("nvidia-smi", "--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits")
_ASK_S = 30
_MEMORY_TOLERANCE = 0.15


@dataclass(frozen=True)
class FoundGpu:
    """A GPU as the driver tells it; `memory_gib` as a whole."""

    index: str
    product: str
    memory_gib: float


@dataclass(frozen=True)
class Devices:
    """`gpu`: of the catalog, or "cpu"; `names`: "cpu", or the indices of the GPUs."""

    gpu: str
    names: tuple[str, ...]

    @property
    def gpus(self) -> int:
        """How many GPUs; 0 on a CPU."""
        return 0 if self.gpu == CPU else len(self.names)


def found_gpus() -> tuple[FoundGpu, ...]:
    """The NVIDIA GPUs of this machine; none where there is no driver, or it does not answer."""
    if shutil.which(_ASKED[0]) is None:
        return ()
    try:
        done = subprocess.run(_ASKED, capture_output=True, text=True, timeout=_ASK_S)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    rows = [[cell.strip() for cell in line.split(",")] for line in lines]
    return tuple(
        FoundGpu(index, product, float(memory) / 1024)
        for index, product, memory in (row for row in rows if len(row) == 3)
        if memory.replace(".", "", 1).isdigit()
    )


def devices_of(
    said: str,
    *,
    gpu: str | None = None,
    described: Mapping[str, DescribedGpu] = MappingProxyType({}),
    look: Callable[[], Sequence[FoundGpu]] = found_gpus,
) -> Devices:
    """The devices that an operator means.

    Args:
        said: "cpu", "all" (every GPU that is found, else the CPU), or indices: "0,1".
        gpu: what the GPUs are, in the catalog's words; told by the driver where left out.
        described: GPUs that the operator describes, by name.

    Raises:
        AutotunerError: GPUs that are not there, of different kinds, or that nobody knows.
    """
    if said == CPU:
        return Devices(CPU, (CPU,))
    found = {each.index: each for each in look()}
    if said == ALL:
        if not found:
            return Devices(CPU, (CPU,))
        names = tuple(found)
    else:
        names = tuple(dict.fromkeys(word.strip() for word in said.split(",")))
    unknown = [name for name in names if name not in found and (found or not name.isdigit())]
    if unknown:
        raise AutotunerError(
            f"--devices: {unknown[0]!r} is no GPU of this machine",
            remedy=f"say cpu, all, or some of: {', '.join(found) or 'none is found'}",
        )
    if gpu is not None:
        return Devices(gpu_named(gpu, described).name, names)
    if not found:
        raise AutotunerError(
            f"--devices {said}: no GPU is found on this machine",
            remedy="say --devices cpu, or what the GPUs are with --gpu",
        )
    kinds = {_in_catalog(found[name]).name for name in names}
    if len(kinds) > 1:
        raise AutotunerError(
            f"--devices {said}: the GPUs are of different kinds: {', '.join(sorted(kinds))}",
            remedy="start one worker for each kind",
        )
    return Devices(kinds.pop(), names)


def _in_catalog(found: FoundGpu) -> Gpu:
    """The entry whose longest name the product's name holds, where the memory agrees."""
    product = _folded(found.product)
    names = {_folded(name): gpu for gpu in gpus().values() for name in (gpu.name, *gpu.aliases)}
    for name in sorted(names, key=len, reverse=True):
        gpu = names[name]
        if name in product and not gpu.is_cpu:
            if abs((gpu.memory_gib or 0) / found.memory_gib - 1) <= _MEMORY_TOLERANCE:
                return gpu
            break
    raise AutotunerError(
        f"GPU {found.index}, {found.product!r} with {found.memory_gib:.0f} GiB, is not in the "
        "catalog",
        remedy="describe it in gpus.yaml of the home and name it with --gpu, or name there the "
        "entry of the catalog that comes nearest",
    )


def _folded(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
