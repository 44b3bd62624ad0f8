"""llama.cpp's flag table: complete, faithful, and honest about what it cannot say."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import GgufHeader, ResolvedModel
from autotuner.config import Candidate
from autotuner.engines import FailureKind, Installation, LaunchSpec, engine_named
from autotuner.errors import EngineError
from autotuner.llamacpp_host import parser

HEADER = GgufHeader(Path("/m.gguf"), 1, *([None] * 7), metadata={})
MODEL = ResolvedModel("m", "/m.gguf", path=HEADER.path, header=HEADER)
HERE = Installation("llamacpp", ("llama-server",), "1", "here")


def spec(settings: dict[str, Any]) -> LaunchSpec:
    return engine_named("llamacpp").render(Candidate.from_settings(settings), MODEL, HERE)


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "scheduling.max_running_requests": st.integers(1, 256),
        "scheduling.max_num_batched_tokens": st.integers(1, 8192),
        "attention.chunked_prefill_size": st.integers(1, 8192),
        "attention.backend": st.sampled_from(["flash", "standard", "auto"]),
        "attention.enable_prefix_caching": st.booleans(),
        "quantization.kvcache_mode": st.sampled_from(["float32", "float16", "int8", "int4"]),
        "memory.max_model_len": st.integers(1, 1 << 17),
        "memory.max_total_tokens": st.integers(1, 1 << 17),
        "misc.threads": st.integers(1, 64),
        "misc.load_format": st.sampled_from(["mmap", "none", "mlock"]),
    },
)


def agreeing(settings: dict[str, Any]) -> dict[str, Any]:
    """One flag says both lengths; they cannot differ."""
    slots = settings.get("scheduling.max_running_requests", 4)
    if {"memory.max_model_len", "memory.max_total_tokens"} <= set(settings):
        settings["memory.max_total_tokens"] = settings["memory.max_model_len"] * slots
    return settings


@given(SETTINGS.map(agreeing))
def test_the_host_parses_what_the_table_renders(settings: dict[str, Any]) -> None:
    argv = spec(settings).argv_for(1234)[1:]
    args = parser().parse_args(argv)
    slots = settings.get("scheduling.max_running_requests", 4)
    total = settings.get("memory.max_total_tokens", settings.get("memory.max_model_len", 0) * slots)
    assert (args.port, args.parallel, args.ctx_size) == (1234, slots, total)
    assert args.batch_size == settings.get("scheduling.max_num_batched_tokens")
    assert args.ubatch_size == settings.get("attention.chunked_prefill_size")
    assert args.threads == settings.get("misc.threads")
    assert args.cache_prompt == settings.get("attention.enable_prefix_caching", True)
    cache = {"float32": "f32", "float16": "f16", "int8": "q8_0", "int4": "q4_0", None: None}
    assert args.cache_type_k == args.cache_type_v
    assert args.cache_type_k == cache[settings.get("quantization.kvcache_mode")]


@given(SETTINGS.map(agreeing))
def test_the_printed_command_is_the_command(settings: dict[str, Any]) -> None:
    launch = spec(settings)
    assert tuple(shlex.split(launch.command(8080))) == launch.argv_for(8080)


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        ("parallel.tensor_parallel", 2, "one CPU device"),
        ("quantization.gemm_mode", "fp8", "GGUF"),
        ("quantization.kvcache_mode", "fp8", "use one of"),
        ("attention.backend", "triton", "use one of: flash"),
        ("misc.extra_args", ["--port", "1"], "set by the tuner"),
        ("misc.extra_args", ["-np", "8"], "scheduling.max_running_requests 4"),
    ],
)
def test_what_it_cannot_express_is_refused_by_name(path: str, value: Any, word: str) -> None:
    with pytest.raises(EngineError) as caught:
        spec({path: value})
    assert path in str(caught.value)
    assert word in str(caught.value)


def test_a_length_and_a_total_that_disagree_are_refused() -> None:
    both = {"memory.max_total_tokens": 8000, "memory.max_model_len": 1000}
    with pytest.raises(EngineError, match=r"memory\.max_model_len.*memory\.max_total_tokens 8000"):
        spec(both)
    assert "8000" in spec(both | {"scheduling.max_running_requests": 8}).argv


def test_values_that_change_nothing_are_accepted() -> None:
    neutral = {"parallel.tensor_parallel": 1, "scheduling.policy": "fcfs", "misc.dtype": "auto"}
    assert spec(neutral).argv == spec({}).argv


def test_extra_args_reach_the_command_as_words() -> None:
    assert spec({"misc.extra_args": ["--seed", "7"]}).argv[-2:] == ("--seed", "7")


def test_an_unknown_engine_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(EngineError, match="did you mean 'llamacpp'"):
        engine_named("llamacp")


def test_every_failure_pattern_is_of_a_known_kind() -> None:
    kinds = {pattern.kind for pattern in engine_named("llamacpp").table.failures}
    assert {FailureKind.OUT_OF_MEMORY, FailureKind.UNKNOWN_FLAG, FailureKind.MODEL_LOAD} <= kinds


def test_an_engine_path_that_is_no_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="engine_path"):
        engine_named("llamacpp").find(str(tmp_path / "llama-server"))
