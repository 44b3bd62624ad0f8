"""Results of load generators of others: one file a tool, each a table of its keys.

In: a JSON object as the tool writes it, or a row of its CSV. Out: operating points in our units.
"""

from autotuner.verify.tools import (
    aiperf,
    aisimulate,
    guidellm,
    inference_perf,
    inferencex,
    llama_bench,
    llm_optimizer,
    sglang,
    vllm,
)
from autotuner.verify.tools.tool import Tool

TOOLS: tuple[Tool, ...] = (
    guidellm.TOOL,
    aisimulate.TOOL,
    aiperf.TOOL,
    aiperf.RECORDS,
    inferencex.TOOL,
    llm_optimizer.TOOL,
    sglang.TOOL,
    vllm.TOOL,
    llama_bench.TOOL,
    llama_bench.BATCHED,
    inference_perf.TOOL,
)
"""The first whose marks an object has is the tool that wrote it."""

__all__ = ["TOOLS", "Tool"]
