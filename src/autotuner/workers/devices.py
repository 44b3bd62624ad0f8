"""Devices of a worker, or of a call of the command line: this machine's CPU, or GPUs of one kind.

What the environment allows is an argument: whoever is at the edge reads it, once.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from autotuner.catalog import gpu_named
from autotuner.catalog.gpus import CPU, Gpu, gpus
from autotuner.config import DescribedGpu
from autotuner.errors import AutotunerError
from autotuner.launch.devices import VISIBLE, is_unique_name
from autotuner.workers.nvml import read_gpus

ALL = "all"
_ASKED = ("nvidia-smi", "--query-gpu=index,name,memory.total,uuid", "--format=csv,noheader,nounits")
_ASK_S = 30
_MEMORY_TOLERANCE = 0.15


@dataclass(frozen=True)
class FoundGpu:
    """A GPU as the driver describes it; `memory_gib` as a whole."""

    index: str
    product: str
    memory_gib: float
    uuid: str = ""


@dataclass(frozen=True)
class Devices:
    """`gpu`: of the catalog, or "cpu"; `names`: "cpu", or the GPUs' indices or unique names."""

    gpu: str
    names: tuple[str, ...]

    @property
    def gpus(self) -> int:
        """How many GPUs; 0 on a CPU."""
        return len(self.gpu_names)

    @property
    def gpu_names(self) -> tuple[str, ...]:
        """The names of the GPUs; none on a CPU."""
        return () if self.gpu == CPU else self.names


ON_CPU = Devices(CPU, (CPU,))
Look = Callable[[], Sequence[FoundGpu]]


def found_gpus() -> tuple[FoundGpu, ...]:
    """The NVIDIA GPUs of this machine; none where there is no driver, or it does not answer.

    The driver's library is asked (NVML), and its command where that does not describe every GPU;
    where the command says nothing, those that the library describes are there.
    """
    found = read_gpus(_described) or (None,)
    described = tuple(gpu for gpu in found if gpu is not None)
    return described if len(described) == len(found) else _by_command() or described


def _described(nvml: Any, index: int, gpu: Any) -> FoundGpu:
    memory_gib = nvml.nvmlDeviceGetMemoryInfo(gpu).total / 2**30
    product, uuid = nvml.nvmlDeviceGetName(gpu), nvml.nvmlDeviceGetUUID(gpu)
    return FoundGpu(str(index), product, memory_gib, uuid)


def _by_command() -> tuple[FoundGpu, ...]:
    if shutil.which(_ASKED[0]) is None:
        return ()
    try:
        done = subprocess.run(_ASKED, capture_output=True, text=True, timeout=_ASK_S)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    rows = [[cell.strip() for cell in line.split(",")] for line in lines]
    return tuple(
        FoundGpu(index, product, float(memory) / 1024, uuid)
        for index, product, memory, uuid in (row for row in rows if len(row) == 4)
        if memory.replace(".", "", 1).isdigit()
    )


def devices_of(
    requested: str,
    *,
    gpu: str | None = None,
    described: Mapping[str, DescribedGpu] = MappingProxyType({}),
    allowed: Sequence[str] | None = None,
    look: Look = found_gpus,
) -> Devices:
    """The devices that an operator means.

    Args:
        requested: "cpu", "all" (every GPU that is found and allowed, else the CPU), or GPUs by
            index or UUID: "0,1". A MIG instance is named by its UUID, with `gpu`.
        gpu: what the GPUs are, in the catalog's words; as the driver describes them where left out.
        described: GPUs that the operator describes, by name.
        allowed: those that the environment leaves this process; None where it says nothing.

    Raises:
        AutotunerError: GPUs that are not there or not allowed, of different kinds, or that nobody
            knows.
    """
    found = {} if requested == CPU else {each.index: each for each in look()}
    names = _chosen(requested, found, allowed, kind_is_given=gpu is not None)
    if not names:
        if gpu is not None and not gpu_named(gpu, described, field="--gpu").is_cpu:
            raise AutotunerError(
                f"--gpu {gpu}: --devices {requested} gives this process no GPU",
                remedy=f"name the GPUs with --devices (0,1), look at {VISIBLE[0]}, or leave --gpu "
                "out to work on the CPU",
            )
        return ON_CPU
    if gpu is not None:
        return Devices(gpu_named(gpu, described, field="--gpu").name, names)
    if not found:
        raise AutotunerError(
            f"--devices {requested}: no GPU is found on this machine",
            remedy="say --devices cpu, or what the GPUs are with --gpu",
        )
    kinds = {catalog_entry(found[name]).name for name in names}
    if len(kinds) > 1:
        raise AutotunerError(
            f"--devices {requested}: the GPUs are of different kinds: {', '.join(sorted(kinds))}",
            remedy="start one worker for each kind",
        )
    return Devices(kinds.pop(), names)


def devices_for(
    gpu: Gpu | None,
    count: int,
    *,
    requested: str | None = None,
    allowed: Sequence[str] | None = None,
    look: Look = found_gpus,
) -> Devices:
    """The devices of a task that this process runs: as many GPUs as it asks for.

    Args:
        gpu: what the task names; it runs on the CPU where that is None or the CPU.
        requested: as in `devices_of`; where left out, the first GPUs that are allowed, else the
            first of that kind, else of any that the driver finds.

    Raises:
        AutotunerError: fewer than the task needs, or as in `devices_of`.
    """
    if gpu is None or gpu.is_cpu:
        if requested not in (None, CPU, ALL):
            raise AutotunerError(
                f"--devices {requested}: the task names no GPU",
                remedy="name one in system.gpu_type, or leave --devices out",
            )
        return ON_CPU
    found = {each.index: each for each in look()}
    if requested is not None:
        names = _chosen(requested, found, allowed, kind_is_given=True)
        return _first(Devices(gpu.name, names), count, f"--devices {requested}")
    if allowed is not None:
        names = tuple(_by_index(name, found) for name in allowed)
        return _first(Devices(gpu.name, names), count, VISIBLE[0])
    alike = tuple(index for index, each in found.items() if _is_a(each, gpu))
    there = alike or tuple(found) or tuple(map(str, range(count)))
    return _first(Devices(gpu.name, there), count, "this machine")


def _first(devices: Devices, count: int, who: str) -> Devices:
    if devices.gpus < count:
        raise AutotunerError(
            f"the task needs {count} GPUs (system.total_gpus), and {who} gives {devices.gpus}",
            remedy="name more GPUs, or lower system.total_gpus",
        )
    return replace(devices, names=devices.names[:count])


def _chosen(
    requested: str,
    found: Mapping[str, FoundGpu],
    allowed: Sequence[str] | None,
    *,
    kind_is_given: bool,
) -> tuple[str, ...]:
    """The GPUs that are meant, each once, by index where the driver has it; none on a CPU.

    Args:
        kind_is_given: whether it is known what the GPUs are, so that unique names that the driver
            does not list (those of MIG instances) can be used.
    """
    within = None if allowed is None else tuple(_by_index(name, found) for name in allowed)
    if requested == CPU:
        return ()
    if requested == ALL:
        # Without a driver only the environment says what there is.
        there = tuple(found) or (within or () if kind_is_given else ())
        return there if within is None else tuple(n for n in within if n in there)
    names = tuple(dict.fromkeys(_by_index(word.strip(), found) for word in requested.split(",")))
    for name in names:
        numbered = not found and name.isdigit()
        if name not in found and not numbered and not (kind_is_given and is_unique_name(name)):
            mig = name.lower().startswith("mig-")
            raise AutotunerError(
                f"--devices: {name!r} is no GPU of this machine",
                remedy="say with --gpu what the instance is"
                if mig
                else f"say cpu, all, or some of: {', '.join(found) or 'none is found'}",
            )
    outside = [name for name in names if within is not None and name not in within]
    if outside:
        raise AutotunerError(
            f"--devices {requested}: {VISIBLE[0]} does not let this process use {outside[0]}",
            remedy=f"name some of {', '.join(within or ()) or 'none'}, or widen {VISIBLE[0]}",
        )
    return names


def _by_index(name: str, found: Mapping[str, FoundGpu]) -> str:
    """A GPU's index for its UUID, or for a beginning of it that no other has; else the name."""
    if name in found or not is_unique_name(name):
        return name
    begun = [g.index for g in found.values() if g.uuid.lower().startswith(name.lower())]
    return begun[0] if len(begun) == 1 else name


def _is_a(found: FoundGpu, gpu: Gpu) -> bool:
    try:
        return catalog_entry(found).name == gpu.name
    except AutotunerError:
        return False


def catalog_entry(found: FoundGpu) -> Gpu:
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
