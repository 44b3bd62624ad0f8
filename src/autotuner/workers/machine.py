"""This machine as the service shows it: its GPUs by kind, and how busy it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from autotuner.catalog.gpus import Gpu
from autotuner.errors import AutotunerError
from autotuner.workers.devices import FoundGpu, catalog_entry
from autotuner.workers.nvml import read_working_gpus

_GIB = 2**30


@dataclass(frozen=True)
class GpuKind:
    """GPUs of this machine that are alike.

    Attributes:
        name: of the catalog, else the driver's own.
        entry: of the catalog; None where it has none, so that tasks need a description of it.
    """

    name: str
    count: int
    memory_gib: float
    entry: Gpu | None


def gpu_kinds(found: Sequence[FoundGpu]) -> tuple[GpuKind, ...]:
    """The GPUs that a driver describes, by kind, in their order."""
    kinds: dict[str, list[FoundGpu]] = {}
    entries: dict[str, Gpu | None] = {}
    for gpu in found:
        try:
            entry = catalog_entry(gpu)
        except AutotunerError:
            entry = None
        name = gpu.product if entry is None else entry.name
        kinds.setdefault(name, []).append(gpu)
        entries[name] = entry
    return tuple(
        GpuKind(name, len(alike), alike[0].memory_gib, entries[name])
        for name, alike in kinds.items()
    )


@dataclass(frozen=True)
class GpuUsage:
    """How busy a GPU is. What its driver does not tell (of a MIG instance) is None."""

    index: int
    name: str
    memory_gib: float
    memory_used_gib: float
    use_percent: float | None
    power_w: float | None
    temperature_c: float | None


@dataclass(frozen=True)
class MachineUsage:
    """How busy a machine is: its CPUs since the reading before, the rest at this moment."""

    cpu_percent: float | None
    memory_gib: float
    memory_used_gib: float
    gpus: tuple[GpuUsage, ...]


class MachineReader:
    """Reads how busy this machine is; its first reading knows nothing of the CPUs."""

    def __init__(self) -> None:
        # psutil's own percentages are those since the last call of the same thread.
        self._before: tuple[float, float] | None = None

    def __call__(self) -> MachineUsage:
        """Reads it now."""
        memory = psutil.virtual_memory()
        return MachineUsage(
            cpu_percent=self._cpu_percent(),
            memory_gib=memory.total / _GIB,
            memory_used_gib=(memory.total - memory.available) / _GIB,
            gpus=read_working_gpus(_usage),
        )

    def _cpu_percent(self) -> float | None:
        times = psutil.cpu_times()
        idle_s = times.idle + getattr(times, "iowait", 0.0)
        # Time of guests is counted in that of users too.
        guests_s = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        all_s = sum(times) - guests_s
        before, self._before = self._before, (idle_s, all_s)
        if before is None or all_s <= before[1]:
            return None
        busy = 1 - (idle_s - before[0]) / (all_s - before[1])
        return 100 * min(max(busy, 0.0), 1.0)


def _usage(nvml: Any, index: int, gpu: Any) -> GpuUsage:
    def optional(read: Any, *arguments: Any) -> Any:
        try:
            return read(gpu, *arguments)
        except nvml.NVMLError:
            return None

    memory = nvml.nvmlDeviceGetMemoryInfo(gpu)
    rates = optional(nvml.nvmlDeviceGetUtilizationRates)
    power_mw = optional(nvml.nvmlDeviceGetPowerUsage)
    return GpuUsage(
        index=index,
        name=nvml.nvmlDeviceGetName(gpu),
        memory_gib=memory.total / _GIB,
        memory_used_gib=memory.used / _GIB,
        use_percent=None if rates is None else float(rates.gpu),
        power_w=None if power_mw is None else power_mw / 1000,
        temperature_c=optional(nvml.nvmlDeviceGetTemperature, nvml.NVML_TEMPERATURE_GPU),
    )
