"""Random settings that an engine can express, and what its parser has to make of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from autotuner.catalog import ResolvedModel, known_model
from autotuner.config import Candidate
from autotuner.engines import LaunchSpec, engine_named
from autotuner.errors import EngineError
from autotuner.testing.engine_contract import FIELDS

RANGES: dict[str, st.SearchStrategy[Any]] = {
    "parallel.tensor_parallel": st.sampled_from([1, 2, 4, 8]),
    "parallel.pipeline_parallel": st.sampled_from([1, 2]),
    "parallel.data_parallel": st.sampled_from([1, 2, 4]),
    "parallel.expert_parallel": st.sampled_from([1, 2, 4, 8]),
    "parallel.moe_expert_parallel": st.sampled_from([1, 2, 4, 8]),
    "quantization.gemm_mode": st.sampled_from(["bfloat16", "fp8", "fp8_block", "int8_wo", "nvfp4"]),
    "quantization.moe_mode": st.sampled_from(["bfloat16", "fp8", "fp8_block", "nvfp4"]),
    "quantization.kvcache_mode": st.sampled_from(["bfloat16", "float16", "fp8", "int8", "int4"]),
    "quantization.fmha_mode": st.sampled_from(["bfloat16", "fp8"]),
    "quantization.comm_mode": st.sampled_from(["half", "int8"]),
    "memory.mem_fraction_static": st.floats(0.1, 0.98).map(lambda share: round(share, 3)),
    "memory.max_total_tokens": st.integers(1024, 1 << 20),
    "memory.page_size": st.sampled_from([1, 16, 32, 64, 128]),
    "memory.cpu_offload_gb": st.integers(0, 64).map(float),
    "memory.max_model_len": st.integers(256, 1 << 20),
    "memory.swap_space": st.integers(0, 64).map(float),
    "scheduling.policy": st.sampled_from(["fcfs", "priority", "lpm", "lof"]),
    "scheduling.conservativeness": st.floats(0.1, 2).map(lambda x: round(x, 2)),
    "scheduling.max_running_requests": st.integers(1, 4096),
    "scheduling.max_num_batched_tokens": st.integers(256, 1 << 17),
    "scheduling.receive_interval": st.sampled_from([1, 10, 30]),
    "attention.backend": st.sampled_from(["flashinfer", "triton", "fa3", "flash_attn"]),
    "attention.prefill_backend": st.sampled_from(["flashinfer", "fa3"]),
    "attention.decode_backend": st.sampled_from(["flashinfer", "triton"]),
    "attention.chunked_prefill_size": st.integers(128, 1 << 16),
    "attention.enable_chunked_prefill": st.booleans(),
    "attention.enable_prefix_caching": st.booleans(),
    "misc.dtype": st.sampled_from(["auto", "bfloat16", "float16", "float32"]),
    "misc.context_length": st.integers(1024, 1 << 20),
    "misc.rope_scaling": st.sampled_from(["yarn", "linear"]),
    "misc.rope_factor": st.floats(1, 8),
    "misc.rope_original_context": st.integers(1024, 1 << 17),
    "misc.load_format": st.sampled_from(["auto", "safetensors", "dummy"]),
    "misc.threads": st.integers(1, 128),
    "misc.cuda_graph": st.booleans(),
    "misc.torch_compile": st.booleans(),
    "misc.trust_remote_code": st.booleans(),
    "misc.speculative_algorithm": st.sampled_from(["eagle", "eagle3", "ngram"]),
    "misc.speculative_num_draft_tokens": st.integers(1, 8),
    "runtime.nextn": st.integers(0, 3),
}
assert set(RANGES) <= set(FIELDS)
SETTINGS = st.fixed_dictionaries({}, optional=RANGES)
MODELS = ("meta-llama/Llama-3.1-8B", "Qwen/Qwen3-30B-A3B", "deepseek-ai/DeepSeek-V3")


def model(name: str) -> ResolvedModel:
    """A model of the catalog."""
    found = known_model(name)
    assert found is not None
    return ResolvedModel(name, name, found.facts)


def expressible(
    engine: str, settings: dict[str, Any], name: str
) -> tuple[dict[str, Any], LaunchSpec]:
    """The settings without those that the engine refuses, and their launch."""
    tabled, kept = engine_named(engine), dict(settings)
    while True:
        try:
            candidate = Candidate.from_settings(kept)
            return kept, tabled.render(candidate, model(name), tabled.assume(None))
        except EngineError as error:
            del kept[error.message.partition(":")[0]]


def arguments(spec: LaunchSpec) -> list[str]:
    """What the engine's parser sees: all words from the first flag on."""
    words = spec.argv_for(8000)
    return list(words[next(i for i, word in enumerate(words) if word.startswith("--")) :])


def reported(spec: LaunchSpec) -> dict[str, Any]:
    """Flag -> its value as text, True for a switch; JSON values as documents."""
    found: dict[str, Any] = {}
    words = arguments(spec)
    for index, word in enumerate(words):
        if word.startswith("--"):
            rest = words[index + 1 : index + 2]
            value: Any = rest[0] if rest and not rest[0].startswith("--") else True
            found[word] = json.loads(value) if str(value).startswith("{") else value
    return found
