"""Facts of models and GPUs, against what their makers publish."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autotuner.catalog import (
    WEIGHT_BYTES,
    ModelFacts,
    facts_from_config,
    gpu_named,
    gpus,
    known_model,
    known_models,
    model_named,
    resolve_model,
)
from autotuner.config import Model
from autotuner.errors import CatalogError, ModelError


@pytest.mark.parametrize(
    ("name", "billions", "active"),
    [
        ("llama-3.1-8b", 8.03, None),
        ("Llama-3.1-70B-Instruct", 70.6, None),
        ("meta-llama/Llama-3.1-405B", 405.9, None),
        ("llama-3.2-1b", 1.24, None),
        ("Qwen/Qwen3-30B-A3B", 30.5, 3.3),
        ("qwen3-235b-a22b", 235.1, 22),
        ("mixtral-8x7b-v0.1", 46.7, 12.9),
        ("deepseek-ai/DeepSeek-V3", 671, 37),
        ("gpt-oss-120b", 116.8, 5.1),
        ("Qwen/Qwen3.5-27B", 27, None),
        ("Qwen/Qwen3.5-397B-A17B", 397, 17),
    ],
)
def test_parameters_are_those_published(name: str, billions: float, active: float | None) -> None:
    known = known_model(name)
    assert known is not None
    assert known.facts.parameters == pytest.approx(billions * 1e9, rel=0.01)
    if active is not None:
        assert known.facts.active_parameters == pytest.approx(active * 1e9, rel=0.12)


def test_kv_bytes_per_token() -> None:
    llama, deep = known_model("llama-3.1-8b"), known_model("deepseek-v3")
    assert llama is not None
    assert deep is not None
    # 2 x 32 layers x 8 heads x 128 x 2 bytes; 61 layers x (512 + 64) x 2 bytes.
    assert llama.facts.kv_bytes_per_token() == 131072
    assert llama.facts.kv_bytes_per_token("fp8") == 65536
    assert deep.facts.kv_bytes_per_token() == 61 * 576 * 2


def test_ranks_that_hold_copies_share_no_kv_cache() -> None:
    assert ModelFacts(attention="gqa", kv_heads=4).kv_ranks(8) == 4
    assert ModelFacts(attention="gqa", kv_heads=8).kv_ranks(2) == 2
    assert ModelFacts(attention="mla", kv_heads=128).kv_ranks(8) == 1


def test_formats_of_checkpoints_are_shown() -> None:
    formats = {
        name: (row.facts.gemm_format, row.facts.moe_format)
        for name, row in known_models().items()
        if row.package is None
    }
    assert formats["deepseek-ai/DeepSeek-V3"] == ("fp8_block", "fp8_block")
    assert formats["openai/gpt-oss-20b"] == ("bfloat16", "w4a16_mxfp4")
    assert formats["Qwen/Qwen3-8B"] == ("bfloat16", None)
    assert {form for pair in formats.values() for form in pair if form} <= set(WEIGHT_BYTES)


def test_layers_without_keys_and_values_keep_a_state_instead() -> None:
    known = known_model("Qwen/Qwen3.5-27B")
    assert known is not None
    # 16 of 64 layers: 2 x 16 x 4 heads x 256 x 2 bytes; 48 layers x 48 heads x 128 x 128 x 4 bytes.
    assert known.facts.kv_bytes_per_token() == 65536
    assert known.facts.state_bytes == 48 * 48 * 128 * 128 * 4


def test_sliding_windows_are_shown() -> None:
    known = known_model("gpt-oss-120b")
    assert known is not None
    assert (known.facts.windowed_layers, known.facts.layers, known.facts.window) == (18, 36, 128)


def test_layers_that_are_not_alike_leave_sizes_unknown() -> None:
    known = known_model("nvidia/Nemotron-H-56B-Base-8K")
    assert known is not None
    assert known.facts.attention == "hybrid"
    assert known.facts.parameters is None
    assert known.facts.weights_gib() is None
    # Which layers keep keys and values its pattern says: 10 of 118.
    assert known.facts.kv_bytes_per_token() == 2 * 10 * 8 * 128 * 2


def test_no_name_stands_for_two_models() -> None:
    names = [(name.lower(), row.id) for row in known_models().values() for name in set(row.names)]
    assert len({name for name, _ in names}) == len(set(names))


def test_a_model_is_like_another_but_for_what_its_own_configuration_says() -> None:
    rows = known_models()
    longer = rows["Qwen/Qwen3-30B-A3B-Instruct-2507"]
    assert longer.like == "Qwen/Qwen3-30B-A3B"
    base = rows[longer.like].facts
    assert (base.context_length, longer.facts.context_length) == (40960, 262144)
    assert longer.facts.parameters == base.parameters
    narrow = rows["nvidia/DeepSeek-R1-NVFP4"]
    assert (narrow.facts.gemm_format, narrow.facts.moe_format) == ("nvfp4", "nvfp4")
    assert narrow.facts.parameters == rows["deepseek-ai/DeepSeek-R1"].facts.parameters
    assert rows["nvidia/Llama-3.1-8B-Instruct-FP8"].facts.gemm_format == "fp8_static"
    assert {row.like for row in rows.values() if row.like} <= set(rows)


@pytest.mark.parametrize(
    ("message", "location"),
    [
        ("Llama-3.3-70B-Instruct", "meta-llama/Llama-3.3-70B-Instruct"),
        ("llama-3.1-8b-instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("deepseek-v3.1", "deepseek-ai/DeepSeek-V3.1"),
        ("glm-5", "zai-org/GLM-5"),
        ("zhipuai/GLM-5", "zhipuai/GLM-5"),
    ],
)
def test_a_name_without_owner_leads_to_the_model_it_names(message: str, location: str) -> None:
    assert resolve_model(Model(id=message), base=Path()).location == location


def test_every_name_of_the_catalog_serves_what_it_says() -> None:
    for row in known_models().values():
        for name in row.names if row.package is None else ():
            location = resolve_model(Model(id=name), base=Path()).location
            assert location.lower().endswith(name.lower())


def test_one_word_is_a_name_or_a_path(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert model_named("llama-3.1-8b", base=tmp_path) == Model(id="llama-3.1-8b")
    assert model_named("folder", base=tmp_path) == Model(path="folder")
    assert model_named("none/here.gguf", base=tmp_path) == Model(path="none/here.gguf")
    assert model_named("org/name", base=tmp_path) == Model(id="org/name")
    for path in ("./none", "~/none", "/none"):
        assert model_named(path, base=tmp_path) == Model(path=path)
        with pytest.raises(ModelError, match=r"no model file or folder .*none\n.*config.json"):
            resolve_model(Model(path=path), base=tmp_path)
    with pytest.raises(ModelError, match=r"'\./none' is not in the catalog"):
        resolve_model(Model(id="./none"), base=tmp_path)


def test_layers_counted_one_by_one_leave_sizes_unknown() -> None:
    config = dict(known_model("qwen3-8b").config or {})  # type: ignore[union-attr]
    facts = facts_from_config({**config, "intermediate_size": [8192, 12288]})
    assert (facts.attention, facts.parameters, facts.heads) == ("gqa", None, 32)


def test_a_folder_is_read_where_it_lies(tmp_path: Path) -> None:
    config = dict(known_model("qwen3-8b").config or {})  # type: ignore[union-attr]
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 4096)
    found = resolve_model(Model(path=str(tmp_path)), base=Path())
    assert found.facts.heads == facts_from_config(config).heads
    assert found.facts.size_bytes == 4096
    assert (found.path, found.header) == (tmp_path, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "has no config.json"),
        ("[1]", "no JSON object"),
        ('{"num_attention_heads": "x", "hidden_size": 8}', "no sense"),
        ('{"num_attention_heads": 32.5}', "num_attention_heads is 32.5"),
        ('{"num_key_value_heads": -8}', "num_key_value_heads is -8"),
        ('{"vocab_size": true}', "has to be a whole number"),
        (
            '{"mamba_n_heads": 8, "mamba_d_head": 8, "hidden_size": 8, "mamba_d_state": "x",'
            ' "layer_types": ["mamba"]}',
            "no sense",
        ),
    ],
)
def test_a_folder_without_a_config_is_refused(
    tmp_path: Path, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        resolve_model(Model(path=str(tmp_path)), base=Path())


def test_a_hub_id_that_is_not_known_stays_unknown() -> None:
    found = resolve_model(Model(id="someone/some-model"), base=Path())
    assert (found.location, found.facts.parameters, found.facts.is_moe) == (
        "someone/some-model",
        None,
        None,
    )


def test_every_gpu_has_its_facts_and_their_source() -> None:
    for gpu in gpus().values():
        assert gpu.source.startswith("https://")
        assert gpu.price_source
        assert gpu.formats
        if not gpu.is_cpu:
            # Apple's chips come in many sizes.
            assert gpu.memory_gib or gpu.vendor == "apple"
            assert gpu.bandwidth_gb_s and gpu.interconnect_gb_s
            assert gpu.tflops.get("bfloat16", gpu.tflops.get("float16", 0)) > 0
            assert ("fp8" in gpu.formats) == ("fp8" in gpu.tflops)
            assert ("nvfp4" in gpu.formats) == ("nvfp4" in gpu.tflops)


def test_a_gpu_goes_by_its_other_names() -> None:
    assert gpu_named("H100") is gpu_named("h100-80gb") is gpu_named("h100_sxm")
    with pytest.raises(CatalogError, match="did you mean 'h200'"):
        gpu_named("h2000")
