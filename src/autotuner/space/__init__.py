"""From axes to candidates that can work.

In: a `Task` and what is known of model, engine and device. Out: a `Space`, every exclusion counted
with its reason. Knows nothing of measuring.
"""

from autotuner.space.rules import RULES, Setting, kv_cache_gib, tokens_per_slot
from autotuner.space.space import Region, Space, build_space

__all__ = ["RULES", "Region", "Setting", "Space", "build_space", "kv_cache_gib", "tokens_per_slot"]
