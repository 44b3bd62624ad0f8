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
from autotuner.tuning.first_task import FirstTask, draft, first_task
from autotuner.tuning.first_task_asked import Asked
from autotuner.tuning.first_task_text import commented
from autotuner.tuning.prepare import Prepared

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


def drafted(asked: Asked, base: Path) -> tuple[FirstTask, Prepared]:
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
    found, prepared = drafted(asked, tmp_path)
    document = yaml.safe_load(commented(asked, found))
    assert document == found.document
    task = parse_task(document)
    candidates = prepared.space.candidates
    assert candidates
    assert prepared.task.content_id == task.content_id
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
    text = commented(asked, drafted(asked, tmp_path)[0])
    assert "would not run here" in text
    assert parse_task(yaml.safe_load(text)).fixed()["parallel.data_parallel"] == 1


def test_a_model_that_does_not_fit_is_shown_with_the_reason(tmp_path: Path) -> None:
    asked = on_gpus("meta-llama/Llama-3.1-70B-Instruct", "vllm", "l4", 2)
    with pytest.raises(AutotunerError, match=r"Llama-3.1-70B-Instruct with vllm on 2 x l4.*GiB"):
        drafted(asked, tmp_path)


def test_lengths_reach_prompts_steps_and_the_longest_request(tmp_path: Path) -> None:
    asked = on_gpus("Qwen/Qwen3-32B", "trtllm", "h200_sxm", 2, isl=12_000, osl=2_000)
    task = drafted(asked, tmp_path)[1].task
    assert task.fixed()["memory.max_model_len"] >= 14_000
    steps = task.axes().get("scheduling.max_num_batched_tokens") or [
        task.fixed()["scheduling.max_num_batched_tokens"]
    ]
    assert max(steps) >= 12_000


def test_what_a_profile_says_is_left_to_it(tmp_path: Path) -> None:
    asked = on_gpus(
        "meta-llama/Llama-3.1-8B-Instruct", "vllm", "h100_sxm", 2, profiles=("balanced",)
    )
    found, prepared = drafted(asked, tmp_path)
    assert SEQUENCES in found.by_profiles
    assert SEQUENCES not in parse_task(found.document).axes()
    assert {c.scheduling.max_running_requests for c in prepared.space.candidates} == {64, 128, 256}


def test_a_draft_without_candidates_says_why(tmp_path: Path) -> None:
    asked = on_gpus("meta-llama/Llama-3.1-70B-Instruct", "vllm", "l4", 2)
    found = draft(asked, base=tmp_path, registry=builtin_registry())
    assert found.prepared is None
    assert "GiB" in found.problem
    assert parse_task(found.document).name == asked.name


def test_answers_of_one_token_have_objectives_without_tpot(tmp_path: Path) -> None:
    asked = on_gpus("meta-llama/Llama-3.1-8B-Instruct", "vllm", "h100_sxm", 1, osl=1)
    task = drafted(asked, tmp_path)[1].task
    assert "tok_s_per_user" not in task.objectives


@pytest.mark.parametrize(
    ("model", "gpus", "engines", "chosen"),
    [
        (Model(id="smollm2-135m"), 0, ("vllm", "llamacpp"), "llamacpp"),
        (Model(path="models/a.gguf"), 2, ("vllm", "llamacpp"), "llamacpp"),
        (Model(id="Qwen/Qwen3-8B"), 1, ("llamacpp", "sglang"), "sglang"),
        (Model(id="Qwen/Qwen3-8B"), 0, ("llamacpp", "vllm"), "vllm"),
    ],
)
def test_an_engine_is_chosen_that_serves_the_models_format(
    model: Model, gpus: int, engines: tuple[str, ...], chosen: str
) -> None:
    gpu = "h100_sxm" if gpus else "cpu"
    assert Asked.of(model, gpu, gpus, engines=engines).engine == chosen
