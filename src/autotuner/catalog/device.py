"""What this machine is: the device that measurements belong to."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from autotuner.catalog.cpus import usable_cpus


@dataclass(frozen=True)
class Device:
    """A CPU as the engine sees it. `memory_gib` is None where the platform does not tell.

    Attributes:
        cores: CPUs that this process may use. why: what limits them.
    """

    name: str
    cores: int
    memory_gib: float | None
    why: str = ""

    def __str__(self) -> str:
        memory = "" if self.memory_gib is None else f", {self.memory_gib:.0f} GiB"
        return f"cpu: {self.name}, {self.cores} cores{memory}"


def this_device() -> Device:
    """The CPU of this machine, with the cores that this process may use."""
    cpus = usable_cpus()
    return Device(_cpu_name(), cpus.count, _memory_gib(), cpus.why)


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return None
