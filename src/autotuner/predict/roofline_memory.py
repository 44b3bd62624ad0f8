"""What a replica has room for: whether it fits, and how many requests run at a time. Pure.

A request counts in the KV cache with its whole length, as if it were admitted only where its end
fits too (W. Kwon et al., "PagedAttention", SOSP 2023, share the pages; who is admitted early and
does not fit later is computed again, which gains little).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from autotuner.config import Candidate
from autotuner.engines import engine_named
from autotuner.predict.protocol import OutOfMemory
from autotuner.predict.scenario import Scenario
from autotuner.space import DeviceMemory, SpaceContext, candidate_memory, shortfall

SLOTS = "a free slot"
CACHE = "room in the KV cache"


@dataclass(frozen=True)
class Room:
    """Room of one replica.

    Attributes:
        requests: at a time; infinite where nothing bounds it.
        limit: what those wait for that do not fit.
        memory: of a device; None where unknown.
        cached_tokens: of one running request that a device keeps, on average over its life.
    """

    requests: float
    limit: str
    memory: DeviceMemory | None
    cached_tokens: float

    def memory_gib(self, running: float) -> float | None:
        """GiB per device with so many requests running."""
        return None if self.memory is None else self.memory.needed_gib(running * self.cached_tokens)


def room_of(scenario: Scenario, candidate: Candidate) -> Room:
    """The room of a candidate's replica: its slots, or what the KV cache holds."""
    setting = _setting(scenario)
    memory = candidate_memory(candidate, setting)
    # A pipeline has as many batches in flight as stages, and they share the cache of each.
    stages = 1 if scenario.gpu.is_cpu else scenario.width(candidate, "pipeline_parallel")
    tokens = []
    if candidate.memory.max_total_tokens is not None and not setting.slots_share_context:
        tokens.append(float(candidate.memory.max_total_tokens))
    if memory is not None and memory.kv_gib_per_token > 0:
        tokens.append((memory.usable_gib - memory.weights_gib) / memory.kv_gib_per_token)
    whole = scenario.isl + scenario.osl
    slots = scenario.value(candidate, "scheduling.max_running_requests")
    limits = {
        SLOTS: math.inf if slots is None else float(slots),
        CACHE: max(math.floor(min(tokens) / stages / whole), 1) if tokens else math.inf,
    }
    limit = min(limits, key=limits.__getitem__)
    return Room(limits[limit], limit, memory, stages * (scenario.isl + scenario.osl / 2))


def out_of_memory_of(scenario: Scenario, candidate: Candidate) -> OutOfMemory | None:
    """Why weights and one request do not fit; None where they do."""
    setting = _setting(scenario)
    short = shortfall(candidate, setting)
    if short is None:
        return None
    needed = short.memory.needed_gib(setting.largest_request_tokens)
    why = short.text(candidate, setting)
    return OutOfMemory(why, needed_gib=needed, available_gib=short.memory.usable_gib)


def _setting(scenario: Scenario) -> SpaceContext:
    engine = engine_named(scenario.engine)
    setting = SpaceContext.of(
        engine,
        scenario.engine_version or engine.table.version,
        scenario.facts,
        request_tokens=math.ceil(scenario.isl + scenario.osl),
        gpu=scenario.gpu,
        memory_gib=scenario.gpu.memory_gib,
    )
    # Whether the served length fits is for the space to judge: a scenario knows the workload only.
    use = replace(setting.use, holds_longest=False)
    return replace(setting, defaults=dict(scenario.defaults), use=use)
