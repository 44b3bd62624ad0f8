"""Scenarios and candidates that the tests of aiconfigurator share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotuner.catalog import ModelFacts, gpu_named, known_model
from autotuner.config import Candidate
from autotuner.predict import Scenario


def scenario(
    model: str = "Qwen/Qwen3-32B",
    gpu: str = "h200_sxm",
    engine: str = "vllm",
    version: str | None = "0.24.0",
    isl: int = 1024,
    osl: int = 256,
    **more: Any,
) -> Scenario:
    """Qwen3-32B on H200 with vLLM, but for what is stated."""
    known = known_model(model)
    facts = known.facts if known else ModelFacts()
    return Scenario(model, facts, engine, version, gpu_named(gpu), gpu, isl, osl, **more)


def candidate(settings: Mapping[str, Any] | None = None) -> Candidate:
    """From `group.field` -> value; two GPUs wide where nothing else is stated."""
    return Candidate.from_settings({"parallel.tensor_parallel": 2} | dict(settings or {}))
