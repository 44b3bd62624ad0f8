"""The device that measurements belong to: this machine, with the CPUs that this process may use.

A container's limit is a quota of CPU time per period of its control group and of every group above
it (https://docs.kernel.org/admin-guide/cgroup-v2.html, "cpu.max"; in version 1 `cpu.cfs_quota_us`
and `cpu.cfs_period_us`). Programs that count the machine's cores know nothing of it.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_ROOT = Path("/")
_MOUNT = "sys/fs/cgroup"
_V1_MOUNTS = ("cpu", "cpu,cpuacct", "cpuacct,cpu")


@dataclass(frozen=True)
class UsableCpus:
    """How many, and what limits them."""

    count: int
    why: str


def usable_cpus(root: Path = _ROOT, affinity: int | None = None) -> UsableCpus:
    """The fewer of those that affinity allows and of those that the quota pays for, at least 1.

    Args:
        root: of the file system in which control groups are looked up.
        affinity: CPUs that the process may run on; asked of the system where left out.
    """
    cores = os.cpu_count() or 1
    allowed = _affinity() if affinity is None else affinity
    quota = cpu_quota(root)
    if quota is not None and quota < allowed:
        count = max(math.floor(quota), 1)
        return UsableCpus(count, f"the container's CPU quota is {quota:g} of {cores} CPUs")
    if allowed < cores:
        return UsableCpus(allowed, f"the process may run on {allowed} of {cores} CPUs")
    return UsableCpus(allowed, f"the process may use all {allowed} CPUs")


def cpu_quota(root: Path = _ROOT) -> float | None:
    """CPUs' worth of time that the control groups of this process leave it; None without limit."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        # No Linux, or no /proc: nothing is limited in this way.
        return None
    found = [quota for line in lines for quota in _quotas(root, line) if quota is not None]
    return min(found, default=None)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path, line: str) -> Iterator[float | None]:
    """Limits of a group and of all above it; a line is `0::PATH` or `4:cpu,cpuacct:PATH`."""
    hierarchy, _, rest = line.partition(":")
    controllers, _, group = rest.partition(":")
    if hierarchy == "0" and not controllers:
        for folder in _upwards(root / _MOUNT, group):
            yield _v2(folder / "cpu.max")
    elif "cpu" in controllers.split(","):
        for mount in dict.fromkeys((controllers, *_V1_MOUNTS)):
            for folder in _upwards(root / _MOUNT / mount, group):
                yield _v1(folder)


def _upwards(mount: Path, group: str) -> Iterator[Path]:
    """The group's folder and those above it, up to the mount.

    Within a container the mount is the group's own folder, whatever its path outside.
    """
    inner = PurePosixPath(group.strip().lstrip("/"))
    for part in (inner, *inner.parents):
        if ".." not in part.parts:
            yield mount / part


def _v2(file: Path) -> float | None:
    words = _words(file)
    if len(words) != 2:
        return None
    return _share(words[0], words[1])


def _v1(folder: Path) -> float | None:
    quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
    if not quota or not period:
        return None
    return _share(quota[0], period[0])


def _share(quota: str, period: str) -> float | None:
    """`max` and -1 are no limit."""
    if not quota.isdigit() or not period.isdigit() or int(period) == 0 or int(quota) == 0:
        return None
    return int(quota) / int(period)


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        # The controller is not there at this level.
        return []


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
