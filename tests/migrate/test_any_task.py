"""Any v1 task, drawn: nothing of it is lost."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.config import parse_task
from autotuner.migrate import Done, Note, Translation, translate_task
from autotuner.migrate.accounted import unaccounted
from autotuner.migrate.values import listed, stored_text

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
        "enable-dp-attention",
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
MODELS = ["Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen3-235B-A22B", "a/b", "/m.gguf"]
KEYS = [*SECTIONS, "description", "runtime_image_tag", "storage", "metadata", "odd"]


@st.composite
def v1_tasks(draw: st.DrawFn) -> dict[str, Any]:
    runtime = draw(st.sampled_from(["sglang", "vllm", "tensorrt-llm", "llamacpp", "vllm-ome"]))
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=6, unique=True))
    model = {"id_or_path": draw(st.sampled_from(MODELS))}
    return {
        "task_name": draw(st.text(min_size=1, max_size=210)),
        "model": model | draw(st.dictionaries(st.text(max_size=4), JSON, max_size=1)),
        "base_runtime": runtime,
        **{key: draw(SECTIONS.get(key, JSON) | JSON) for key in keys},
    }


@pytest.mark.slow
@given(v1_tasks())
@settings(max_examples=300)
def test_every_value_of_a_task_is_found_again(v1: dict[str, Any]) -> None:
    translation = translate_task(v1)
    parse_task(translation.task)
    json.dumps(translation.task, allow_nan=False)
    assert list(unaccounted(v1, translation.task, translation.notes)) == []
    changed = {note.path for note in translation.noted(Done.CHANGED)}
    for note in translation.noted(Done.TRANSLATED, Done.EXTRA_ARGS):
        if note.path in changed:
            continue
        key, _, name = note.path.partition(".")
        if key == "parameters" and name in v1["parameters"]:
            assert_tried(translation, note, name, v1["parameters"][name])
        elif note.path in PLACES:
            assert_there(translation, note, v1)


def assert_tried(translation: Translation, note: Note, name: str, written: Any) -> None:
    """Each value that a parameter tries is one of a field, or stands in the engine's words."""
    if note.text.startswith(("another name of", "parallel.expert_parallel")):
        return
    points = [point for point in translation.points if point.name == name]
    for value in listed(written):
        same = (p.value for p in points if type(p.value) is type(value))
        assert any(one is value or one == value for one in same), note  # NaN is not itself
    for point in points:
        for path, value in point.settings.items():
            # The widths of experts say which replicas are meant; others depend on what is beside.
            follows = point.beside or path.startswith("parallel.moe_")
            otherwise = follows or "opposite" in note.text
            assert says(point.value, value) or otherwise, (note, point)
            assert value in values_of(translation.task, path), (note, point)
        words = " ".join(point.words)
        lines = values_of(translation.task, "misc.extra_args")
        assert not words or any(words in " ".join(line) for line in lines), (note, point)


PLACES = {
    "description": ("description", 1),
    "model.id_or_path": ("model", 1),
    "benchmark.model_name": ("model.served_name", 1),
    "benchmark.num_concurrency": ("benchmark.concurrency", 1),
    "benchmark.max_time_per_iteration": ("benchmark.duration_per_level_s", 60),
    "benchmark.max_requests_per_iteration": ("benchmark.requests_per_level", 1),
    "optimization.max_iterations": ("optimization.budget.experiments", 1),
    "slo.ttft.threshold": ("slo.ttft_ms", 1000),
    "slo.tpot.threshold": ("slo.tpot_ms", 1000),
    "slo.latency.p90.threshold": ("slo.e2e_p90_ms", 1000),
}
"""Key of a v1 task -> place in the v2 task, and the factor of its unit."""


def assert_there(translation: Translation, note: Note, v1: dict[str, Any]) -> None:
    """The value of a key is at its place, in its unit."""
    place, factor = PLACES[note.path]
    written, found = inside(v1, note.path), inside(translation.task, place)
    if "left out" in note.text:
        return
    if place == "model":
        found = found.get("path", found.get("id"))
    written = listed(written) if isinstance(found, list) else written
    assert says(written, found, factor), (note, written, found)


def says(written: Any, found: Any, factor: int = 1) -> bool:
    """Whether a value says the same as another, which may be of another type or unit."""
    if isinstance(written, list) and isinstance(found, list):
        once = [one for n, one in enumerate(found) if one not in found[:n]]
        return all(any(says(one, other, factor) for other in once) for one in written)
    if isinstance(written, str) and isinstance(found, str):
        return stored_text(written) == found or written.lower() == found.lower()
    if str(written).strip().lower() == str(found).lower():
        return True
    try:
        return math.isclose(float(written) * factor, float(found), rel_tol=1e-9)
    except (TypeError, ValueError):
        return False


def inside(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document.get(key) if isinstance(document, dict) else None
    return document


def values_of(task: dict[str, Any], path: str) -> list[Any]:
    """Values that a task or one of its combinations gives a field."""
    found: list[Any] = []
    for part in (task, *task.get("combinations", ())):
        value = inside(part, path)
        several = isinstance(value, list) and (path != "misc.extra_args" or is_nested(value))
        found += value if several else [] if value is None else [value]
    return found


def is_nested(value: list[Any]) -> bool:
    return any(isinstance(one, list) for one in value)
