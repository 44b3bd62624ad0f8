"""v1's presets, formats and ranges as points of a v2 grid."""

from __future__ import annotations

from typing import Any

import pytest
from v1_examples import note, translated

from autotuner.migrate import Done
from autotuner.migrate.groups import PARALLEL_PRESETS


def test_a_format_without_a_word_is_passed_as_v1_passed_it() -> None:
    mixture = {"id_or_path": "me/moe"}
    parameters = {"some-flag": ["a", "b"]}
    translation = translated(
        model=mixture,
        parameters=parameters,
        quant_config={"presets": ["default", "aggressive-moe"]},
    )
    path = "quant_config.presets.aggressive-moe.moe_dtype"
    assert note(translation, path).done is Done.EXTRA_ARGS
    assert not translation.noted(Done.LOST)
    plain, moe = translation.task["combinations"]
    assert plain["misc"]["extra_args"] == [["--some-flag", "a"], ["--some-flag", "b"]]
    words = ["--quantization", "w4afp8", "--moe-runner-backend", "flashinfer_mxfp4"]
    assert moe["misc"]["extra_args"] == [[*words, "--some-flag", "a"], [*words, "--some-flag", "b"]]
    # What the words say no field says beside them.
    assert "gemm_mode" not in moe["quantization"]


@pytest.mark.parametrize(
    ("runtime", "formats"),
    [
        ("sglang", {"gemm_dtype": "int8", "kvcache_dtype": "int4"}),
        ("vllm", {"moe_dtype": "w4afp8", "attention_dtype": "fp8_e4m3"}),
        ("tensorrt-llm", {"gemm_dtype": "fp8"}),
        ("sglang", {"presets": ["never-heard-of", 7]}),
    ],
)
def test_a_format_that_v1_passed_nothing_for_is_kept_beside(
    runtime: str, formats: dict[str, Any]
) -> None:
    mixture = {"id_or_path": "me/moe"}
    translation = translated(base_runtime=runtime, model=mixture, quant_config=formats)
    assert not translation.noted(Done.LOST)


@pytest.mark.parametrize("runtime", ["sglang", "vllm", "tensorrt-llm"])
@pytest.mark.parametrize("kind", ["fp8_e5m2", "fp8_e4m3"])
def test_the_kind_of_fp8_stays_where_an_engine_has_both(runtime: str, kind: str) -> None:
    """A cache in e5m2 is rounded otherwise, and needs no GPU that computes in FP8."""
    translation = translated(base_runtime=runtime, quant_config={"kvcache_dtype": kind})
    has_both = runtime != "tensorrt-llm"
    ours = "fp8_e5m2" if kind == "fp8_e5m2" and has_both else "fp8"
    assert translation.task["quantization"] == {"kvcache_mode": ours}
    changed = kind == "fp8_e5m2" and not has_both
    done = Done.CHANGED if changed else Done.TRANSLATED
    assert note(translation, "quant_config.kvcache_dtype").done is done


def test_a_short_name_without_a_word_on_the_engine_is_passed_as_it_is() -> None:
    translation = translated(
        base_runtime="tensorrt-llm", parameters={"kv-cache-dtype": ["fp8_e5m2"]}
    )
    assert translation.task["misc"]["extra_args"] == ["--kv_cache_dtype", "fp8_e5m2"]
    assert "quantization" not in translation.task


def test_presets_of_widths_are_points_of_the_grid() -> None:
    translation = translated(parallel_config={"presets": ["single-gpu", "balanced", "odd"]})
    assert translation.task["combinations"] == [
        {"parallel": {"tensor_parallel": 1, "pipeline_parallel": 1, "data_parallel": 1}},
        {"parallel": {"tensor_parallel": 2, "pipeline_parallel": 1, "data_parallel": 4}},
        {},
    ]
    assert note(translation, "parallel_config.presets.odd").done is Done.KEPT
    assert not translation.noted(Done.LOST)


@pytest.mark.parametrize("runtime", ["sglang", "vllm", "tensorrt-llm"])
@pytest.mark.parametrize("preset", PARALLEL_PRESETS)
def test_every_preset_of_widths_is_translated_for_every_engine(runtime: str, preset: str) -> None:
    translation = translated(base_runtime=runtime, parallel_config={"presets": [preset]})
    assert not translation.noted(Done.LOST)
    assert translation.task["parallel"]


@pytest.mark.parametrize("config", [{"tp": 4, "dp": 2}, {"presets": ["balanced"]}])
def test_tensorrt_llm_has_no_flag_for_replicas_whatever_the_model(config: dict[str, Any]) -> None:
    mixture = {"id_or_path": "Qwen/Qwen3-235B-A22B"}
    translation = translated(base_runtime="tensorrt-llm", model=mixture, parallel_config=config)
    assert not translation.noted(Done.LOST)
    assert "data_parallel" not in translation.task["parallel"]


def test_a_preset_has_what_its_engine_called_so() -> None:
    moe = {"parallel_config": {"presets": ["moe-optimized"]}, "parameters": {}}
    trtllm = translated(base_runtime="tensorrt-llm", **moe).task["parallel"]
    assert (trtllm["moe_tensor_parallel"], trtllm["moe_expert_parallel"]) == (2, 8)
    sglang = translated(base_runtime="sglang", **moe).task
    assert sglang["misc"]["extra_args"] == ["--moe-dense-tp-size", "2"]
    vllm = translated(base_runtime="vllm", **moe).task["parallel"]
    assert vllm["expert_parallel"] == 16


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ({"type": "categorical", "choices": [0.7, 0.8]}, [0.7, 0.8]),
        ({"type": "continuous", "low": 0.5, "high": 0.9}, 9),
        ({"type": "continuous", "low": 0.5, "high": 0.9, "log": True}, 9),
    ],
)
def test_some_values_of_a_range_are_tried(written: dict[str, Any], values: Any) -> None:
    translation = translated(parameters={"mem-fraction-static": written})
    found = translation.task["memory"]["mem_fraction_static"]
    assert (found if isinstance(values, list) else len(found)) == values
    assert found[0] == pytest.approx(min(found))
    assert not translation.noted(Done.LOST)


def test_a_short_range_of_whole_numbers_is_tried_in_full() -> None:
    written = {"type": "integer", "low": 1, "high": 4}
    translation = translated(parameters={"max-running-requests": written})
    assert translation.task["scheduling"]["max_running_requests"] == [1, 2, 3, 4]
