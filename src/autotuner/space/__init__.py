"""From axes to candidates that can work.

In: a `Task` and what is known of model, engine and device. Out: a `Space`, every exclusion counted
with its reason. Knows nothing of measuring.
"""

from autotuner.space.rules import (
    RULES,
    DeviceMemory,
    Setting,
    device_memory,
    kv_cache_gib,
    memory_holds_model,
    tokens_per_slot,
)
from autotuner.space.space import MAX_COMBINATIONS, Region, Space, build_space

__all__ = [
    "MAX_COMBINATIONS",
    "RULES",
    "DeviceMemory",
    "Region",
    "Setting",
    "Space",
    "build_space",
    "device_memory",
    "kv_cache_gib",
    "memory_holds_model",
    "tokens_per_slot",
]
