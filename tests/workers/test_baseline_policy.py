"""The operator's policy holds for the baseline of a task as for its candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autotuner.config import parse_task
from autotuner.tuning.prepare import prepare
from autotuner.workers.policy import Policy
from autotuner.workers.violations import violations, violations_resolved

QUICK: dict[str, Any] = {"version": 2, "name": "quick", "runtime": {"isl": 32, "osl": 8}}
TODAY = {
    "memory": {"max_model_len": 2560},
    "misc": {
        "trust_remote_code": True,
        "load_format": "tensorizer",
        "extra_args": ["--chat-template=/x"],
    },
}


@pytest.mark.parametrize(
    "mine",
    [
        TODAY,
        "vllm serve m --max-model-len 2560 --trust-remote-code --load-format tensorizer "
        "--chat-template=/etc/passwd",
    ],
    ids=["groups", "a command line"],
)
def test_the_settings_of_today_are_held_against_the_policy_too(mine: Any, tmp_path: Path) -> None:
    written = QUICK | {
        "model": {"id": "Qwen/Qwen3-8B"},
        "system": {"backend": "vllm", "gpu_type": "h100_sxm", "total_gpus": 1},
        "optimization": {"mine": mine},
    }
    prepared = prepare(parse_task(written), base=tmp_path)
    found = {problem.path for problem in violations_resolved(prepared, Policy())}
    assert found >= {
        "baseline: misc.trust_remote_code",
        "baseline: misc.load_format",
        "baseline: misc.extra_args",
    }
    if mine is TODAY:
        asked = {problem.path for problem in violations(prepared.task, Policy())}
        assert "optimization.mine.misc.trust_remote_code" in asked


def test_the_baseline_occupies_no_more_gpus_than_the_policy_allows(tmp_path: Path) -> None:
    written = QUICK | {
        "model": {"id": "Qwen/Qwen3-8B"},
        "system": {"backend": "vllm", "gpu_type": "h100_sxm", "total_gpus": 8},
        "parallel": {"tensor_parallel": 1},
        "optimization": {"mine": {"parallel": {"tensor_parallel": 8}}},
    }
    prepared = prepare(parse_task(written), base=tmp_path)
    found = {problem.path for problem in violations_resolved(prepared, Policy(max_gpus=4))}
    assert "parallel" in found
