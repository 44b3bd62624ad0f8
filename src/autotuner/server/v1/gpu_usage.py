"""How the GPUs of this machine are used, as the driver reports it."""

from __future__ import annotations

from typing import Any

from autotuner.workers.nvml import read_working_gpus

NO_GPU = "nvidia-smi not found"
_MIB = 2**20


def gpu_usage() -> list[dict[str, Any]]:
    """Memory, use and temperature of each NVIDIA GPU; none where no driver answers."""
    return list(read_working_gpus(_usage))


def _usage(nvml: Any, index: int, gpu: Any) -> dict[str, Any]:
    memory = nvml.nvmlDeviceGetMemoryInfo(gpu)
    return {
        "index": index,
        "name": nvml.nvmlDeviceGetName(gpu),
        "memory_total_mb": memory.total / _MIB,
        "memory_used_mb": memory.used / _MIB,
        "memory_free_mb": memory.free / _MIB,
        "memory_usage_percent": 100 * memory.used / memory.total,
        "utilization_percent": nvml.nvmlDeviceGetUtilizationRates(gpu).gpu,
        "temperature_c": nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU),
    }
