"""Counters of energy on this machine: NVML's of GPUs, RAPL's of CPU packages.

NVML counts a whole GPU, in millijoules since its driver was loaded. Linux shows RAPL's counters in
`/sys/class/powercap`, in microjoules, of a whole package with all that runs on it; see the kernel's
documentation of the power capping framework.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from autotuner.measure.energy import EnergyCounters, NotCounted

_POWERCAP = Path("/sys/class/powercap")
_MIG = "mig-"


@dataclass(frozen=True)
class Occupied:
    """Devices of a launch, for whoever reads their counters.

    Attributes:
        gpus: their number; 0 on a CPU.
        names: numbers or unique names of the GPUs; empty where they are not known.
        is_here: whether all of it runs on this machine.
        is_alone: whether the task runs no other engine beside it.
    """

    gpus: int
    names: tuple[str, ...] = ()
    is_here: bool = True
    is_alone: bool = True


def energy_counters(occupied: Occupied) -> EnergyCounters:
    """The counters of what a launch occupies: exactly its GPUs, or all CPU packages.

    Raises:
        NotCounted: there are none, or they cannot be read; says why.
    """
    if not occupied.is_here:
        raise NotCounted("the engine runs on another machine, or on several")
    if occupied.gpus:
        return nvml_counters(occupied.names)
    if not occupied.is_alone:
        raise NotCounted("other engines of the task may run on the same CPUs meanwhile")
    return rapl_counters()


def rapl_counters(powercap: Path = _POWERCAP) -> EnergyCounters:
    """The counters of all CPU packages.

    Raises:
        NotCounted: the kernel shows none, or to root only.
    """
    packages = {
        name: zone
        for zone in sorted(powercap.glob("intel-rapl:*"), key=lambda path: path.name)
        # `intel-rapl:0:1` is a part of a package, and `psys` the whole machine.
        if zone.name.count(":") == 1 and (name := _text(zone / "name")).startswith("package")
    }
    if not packages:
        raise NotCounted("this machine shows no energy counter of its CPUs (RAPL)")
    files = [zone / "energy_uj" for zone in packages.values()]

    def read_j() -> tuple[float, ...]:
        return tuple(_microjoules(file) / 1e6 for file in files)

    read_j()
    counted = ", ".join(f"CPU {name.replace('-', ' ')}" for name in packages)
    ranges = tuple(_range_j(zone) for zone in packages.values())
    return EnergyCounters("rapl", f"{counted}; all that runs there", read_j, ranges)


def nvml_counters(names: Sequence[str], library: ModuleType | None = None) -> EnergyCounters:
    """The counters of these GPUs.

    Args:
        library: `pynvml`; imported where left out.

    Raises:
        NotCounted: no driver answers, or it counts no energy of one of them.
    """
    if not names:
        raise NotCounted("it is not known which GPUs the engine occupies")
    if any(name.lower().startswith(_MIG) for name in names):
        raise NotCounted("a MIG instance has no energy counter of its own")
    if library is None:
        import pynvml  # here: it is large, and most launches need none

        library = pynvml
    nvml: Any = library
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        raise NotCounted("no NVIDIA driver answers") from None

    def close() -> None:
        with suppress(nvml.NVMLError):
            nvml.nvmlShutdown()

    try:
        gpus = [(name, _gpu(nvml, name)) for name in names]

        def read_j() -> tuple[float, ...]:
            return tuple(_joules(nvml, name, gpu) for name, gpu in gpus)

        read_j()
    except NotCounted:
        close()
        raise
    counted = ", ".join(f"GPU {name}" for name in names)
    return EnergyCounters("nvml", counted, read_j, (None,) * len(gpus), close)


def _gpu(nvml: Any, name: str) -> Any:
    of: Callable[[Any], Any] = nvml.nvmlDeviceGetHandleByUUID
    try:
        gpu = nvml.nvmlDeviceGetHandleByIndex(int(name)) if name.isdigit() else of(name)
    except nvml.NVMLError:
        raise NotCounted(f"the NVIDIA driver does not know GPU {name}") from None
    with suppress(nvml.NVMLError):
        if nvml.nvmlDeviceGetMigMode(gpu)[0]:
            raise NotCounted(f"GPU {name} is shared out in MIG instances, and counts them together")
    return gpu


def _joules(nvml: Any, name: str, gpu: Any) -> float:
    try:
        return float(nvml.nvmlDeviceGetTotalEnergyConsumption(gpu)) / 1000
    except nvml.NVMLError:
        raise NotCounted(f"GPU {name} counts no energy") from None


def _microjoules(file: Path) -> int:
    try:
        return int(file.read_text())
    except PermissionError:
        raise NotCounted(
            f"{file} is for root only; allow the user of the tuner to read it, and it is measured"
        ) from None
    except (OSError, ValueError):
        raise NotCounted(f"{file} cannot be read") from None


def _range_j(zone: Path) -> float | None:
    try:
        return _microjoules(zone / "max_energy_range_uj") / 1e6
    except NotCounted:
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, ValueError):
        return ""
