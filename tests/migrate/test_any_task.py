"""Any v1 task, drawn: nothing of it is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.config import parse_task
from autotuner.migrate import Done, translate_task

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FLAGS = st.sampled_from(
    [
        "tp-size",
        "tp_size",
        "tp",
        "dp-size",
        "ep-size",
        "mem_frac",
        "mem-fraction-static",
        "schedule-policy",
        "quantization",
        "kv-cache-dtype",
        "enable-torch-compile",
        "disable-radix-cache",
        "max-num-seqs",
        "speculative-num-steps",
        "enable-expert-parallel",
        "no-enable-expert-parallel",
        "block-size",
        "swap-space",
        "port",
        "c",
        "7",
        "--",
        "a.b",
    ]
) | st.text(max_size=8)
VALUES = st.lists(
    st.sampled_from([1, 2, "4", 0.5, "0.9", True, "false", None, "auto", "fp8", -1, 1e400]) | JSON,
    max_size=3,
)
PARAMETERS = st.dictionaries(
    FLAGS, VALUES | st.builds(lambda v: {"type": "choice", "values": v}, VALUES) | JSON, max_size=4
)
QUANT = st.dictionaries(
    st.sampled_from(["presets", "preset", "gemm_dtype", "kvcache_dtype", "moe_dtype", "other"]),
    st.sampled_from(["auto", "fp8", "float16", "bfloat16", "w4afp8", "default"])
    | st.lists(st.sampled_from(["default", "dynamic-fp8", "bf16-stable", "odd"]), max_size=3)
    | JSON,
    max_size=3,
)
PARALLEL = st.dictionaries(
    st.sampled_from(
        [
            "tp",
            "pp",
            "dp",
            "cp",
            "dcp",
            "moe_tp",
            "moe_ep",
            "enable_expert_parallel",
            "moe_dense_tp",
            "preset",
            "odd",
        ]
    ),
    st.integers(0, 4) | st.lists(st.integers(1, 4), max_size=2) | st.booleans() | JSON,
    max_size=4,
)
SECTIONS = {
    "parameters": PARAMETERS,
    "quant_config": QUANT,
    "parallel_config": PARALLEL,
    "optimization": st.dictionaries(
        st.sampled_from(
            ["strategy", "objective", "max_iterations", "timeout_per_iteration", "odd"]
        ),
        JSON,
    ),
    "benchmark": st.dictionaries(
        st.sampled_from(
            [
                "task",
                "model_name",
                "traffic_scenarios",
                "num_concurrency",
                "max_time_per_iteration",
                "max_requests_per_iteration",
                "additional_params",
                "odd",
            ]
        ),
        JSON,
    ),
    "slo": st.dictionaries(st.sampled_from(["latency", "ttft", "tpot", "steepness", "odd"]), JSON),
    "memory_config": st.dictionaries(
        st.sampled_from(["mem_frac", "mem_fraction_static", "page_size", "x"]), JSON
    ),
    "slo_config": st.dictionaries(st.sampled_from(["ttft_ms", "x"]), JSON),
}
KEYS = [*SECTIONS, "description", "runtime_image_tag", "storage", "metadata", "odd"]


@st.composite
def v1_tasks(draw: st.DrawFn) -> dict[str, Any]:
    runtime = draw(st.sampled_from(["sglang", "vllm", "tensorrt-llm", "llamacpp", "vllm-ome"]))
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=6, unique=True))
    model = {"id_or_path": draw(st.sampled_from(["Qwen/Qwen2.5-7B-Instruct", "a/b", "/m.gguf"]))}
    return {
        "task_name": draw(st.text(min_size=1, max_size=210)),
        "model": model | draw(st.dictionaries(st.text(max_size=4), JSON, max_size=1)),
        "base_runtime": runtime,
        **{key: draw(SECTIONS.get(key, JSON) | JSON) for key in keys},
    }


@pytest.mark.slow
@given(v1_tasks())
@settings(max_examples=300)
def test_no_key_of_a_task_is_lost(v1: dict[str, Any]) -> None:
    if not isinstance(v1["model"].get("id_or_path"), str) or not v1["model"]["id_or_path"]:
        return
    translation = translate_task(v1)
    parse_task(translation.task)
    json.dumps(translation.task, allow_nan=False)
    noted = {note.path for note in translation.notes}
    kept = translation.task.get("metadata", {}).get("v1", {})
    for path in _keys(v1):
        shown = [".".join(path[:n]) for n in range(1, len(path) + 1)]
        below = any(known.startswith(f"{shown[-1]}.") for known in noted)
        assert below or noted & set(shown), path
    for message in translation.noted(Done.KEPT, Done.LOST, Done.OVERRULED):
        assert message.path in {".".join(path) for path in _keys(kept)}, message


def _keys(document: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of nested mappings."""
    for key, value in document.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _keys(value, (*above, key))
