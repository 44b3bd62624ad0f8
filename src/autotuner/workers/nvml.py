"""Readings of the GPUs of this machine by the NVIDIA driver's library (NVML)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def read_gpus(read: Callable[[Any, int, Any], T]) -> tuple[T | None, ...] | None:
    """One reading of each GPU, None of one that fails; None where no driver answers.

    Args:
        read: called with the library, a GPU's index, and its handle.
    """
    import pynvml  # here: it is large, and most machines of a service have no GPU

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None

    def reading(index: int) -> T | None:
        try:
            return read(pynvml, index, pynvml.nvmlDeviceGetHandleByIndex(index))
        except pynvml.NVMLError:
            return None

    try:
        return tuple(reading(index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def read_working_gpus(read: Callable[[Any, int, Any], T]) -> tuple[T, ...]:
    """One reading of each GPU that can be read; a broken one hides no other."""
    return tuple(one for one in read_gpus(read) or () if one is not None)
