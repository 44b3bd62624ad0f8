"""`autotuner init`'s tasks: valid, with candidates, for many models, engines and devices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from autotuner.config import Model, parse_task
from autotuner.errors import AutotunerError
from autotuner.profiles import builtin_registry
from autotuner.tuning.first_task import Asked, FirstTask, first_task

SEQUENCES = "scheduling.max_running_requests"
SMALL = Asked(
    name="small",
    model=Model(id="smollm2-135m"),
    engine="llamacpp",
    gpu="cpu",
    gpus=0,
    isl=64,
    osl=32,
    slo={},
    cores=4,
)


def drafted(asked: Asked, base: Path) -> FirstTask:
    return first_task(asked, base=base, registry=builtin_registry())


def on_gpus(model: str, engine: str, gpu: str, gpus: int, **changes: Any) -> Asked:
    given = {"isl": 1024, "osl": 256, "slo": {"ttft_ms": 2000.0}} | changes
    return replace(SMALL, model=Model(id=model), engine=engine, gpu=gpu, gpus=gpus, **given)


@pytest.mark.parametrize(
    ("asked", "axes", "absent"),
    [
        (SMALL, ["misc.threads", "quantization.kvcache_mode"], ["parallel.tensor_parallel"]),
        (replace(SMALL, cores=1), [SEQUENCES], []),
        (
            on_gpus("meta-llama/Llama-3.1-70B-Instruct", "vllm", "h100_sxm", 8),
            [
                "parallel.tensor_parallel",
                "parallel.data_parallel",
                "quantization.gemm_mode",
                "scheduling.max_num_batched_tokens",
            ],
            ["parallel.moe_expert_parallel"],
        ),
        (
            on_gpus("deepseek-ai/DeepSeek-V3", "sglang", "h200_sxm", 8),
            ["parallel.moe_expert_parallel", "attention.chunked_prefill_size"],
            ["scheduling.max_num_batched_tokens", "quantization.gemm_mode"],
        ),
        (
            on_gpus("Qwen/Qwen3-30B-A3B", "trtllm", "l40s", 2),
            ["parallel.moe_expert_parallel"],
            [],
        ),
        (
            on_gpus("Qwen/Qwen3-235B-A22B", "vllm", "b200_sxm", 8),
            ["parallel.moe_expert_parallel"],
            [],
        ),
        (
            on_gpus("meta-llama/Llama-3.1-8B-Instruct", "vllm", "a10", 1),
            [SEQUENCES],
            ["parallel.tensor_parallel", "quantization.gemm_mode", "quantization.kvcache_mode"],
        ),
        (
            on_gpus("Qwen/Qwen3-32B", "trtllm", "h200_sxm", 3, isl=12_000, osl=2_000),
            [SEQUENCES],
            [],
        ),
        (
            on_gpus("meta-llama/Llama-3.1-405B-Instruct-FP8", "vllm", "h100_sxm", 8),
            [],
            ["quantization.gemm_mode"],
        ),
        (
            on_gpus("meta-llama/Llama-3.2-1B", "vllm", "cpu", 0),
            [SEQUENCES],
            [],
        ),
    ],
    ids=lambda value: (
        f"{value.engine}-{value.gpus}x{value.gpu}" if isinstance(value, Asked) else ""
    ),
)
def test_a_drafted_task_has_candidates_and_sensible_axes(
    asked: Asked, axes: list[str], absent: list[str], tmp_path: Path
) -> None:
    found = drafted(asked, tmp_path)
    task = parse_task(yaml.safe_load(found.text))
    candidates = found.prepared.space.candidates
    assert candidates
    assert found.prepared.task.content_id == task.content_id
    assert set(axes) <= set(task.axes())
    written = task.axes().keys() | task.fixed().keys()
    assert not set(absent) & written
    for path, values in task.axes().items():
        for value in values:
            assert any(c.get(path) == value for c in candidates), f"{path}={value} runs nowhere"
    assert task.slo.limits() == dict(asked.slo)
    assert task.optimization.budget.experiments is not None
    assert max(task.benchmark.concurrency) >= max(
        c.scheduling.max_running_requests or 1 for c in candidates
    )


def test_values_that_cannot_run_are_named_in_the_comment(tmp_path: Path) -> None:
    asked = on_gpus("meta-llama/Llama-3.1-70B-Instruct", "trtllm", "h100_sxm", 3)
    text = drafted(asked, tmp_path).text
    assert "would not run here" in text
    assert parse_task(yaml.safe_load(text)).fixed()["parallel.data_parallel"] == 1


def test_a_model_that_does_not_fit_is_shown_with_the_reason(tmp_path: Path) -> None:
    asked = on_gpus("meta-llama/Llama-3.1-70B-Instruct", "vllm", "l4", 2)
    with pytest.raises(AutotunerError, match=r"Llama-3.1-70B-Instruct with vllm on 2 x l4.*GiB"):
        drafted(asked, tmp_path)


def test_lengths_reach_prompts_steps_and_the_longest_request(tmp_path: Path) -> None:
    asked = on_gpus("Qwen/Qwen3-32B", "trtllm", "h200_sxm", 2, isl=12_000, osl=2_000)
    task = drafted(asked, tmp_path).prepared.task
    assert task.fixed()["memory.max_model_len"] >= 14_000
    steps = task.axes().get("scheduling.max_num_batched_tokens") or [
        task.fixed()["scheduling.max_num_batched_tokens"]
    ]
    assert max(steps) >= 12_000
