"""Cost of generating a space, over a bare product with one validation each.

A task of a million raw combinations: seconds for each feasible candidate of generation with all
rules, over seconds for each combination of `itertools.product` with one `Candidate` validated.
Should be 1 or less. And a profile chain resolved a second time should take a twentieth at the most.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

from autotuner.config import Candidate, parse_task
from autotuner.profiles import TaskConfigFactory, TaskContext
from autotuner.tuning.prepare import prepare

SAMPLE = 50_000
TASK = {
    "version": 2,
    "name": "million",
    "model": {"id": "qwen3-235b-a22b"},
    "runtime": {"isl": 4096, "osl": 512},
    "system": {"backend": "sglang", "gpu_type": "h200", "total_gpus": 8},
    "parallel": {"tp": [1, 2, 4, 8], "dp": [1, 2, 4, 8], "moe_ep": [1, 2, 4, 8]},
    "quantization": {"kvcache_mode": ["bfloat16", "fp8"]},
    "memory": {"mem_fraction_static": [0.75, 0.8, 0.85, 0.9, 0.92], "page_size": [1, 16, 32, 64]},
    "scheduling": {
        "max_running_requests": [16, 32, 64, 128, 256, 512],
        "conservativeness": [0.3, 0.5, 0.7, 0.8, 1.0],
        "policy": ["fcfs", "lpm", "lof"],
    },
    "attention": {"chunked_prefill_size": [2048, 4096, 8192, 16384, 32768]},
}


def bare_seconds() -> float:
    """Seconds for one combination of a bare product."""
    task = parse_task(TASK)
    axes, fixed = task.axes(), task.fixed()
    grid = itertools.islice(itertools.product(*axes.values()), SAMPLE)
    began = time.perf_counter()
    for chosen in grid:
        Candidate.from_settings(fixed | dict(zip(axes, chosen, strict=True)))
    return (time.perf_counter() - began) / SAMPLE


def generated_seconds() -> tuple[float, int, int]:
    """Seconds for one feasible candidate, their number, and the raw combinations."""
    task = parse_task(TASK)
    began = time.perf_counter()
    space = prepare(task, base=Path()).space
    seconds = time.perf_counter() - began
    return seconds / len(space.candidates), len(space.candidates), space.combinations


def cache_ratio() -> float:
    """Speedup of resolving a profile chain a second time."""
    factory = TaskConfigFactory().apply_base_defaults()
    for name in ("high_throughput", "fp8_quantized", "memory_optimized"):
        factory = factory.apply_profile(name)
    firsts: list[float] = []
    seconds: list[float] = []
    for total in range(1, 101):
        context = TaskContext("llama-3.1-70b", "vllm", "h100", total, isl=2048, osl=512)
        context.known, context.model_facts  # noqa: B018 - facts are not what is timed
        for times in (firsts, seconds):
            began = time.perf_counter()
            factory.build(context)
            times.append(time.perf_counter() - began)
    return sorted(firsts)[50] / sorted(seconds)[50]


def main() -> int:
    """Prints both ratios; 1 where one is worse than it should be."""
    before, (each, feasible, raw), after = bare_seconds(), generated_seconds(), bare_seconds()
    ratio = each / ((before + after) / 2)
    print(f"{feasible:,} feasible of {raw:,} combinations")
    print(f"generation of a feasible candidate / bare product and validation: {ratio:.2f} (1)")
    quicker = cache_ratio()
    print(f"profile chain, first time / second time: {quicker:.0f} (20)")
    return int(ratio > 1 or quicker < 20)


if __name__ == "__main__":
    sys.exit(main())
