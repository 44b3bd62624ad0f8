"""Rules of thumb for the ends of a frontier: which settings make an engine fast in what way.

A rule is a row of weights: how much a large value of a field is wished (a negative weight: a small
one). Each field counts by the place of its value between the least and the greatest in the space,
so the rules need no numbers of any model or device, and fields that are not searched do not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autotuner.search.axes import Axis, Settings
from autotuner.search.progressive.failures import FailureModel
from autotuner.search.strategy import SearchState


@dataclass(frozen=True)
class Extreme:
    """One end of the frontier.

    Attributes:
        wishes: `group.field` -> weight; above 0 a large value is wished, below 0 a small one. Of
            number formats the one with more bytes is the larger, of switches the one that is on.
    """

    name: str
    rule: str
    wishes: Mapping[str, float]


EXTREMES = (
    Extreme(
        "lowest latency",
        "widest tensor parallelism, small batch, full precision",
        {
            "parallel.tensor_parallel": 8,
            "parallel.moe_tensor_parallel": 4,
            "misc.threads": 8,
            "scheduling.max_running_requests": -4,
            "quantization.gemm_mode": 2,
            "quantization.moe_mode": 2,
            "quantization.kvcache_mode": 1,
            "parallel.pipeline_parallel": -2,
            "misc.cuda_graph": 1,
        },
    ),
    Extreme(
        "highest throughput",
        "narrowest tensor parallelism that fits, largest batch, narrow number formats (fp8)",
        {
            "parallel.tensor_parallel": -8,
            "parallel.pipeline_parallel": -4,
            "scheduling.max_running_requests": 6,
            "scheduling.max_num_batched_tokens": 2,
            "quantization.gemm_mode": -4,
            "quantization.moe_mode": -4,
            "quantization.kvcache_mode": -2,
            "memory.mem_fraction_static": 2,
            "memory.max_total_tokens": 2,
            "attention.enable_chunked_prefill": 1,
            "misc.threads": 1,
            "misc.cuda_graph": 1,
        },
    ),
    Extreme(
        "lowest TTFT",
        "widest tensor parallelism, no chunked prefill",
        {
            "parallel.tensor_parallel": 8,
            "parallel.moe_tensor_parallel": 4,
            "misc.threads": 8,
            "attention.enable_chunked_prefill": -6,
            "attention.chunked_prefill_size": 4,
            "scheduling.max_num_batched_tokens": 4,
            "scheduling.max_running_requests": 2,
            "parallel.pipeline_parallel": -2,
            "quantization.gemm_mode": -1,
            "quantization.moe_mode": -1,
        },
    ),
    Extreme(
        "lowest TPOT",
        "batch of 1, narrow number formats (fp8), little communication",
        {
            "scheduling.max_running_requests": -8,
            "quantization.gemm_mode": -6,
            "quantization.moe_mode": -6,
            "quantization.kvcache_mode": -3,
            "quantization.comm_mode": -2,
            "parallel.tensor_parallel": -1,
            "parallel.pipeline_parallel": -4,
            "parallel.expert_parallel": -2,
            "parallel.moe_expert_parallel": -2,
            "misc.cuda_graph": 1,
        },
    ),
)
"""In the order in which they are launched."""


def heuristic_seeds(state: SearchState, failures: FailureModel) -> list[tuple[Extreme, str]]:
    """Each extreme with the candidate that fulfils its wishes best, launched or not.

    Candidates that failed or are warned of are none; extremes that wish for nothing in which the
    candidates differ are left out.
    """
    found = []
    for extreme in EXTREMES:
        if not any(axis.path in extreme.wishes for axis in failures.axes):
            continue
        scores = {
            c: _score(failures.settings.get(c, {}), extreme, failures.axes)
            for c in state.candidates
        }
        ranked = sorted(state.candidates, key=scores.__getitem__, reverse=True)
        best = next((c for c in ranked if c in failures.ran or not failures.against(c)), None)
        if best is not None:
            found.append((extreme, best))
    return found


def _score(settings: Settings, extreme: Extreme, axes: Sequence[Axis]) -> float:
    return sum(
        extreme.wishes[axis.path] * axis.amount(settings.get(axis.path))
        for axis in axes
        if axis.path in extreme.wishes
    )
