"""The engine of a v1 task whose runtime names none."""

from __future__ import annotations

from typing import Any

import pytest
from v1_examples import note

from autotuner.config import parse_task
from autotuner.errors import ConfigError
from autotuner.migrate import Done, translate_task

OME_TASK = {
    "task_name": "ome",
    "model": {"id_or_path": "llama-3-1-8b-instruct", "namespace": "autotuner"},
    "base_runtime": "llama-3-2-1b-instruct-rt",
    "parameters": {
        "tp_size": {"type": "choice", "values": [1]},
        "mem_frac": {"type": "choice", "values": [0.8, 0.9]},
        "schedule_policy": {"type": "choice", "values": ["lpm", "fcfs"]},
    },
}


@pytest.mark.parametrize(
    ("changes", "asked", "engine"),
    [
        ({}, None, "sglang"),
        ({}, "vllm", "vllm"),
        ({}, "tensorrt_llm", "trtllm"),
        ({"base_runtime": "my-vllm-runtime"}, None, "vllm"),
        ({"clusterservingruntime_config": {"preset": "vllm-llama-small"}}, None, "vllm"),
        (
            {"clusterservingruntime_config": {"spec": {"image": "lmsysorg/sglang:1"}}},
            None,
            "sglang",
        ),
        ({"runtime_image_tag": "vllm-0.11"}, None, "vllm"),
        ({"parameters": {"tp_size": [1], "mem_frac": [0.8]}}, None, "sglang"),
        ({"parameters": {"gpu-memory-utilization": [0.8]}}, None, "vllm"),
        ({"parameters": {"max_num_tokens": [1024], "max_batch_size": [8]}}, None, "trtllm"),
    ],
)
def test_an_engine_is_found_where_the_runtime_names_none(
    changes: dict[str, Any], asked: str | None, engine: str
) -> None:
    translation = translate_task(OME_TASK | changes, engine=asked)
    assert parse_task(translation.task).fixed()["system.backend"] == engine
    assert note(translation, "base_runtime").done is Done.CHANGED
    assert not translation.noted(Done.LOST, Done.OPEN)


def test_where_nothing_names_an_engine_a_draft_says_what_to_fill_in() -> None:
    v1 = OME_TASK | {"parameters": {"zeal": [1]}, "quant_config": {"gemm_dtype": "fp8"}}
    translation = translate_task(v1)
    task = parse_task(translation.task)
    assert task.fixed()["system.backend"] == "llama-3-2-1b-instruct-rt"
    assert {n.path for n in translation.noted(Done.OPEN)} == {
        "base_runtime",
        "parameters",
        "quant_config",
    }
    assert translation.task["metadata"]["v1"]["parameters"] == {"zeal": [1]}


def test_an_engine_that_does_not_exist_is_not_asked_for() -> None:
    with pytest.raises(ConfigError, match="did you mean 'vllm'"):
        translate_task(OME_TASK, engine="vlm")
