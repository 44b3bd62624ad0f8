"""How fast this machine's CPU is: memory bandwidth and FLOP/s, measured in 2 to 3 seconds and kept.

Bandwidth as STREAM's triad has it (J. D. McCalpin, "Memory Bandwidth and Machine Balance in Current
High Performance Computers", IEEE TCCA Newsletter, 1995): bytes named in the source over time, each
core on its own part of arrays that no cache holds. FLOP/s: float32 matrix products of numpy's BLAS
on each core, small enough that the BLAS starts no threads of its own.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from autotuner.catalog import Device, Gpu, this_device
from autotuner.errors import StoreError

FILE_NAME = "device.json"
SECONDS = 2.5
_ARRAY_MIB = 64
_MATRIX = 96
_STACK = 64
_FEWEST = 3


@dataclass(frozen=True)
class DeviceSpeed:
    """Measured speed of a CPU.

    Attributes:
        tflops: number format -> TFLOP/s of matrix products.
        threads: cores that this process may use.
        device: the CPU's name.
        measured_at: ISO 8601, UTC.
    """

    bandwidth_gb_s: float
    tflops: Mapping[str, float]
    threads: int
    device: str
    measured_at: str

    def is_of(self, device: Device) -> bool:
        """Whether it was measured on that CPU with as many cores."""
        return (self.device, self.threads) == (device.name, device.cores)

    def written(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(replace(self, tflops={})), "tflops": dict(self.tflops)}


def measure_device(seconds: float = SECONDS) -> DeviceSpeed:
    """Measures this machine: half of the time bandwidth, half FLOP/s, each in its fastest run."""
    device = this_device()
    return DeviceSpeed(
        bandwidth_gb_s=_bandwidth_gb_s(device.cores, seconds / 2),
        tflops=MappingProxyType({"float32": _float32_tflops(device.cores, seconds / 2)}),
        threads=device.cores,
        device=device.name,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def device_speed(
    home: Path, *, measure: bool = True, warn: Callable[[str], None] | None = None
) -> DeviceSpeed | None:
    """The speed that `home` keeps of this CPU; else measured and kept, or None without `measure`.

    Args:
        warn: called with the reason why something that is kept does not count.

    Raises:
        StoreError: the folder cannot be written.
    """
    path = home / FILE_NAME
    try:
        kept = _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        kept = None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        kept = None
        if warn is not None:
            warn(f"{path} is damaged and does not count: {error}")
    device = this_device()
    if kept is not None and kept.is_of(device):
        return kept
    if kept is not None and warn is not None:
        warn(f"{path} is of {kept.device}, {kept.threads} cores; this is {device}")
    return calibrate_device(home) if measure else None


def calibrate_device(home: Path, seconds: float = SECONDS) -> DeviceSpeed:
    """Measures this machine and keeps it in `home`.

    Raises:
        StoreError: the folder cannot be written.
    """
    path = home / FILE_NAME
    try:
        home.mkdir(parents=True, exist_ok=True)
        speed = measure_device(seconds)
        with tempfile.NamedTemporaryFile(
            "w", dir=home, prefix=".device-", delete=False, encoding="utf-8"
        ) as aside:
            json.dump(speed.written(), aside, indent=2)
        Path(aside.name).replace(path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}",
            remedy="choose another folder with --home or AUTOTUNER_HOME",
        ) from None
    return speed


def cpu_with_speed(gpu: Gpu, speed: DeviceSpeed) -> Gpu:
    """The catalog's `cpu` with what was measured."""
    return replace(
        gpu,
        bandwidth_gb_s=speed.bandwidth_gb_s,
        tflops=MappingProxyType(dict(speed.tflops)),
        cores=speed.threads,
    )


def _parsed(text: str) -> DeviceSpeed:
    found = json.loads(text)
    speed = DeviceSpeed(
        bandwidth_gb_s=float(found["bandwidth_gb_s"]),
        tflops=MappingProxyType({str(k): float(v) for k, v in found["tflops"].items()}),
        threads=int(found["threads"]),
        device=str(found["device"]),
        measured_at=str(found["measured_at"]),
    )
    figures = (speed.bandwidth_gb_s, speed.tflops["float32"], speed.threads)
    if not all(math.isfinite(figure) and figure > 0 for figure in figures):
        raise ValueError(f"expected positive numbers, got {figures}")
    return speed


def _bandwidth_gb_s(cores: int, seconds: float) -> float:
    import numpy as np

    length = (_ARRAY_MIB << 20) // 4 // cores
    parts = [[np.ones(length, np.float32) for _ in range(3)] for _ in range(cores)]

    def triad(part: list[Any]) -> None:
        target, first, second = part
        np.add(first, second, out=target)

    with ThreadPoolExecutor(cores) as pool:
        best_s = _best_s(lambda: list(pool.map(triad, parts)), seconds)
    return 3 * 4 * length * cores / best_s / 1e9


def _float32_tflops(cores: int, seconds: float) -> float:
    import numpy as np

    def on_one_core(_: int) -> float:
        shape = (_STACK, _MATRIX, _MATRIX)
        first, second, target = (np.ones(shape, np.float32) for _ in range(3))
        best_s = _best_s(lambda: np.matmul(first, second, out=target), seconds)
        return 2 * _STACK * _MATRIX**3 / best_s / 1e12

    with ThreadPoolExecutor(cores) as pool:
        return sum(pool.map(on_one_core, range(cores)))


def _best_s(run: Callable[[], Any], seconds: float) -> float:
    """Seconds of the fastest run, as STREAM counts: neighbours only ever slow a run down."""
    until = time.perf_counter() + seconds
    run()
    times: list[float] = []
    while len(times) < _FEWEST or time.perf_counter() < until:
        before = time.perf_counter()
        run()
        times.append(time.perf_counter() - before)
    return min(times)
