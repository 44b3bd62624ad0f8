"""Any v1 task that v1 could run, drawn: it is translated without loss, planned and rendered."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autotuner.config import parse_task
from autotuner.errors import ConfigError
from autotuner.migrate import Done, translate_task
from autotuner.migrate.groups import FORMAT_PRESETS, PARALLEL_PRESETS
from autotuner.profiles import builtin_registry
from autotuner.tuning.checks import problems_in
from autotuner.tuning.prepare import prepare

BASE = Path(__file__).parent
REGISTRY = builtin_registry()
VALUES: dict[str, dict[str, list[Any]]] = {
    "sglang": {
        "tp-size": [1, 2, "4"],
        "tp": [1, 2],
        "mem_frac": [0.7, "0.8"],
        "mem-fraction-static": [0.85, 0.9],
        "schedule_policy": ["lpm", "fcfs"],
        "chunked-prefill-size": [2048, "4096"],
        "disable-radix-cache": [True, "false"],
        "enable-torch-compile": ["true", False],
        "kv-cache-dtype": ["fp8_e5m2", "auto"],
        "max-running-requests": [16, 32.0],
    },
    "vllm": {
        "tensor-parallel-size": [1, 2],
        "gpu-memory-utilization": [0.85, "0.9"],
        "max-num-seqs": [64, "128"],
        "enable-chunked-prefill": ["true", "false"],
        "max-model-len": [4096],
        "kv-cache-dtype": ["fp8", "auto"],
        "enforce-eager": [True, False],
    },
    "tensorrt-llm": {"tp_size": [1, 2], "max-batch-size": [8, "16"], "max_num_tokens": [2048]},
}
MIXTURE = "Qwen/Qwen3-30B-A3B"
REPLICAS: dict[str, list[Any]] = {
    "dp-size": [1, 2, "4"],
    "ep-size": [1, 2],
    "enable-dp-attention": [True, "false"],
}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
FLAGS = st.sampled_from(["some-new-flag", "other_flag", "x-y-z"])
WORDS = st.sampled_from(["a", 3, 0.5, True, "false", "-b"])


def some_of(values: list[Any]) -> st.SearchStrategy[Any]:
    listed = st.lists(st.sampled_from(values), max_size=2, unique_by=str)
    return listed | st.builds(lambda found: {"type": "choice", "values": found}, listed)


@st.composite
def tasks_of_v1(draw: st.DrawFn) -> dict[str, Any]:
    engine = draw(st.sampled_from(sorted(VALUES)))
    names = draw(st.lists(st.sampled_from(sorted(VALUES[engine])), max_size=3, unique=True))
    parameters = {name: draw(some_of(VALUES[engine][name])) for name in names}
    parameters |= draw(st.dictionaries(FLAGS, st.lists(WORDS, max_size=2), max_size=1))
    model = draw(st.sampled_from(["Qwen/Qwen2.5-7B-Instruct", MIXTURE]))
    if model == MIXTURE and engine == "sglang":
        for name in draw(st.lists(st.sampled_from(sorted(REPLICAS)), max_size=3, unique=True)):
            parameters[name] = draw(some_of(REPLICAS[name]))
    task: dict[str, Any] = {
        "task_name": draw(TEXT),
        "model": {"id_or_path": model, "namespace": draw(TEXT)},
        "base_runtime": draw(st.sampled_from([engine, f"{engine}-llama-small"])),
        "parameters": parameters,
        "optimization": draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "strategy": st.sampled_from(["grid_search", "random", "bayesian"]),
                    "objective": st.sampled_from(["minimize_latency", "maximize_throughput"]),
                    "max_iterations": st.sampled_from([1, "7", 100]),
                    "timeout_per_iteration": st.sampled_from([60, 600]),
                },
            )
        ),
        "benchmark": draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "task": st.just("text-to-text"),
                    "traffic_scenarios": st.sampled_from(
                        [[], ["D(100,100)"], ["N(480,240)/(300,150)"], ["D(64,16)", "D(8,8)"]]
                    ),
                    "num_concurrency": st.sampled_from([[], [1], [1, "4"], [8, 8]]),
                    "max_time_per_iteration": st.sampled_from([1, 10, "15"]),
                    "additional_params": st.sampled_from([{"temperature": "0.0"}, {}]),
                },
            )
        ),
    }
    formats = st.sampled_from([*FORMAT_PRESETS, "odd"])
    widths = st.sampled_from([*PARALLEL_PRESETS, "odd"])
    optional = {
        "deployment_mode": st.sampled_from(["docker", "ome", "local"]),
        "description": TEXT,
        "quant_config": st.fixed_dictionaries({"presets": st.lists(formats, max_size=2)})
        | st.fixed_dictionaries({"kvcache_dtype": st.sampled_from(["auto", "fp8_e5m2", "int4"])}),
        "parallel_config": st.fixed_dictionaries({"presets": st.lists(widths, max_size=2)})
        | st.fixed_dictionaries({"tp": st.sampled_from([1, [1, 2], "2"]), "pp": st.just(1)}),
        "slo": st.just({"ttft": {"threshold": 1.0, "weight": 2}, "steepness": 0.1}),
    }
    return task | draw(st.fixed_dictionaries({}, optional=optional))


@given(tasks_of_v1())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_what_v1_could_run_is_planned_and_rendered(v1: dict[str, Any]) -> None:
    translation = translate_task(v1)
    assert not translation.noted(Done.LOST, Done.OPEN)
    task = parse_task(translation.task)
    assert problems_in(task, base=BASE, registry=REGISTRY, with_model=False) == ()
    try:
        prepared = prepare(task, base=BASE, registry=REGISTRY, most=10_000)
    except ConfigError as error:
        # Widths of experts that the engine does not start with either, also of v1's own preset.
        assert v1["model"]["id_or_path"] == MIXTURE
        assert re.search(r"moe_\w+ .*(divide|TP x DP)", str(error))
        return
    for candidate in itertools.islice(prepared.space.candidates, 3):
        command = prepared.space.specs[candidate.id].command()
        for word in candidate.misc.extra_args or ():
            assert str(word) in command
