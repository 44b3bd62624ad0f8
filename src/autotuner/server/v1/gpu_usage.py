"""How the GPUs of this machine are used, as the driver reports it."""

from __future__ import annotations

from typing import Any

NO_GPU = "nvidia-smi not found"
_MIB = 2**20


def gpu_usage() -> list[dict[str, Any]]:
    """Memory, use and temperature of each NVIDIA GPU; none where no driver answers."""
    import pynvml  # here: it is large, and most machines of a service have no GPU

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_usage(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def _usage(index: int) -> dict[str, Any]:
    import pynvml

    gpu = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(gpu)
    return {
        "index": index,
        "name": pynvml.nvmlDeviceGetName(gpu),
        "memory_total_mb": memory.total / _MIB,
        "memory_used_mb": memory.used / _MIB,
        "memory_free_mb": memory.free / _MIB,
        "memory_usage_percent": 100 * memory.used / memory.total,
        "utilization_percent": pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu,
        "temperature_c": pynvml.nvmlDeviceGetTemperature(gpu, pynvml.NVML_TEMPERATURE_GPU),
    }
