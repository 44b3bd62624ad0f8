"""Whether something else than the engine set what was measured: the load generator, or others.

`ClientWatch` looks at the load generator's own event loop. For the machine, what Linux counts is
read before and after: CPU time of all processes, of ours (this one and all that it has started or
had started, engines in containers among them), stolen by the hypervisor, and time for which the
container's CPU quota held us back. See proc(5) and the kernel's cgroup documentation.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict

from autotuner.launch.cpu_time import cpu_s_of_ours

# A stall that is shorter than this is seen in part only.
_PERIOD_S = 0.01
_BUSY_CPU_SHARE = 0.85
_WORST_FLOOR_MS = 25.0
_WORST_SHARE = 0.25
_LAG_FLOOR_MS = 1.0
_LAG_SHARE = 0.02
# epoll waits in whole milliseconds, rounded up: half of one on average is no lag of ours.
_TIMER_GRAIN_MS = 0.5


class ClientWatch:
    """Measures the loop's CPU time and lag while its block runs, on the thread of that loop."""

    def __init__(self) -> None:
        self._lags_s: list[float] = []
        self._probe: asyncio.Task[None]
        self._wall_s = self._cpu_s = 0.0

    async def __aenter__(self) -> Self:
        self._probe = asyncio.create_task(self._watch())
        self._wall_s, self._cpu_s = -time.perf_counter(), -time.thread_time()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._wall_s += time.perf_counter()
        self._cpu_s += time.thread_time()
        self._probe.cancel()

    @property
    def cpu_share(self) -> float:
        """CPU seconds of the loop's thread per second."""
        return self._cpu_s / self._wall_s if self._wall_s > 0 else 0.0

    @property
    def lag_ms(self) -> float:
        """Mean delay of the event loop beyond its timer's grain."""
        if not self._lags_s:
            return 0.0
        return max(sum(self._lags_s) / len(self._lags_s) * 1000 - _TIMER_GRAIN_MS, 0.0)

    @property
    def worst_lag_ms(self) -> float:
        """Longest delay of the event loop beyond its timer's grain."""
        return max(max(self._lags_s, default=0.0) * 1000 - _TIMER_GRAIN_MS, 0.0)

    def is_bottleneck(self, ttft_ms: float | None) -> bool:
        """Whether the client was late enough to set the figures itself.

        A mean hides the stall that a few requests or a percentile show, so the worst lag is judged
        too: by its share of a TTFT.
        """
        bearable_ms = max(_LAG_FLOOR_MS, _LAG_SHARE * (ttft_ms or 0.0))
        worst_ms = max(_WORST_FLOOR_MS, _WORST_SHARE * (ttft_ms or 0.0))
        return (
            self.cpu_share > _BUSY_CPU_SHARE
            or self.lag_ms > bearable_ms
            or self.worst_lag_ms > worst_ms
        )

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + _PERIOD_S
            await asyncio.sleep(_PERIOD_S)
            self._lags_s.append(loop.time() - due_s)


_FULL_SHARE, _OTHERS_SHARE, _LOST_SHARE = 0.9, 0.1, 0.05
"""Busy: others take more than a tenth of CPUs of which less than a tenth is idle, or a twentieth of
the time is stolen or held back."""
_SHORTEST_S = 0.1
"""The kernel counts in hundredths of a second."""
_CGROUP = Path("/sys/fs/cgroup")


class MachineLoad(BaseModel):
    """Load of the CPUs that this process may use, over a level; shares of their time.

    Attributes:
        others: processes that are not ours.
        idle: nobody.
        stolen: taken by the hypervisor for other virtual machines.
        held_back: share of the time in which the container's CPU quota kept us waiting.
        busy: whether that is likely to have changed what was measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    others: float
    idle: float
    stolen: float
    held_back: float
    busy: bool

    def describe(self) -> str:
        """Why the machine counts as busy: `other processes used 62 % of the CPUs`."""
        parts = (
            (self.others, _OTHERS_SHARE, "other processes used {} of the CPUs"),
            (self.stolen, _LOST_SHARE, "the hypervisor took {} of them"),
            (self.held_back, _LOST_SHARE, "the CPU quota kept us waiting {}"),
        )
        return ", ".join(
            text.format(f"{100 * share:.0f} %") for share, most, text in parts if share > most
        )


@dataclass(frozen=True)
class Counters:
    """Counters of CPU time since the machine was started, in seconds."""

    at_s: float
    cpus: int
    busy_s: float
    idle_s: float
    stolen_s: float
    ours_s: float
    held_back_s: float


def machine_load(before: Counters | None, after: Counters | None) -> MachineLoad | None:
    """The load between two readings; None where the system does not count, or too little time."""
    if before is None or after is None or after.at_s - before.at_s < _SHORTEST_S:
        return None
    counted_s = max(
        (after.busy_s + after.idle_s + after.stolen_s)
        - (before.busy_s + before.idle_s + before.stolen_s),
        1e-9,
    )
    ours_s = max(after.ours_s - before.ours_s, 0.0)
    others = min(max((after.busy_s - before.busy_s - ours_s) / counted_s, 0.0), 1.0)
    idle = min(max((after.idle_s - before.idle_s) / counted_s, 0.0), 1.0)
    stolen = min(max((after.stolen_s - before.stolen_s) / counted_s, 0.0), 1.0)
    waited_s = max(after.held_back_s - before.held_back_s, 0.0)
    held_back = min(waited_s / (after.at_s - before.at_s), 1.0)
    crowded = others > _OTHERS_SHARE and idle < 1 - _FULL_SHARE
    return MachineLoad(
        others=others,
        idle=idle,
        stolen=stolen,
        held_back=held_back,
        busy=crowded or stolen > _LOST_SHARE or held_back > _LOST_SHARE,
    )


def read_counters(cgroup: Path = _CGROUP) -> Counters | None:
    """The counters now; None where this is no Linux or they cannot be read."""
    import psutil  # here: whoever reads results reads no counters

    try:
        # Not as psutil gives them, which does not say of which CPU each is.
        lines = (Path(psutil.PROCFS_PATH) / "stat").read_text().splitlines()
        rows = [line.split() for line in lines]
        hertz = os.sysconf("SC_CLK_TCK")
        mine = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        cpus = [[int(text) / hertz for text in row[1:9]] for row in rows if row and row[0] in mine]
        if not cpus or not any(map(sum, cpus)):
            return None
        ours_s = cpu_s_of_ours()
    except (OSError, ValueError, AttributeError, psutil.AccessDenied):
        return None
    # user, nice, system, idle, iowait, irq, softirq, steal
    return Counters(
        at_s=time.monotonic(),
        cpus=len(cpus),
        busy_s=sum(c[0] + c[1] + c[2] + c[5] + c[6] for c in cpus),
        idle_s=sum(c[3] + c[4] for c in cpus),
        stolen_s=sum(c[7] for c in cpus),
        ours_s=ours_s,
        held_back_s=_held_back_s(cgroup),
    )


def _held_back_s(cgroup: Path) -> float:
    """Seconds for which the CPU quota of our control group kept its threads waiting."""
    for path, unit in ((cgroup / "cpu.stat", 1e6), (cgroup / "cpu" / "cpu.stat", 1e9)):
        try:
            lines = dict(line.split() for line in path.read_text().splitlines())
            return int(lines["throttled_usec" if unit == 1e6 else "throttled_time"]) / unit
        except (OSError, ValueError, KeyError):
            continue
    return 0.0
