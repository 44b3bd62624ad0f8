"""Readings of the GPUs of this machine by the NVIDIA driver's library (NVML)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def read_gpus(read: Callable[[Any, int, Any], T]) -> tuple[T, ...] | None:
    """One reading of each GPU; None where no driver answers, or it does not describe every GPU.

    Args:
        read: called with the library, a GPU's index, and its handle.
    """
    import pynvml  # here: it is large, and most machines of a service have no GPU

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        return tuple(
            read(pynvml, index, pynvml.nvmlDeviceGetHandleByIndex(index))
            for index in range(pynvml.nvmlDeviceGetCount())
        )
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()
