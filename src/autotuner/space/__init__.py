"""From axes to candidates that can work.

In: a `TaskConfig` and what is known of model, engine and device. Out: a `Space`, every exclusion
counted with its reason. Knows nothing of measuring.
"""

from autotuner.catalog import DeviceMemory
from autotuner.space.context import FeasibilityRule, SpaceContext
from autotuner.space.memory import Remedy, Shortfall, candidate_memory, remedies, shortfall
from autotuner.space.rules import RULES, kv_cache_gib, rules_of, tokens_per_slot
from autotuner.space.space import MAX_COMBINATIONS, NoCandidateError, Region, Space, build_space

__all__ = [
    "MAX_COMBINATIONS",
    "RULES",
    "DeviceMemory",
    "FeasibilityRule",
    "NoCandidateError",
    "Region",
    "Remedy",
    "Shortfall",
    "Space",
    "SpaceContext",
    "build_space",
    "candidate_memory",
    "kv_cache_gib",
    "remedies",
    "rules_of",
    "shortfall",
    "tokens_per_slot",
]
