"""Where engines keep what they compile, and the lines of their logs that say that they do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autotuner.config.backends import BACKENDS
from autotuner.engines import engine_named
from autotuner.workers.policy import Policy, engine_environment

ROOT = Path(__file__).parents[2]
COMPILES = [
    (
        "vllm",
        "(EngineCore pid=284) WARNING 05-30 07:48:45 [jit_monitor.py:103] Triton kernel JIT "
        "compilation during inference: _zero_kv_blocks_kernel. This causes a latency spike; "
        "consider extending warmup to cover this shape/config.",
    ),
    ("vllm", "autotuner.py:256 - flashinfer.jit: [Autotuner]: Autotuning process starts ..."),
    ("sglang", "Entering DeepGEMM JIT Pre-Compile session. It may take a long time"),
    ("sglang", "Try DeepGEMM JIT Compiling for <GEMM_NT_F8F8BF16> N=2048, K=2048"),
    ("sglang", "2025-06-08 21:06:35,733 - INFO - flashinfer.jit: Loading JIT ops: cascade"),
    ("trtllm", "[TRT-LLM] [I] [Autotuner] Autotuning process starts ..."),
]
SERVES = [
    ("vllm", 'INFO: 127.0.0.1:43420 - "POST /v1/completions HTTP/1.1" 200 OK'),
    ("vllm", "INFO 05-30 [loggers.py:1] Engine 000: Avg generation throughput: 123.4 tokens/s"),
    ("sglang", "Decode batch. #running-req: 1, #token: 41, cuda graph: True"),
    ("sglang", "flashinfer.jit: Finished loading JIT ops: cascade"),
]


def compiles(engine: str, line: str) -> bool:
    patterns = engine_named(engine).table.file.compiling
    return any(re.search(pattern, line, re.IGNORECASE) for pattern in patterns)


@pytest.mark.parametrize(("engine", "line"), COMPILES)
def test_a_line_that_says_so_is_known(engine: str, line: str) -> None:
    assert compiles(engine, line)


@pytest.mark.parametrize(("engine", "line"), SERVES)
def test_a_line_of_serving_says_nothing(engine: str, line: str) -> None:
    assert not compiles(engine, line)


@pytest.mark.parametrize("engine", BACKENDS)
def test_every_variable_of_a_cache_is_documented(engine: str) -> None:
    text = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    assert [name for name in engine_named(engine).table.file.caches if name not in text] == []


@pytest.mark.parametrize("engine", BACKENDS)
def test_a_worker_hands_on_the_folders_that_its_own_environment_names(engine: str) -> None:
    caches = engine_named(engine).table.file.caches
    assert len(set(caches.values())) == len(caches), "a folder each"
    named = dict.fromkeys(caches, "/mine")
    assert engine_environment(named, Policy()) == named
