"""The context that candidates are judged in, and the type of a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autotuner.catalog import Gpu, MemoryUse, ModelFacts
from autotuner.config import Candidate, whole_replicas
from autotuner.engines import Engine, Requirement, SplitRanks, nodes_for, one_node
from autotuner.space.positions import known_positions

ALL_MEMORY, PLAIN_SPLIT = MemoryUse(), SplitRanks()
Judge = Callable[[Candidate, "SpaceContext"], str | None]
WIDTHS = tuple(f"parallel.{name}_parallel" for name in ("tensor", "pipeline", "data"))
Works = Callable[[Candidate, "SpaceContext"], bool]
"""Whether a candidate breaks no rule."""


@dataclass(frozen=True)
class FeasibilityRule:
    """A judge, and the fields it reads: where these are equal, so is what it says.

    Attributes:
        plain: says the same without looking for what would help; None where the judge does not.
        name: the rule in words, as exclusions are summed up by it.
        of_engine: whether one engine asks for it, rather than arithmetic or the device.
    """

    judge: Judge
    reads: tuple[str, ...]
    plain: Judge | None = None
    name: str = ""
    of_engine: bool = False

    def breaks(self, candidate: Candidate, context: SpaceContext) -> bool:
        """Whether a candidate breaks it."""
        return (self.plain or self.judge)(candidate, context) is not None


@dataclass(frozen=True)
class SpaceContext:
    """The model, engine, device and workload that candidates are judged for.

    Attributes:
        largest_request_tokens: input + output of the longest request of the workload.
        defaults: the engine's values for fields that a candidate leaves out, as its flags say them.
        memory_gib: of one device; None where unknown.
        slots_share_context: the context is cut into equal slots, as llama.cpp does; elsewhere any
            request may use all of it.
        gpu: the device; None where the task does not say.
        gpus: how many a deployment may occupy; None where the task does not say.
        use: what the engine makes of a GPU's memory.
        longest_prompt_tokens: input of the longest request; None where unknown.
        engine: its name, for reasons.
        taken: values that the engine takes by itself for fields that nobody sets.
        requirements: what it checks when it starts.
        split: over which ranks it splits which matrices.
        online: weight modes to which it quantises 16-bit checkpoints while it loads them.
        cache_modes: formats of a KV cache that it can be asked for.
        gpus_per_node: of a cluster, where launches may be spread over several; None elsewhere.
    """

    largest_request_tokens: int
    defaults: dict[str, Any]
    facts: ModelFacts
    memory_gib: float | None
    slots_share_context: bool = True
    gpu: Gpu | None = None
    gpus: int | None = None
    use: MemoryUse = ALL_MEMORY
    longest_prompt_tokens: int | None = None
    engine: str = "the engine"
    taken: Mapping[str, Any] = field(default_factory=dict)
    requirements: tuple[Requirement, ...] = ()
    split: SplitRanks = PLAIN_SPLIT
    online: tuple[str, ...] = ()
    cache_modes: tuple[str, ...] = ()
    gpus_per_node: int | None = None

    @classmethod
    def of(
        cls,
        engine: Engine,
        version: str,
        facts: ModelFacts,
        *,
        request_tokens: int,
        prompt_tokens: int | None = None,
        gpu: Gpu | None = None,
        memory_gib: float | None = None,
        gpus: int | None = None,
        gpus_per_node: int | None = None,
    ) -> SpaceContext:
        """The context of a workload on a version of an engine and a device."""
        table, name = engine.table, None if gpu is None else gpu.name
        return cls(
            largest_request_tokens=request_tokens,
            defaults=table.defaults,
            facts=facts,
            memory_gib=memory_gib,
            slots_share_context=table.file.slots_share_context,
            gpu=gpu,
            gpus=gpus,
            use=table.memory_use(version, name, memory_gib),
            longest_prompt_tokens=prompt_tokens,
            engine=engine.name,
            taken=table.taken(name, memory_gib),
            requirements=(
                *(row for row in table.requirements if row.holds_for(version)),
                *one_node(table.file.nodes, version),
            ),
            gpus_per_node=gpus_per_node,
            split=table.split(version),
            online=table.modes("quantization.gemm_mode", version, facts),
            cache_modes=table.modes("quantization.kvcache_mode", version, facts),
        )


def nodes_of(candidate: Candidate, context: SpaceContext) -> int:
    """Nodes of a cluster that its launch is spread over; 1 on one machine."""
    return nodes_for(candidate, context.gpus_per_node)


def width(value: int | None) -> int:
    """A width, 1 where it is not set."""
    return value or 1


def ranks(candidate: Candidate) -> int:
    """TP x DP: all GPUs of a pipeline stage."""
    parallel = candidate.parallel
    return width(parallel.tensor_parallel) * width(parallel.data_parallel)


def expert_ranks(candidate: Candidate) -> int:
    """The ranks over which experts are spread: TP x DP, of whole replicas those of one."""
    own = whole_replicas(candidate.get)
    return width(candidate.parallel.tensor_parallel) if own else ranks(candidate)


def known_length(candidate: Candidate, context: SpaceContext) -> int | None:
    """Positions that the model knows: its own, or those that the task declares."""
    return known_positions(candidate, context.facts)
