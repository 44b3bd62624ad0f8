"""Weights in a folder: their size decides, and contradictions, gaps and pointers are said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checkpoints import LLAMA_70B, QUANTIZED

from autotuner.catalog import resolve_model
from autotuner.catalog.models import cached_snapshot
from autotuner.config import Model

GB = 10**9


def _folder(tmp_path: Path, config: dict[str, Any], files: dict[str, int]) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for name, size in files.items():
        with (tmp_path / name).open("wb") as stream:
            stream.truncate(size)
    return tmp_path


def _quantised(name: str) -> dict[str, Any]:
    return {**LLAMA_70B, "quantization_config": QUANTIZED[name]["config"]}


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("compressed_tensors_fp8_dynamic", 72_700_000_000),
        ("gptq_8bit", 73_000_000_000),
        ("compressed_tensors_w4a16", 39_800_000_000),
    ],
)
def test_files_that_agree_decide_without_a_word(tmp_path: Path, name: str, size: int) -> None:
    folder = _folder(tmp_path, _quantised(name), {"model.safetensors": size})
    found = resolve_model(Model(path=str(folder)), base=Path())
    assert found.facts.weights_gib() == pytest.approx(size / 2**30)
    assert found.facts.notes == ()


def test_a_contradiction_is_noted_and_the_files_count(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _quantised("awq"), {"model.safetensors": 141 * GB})
    facts = resolve_model(Model(path=str(folder)), base=Path()).facts
    assert facts.weights_gib() == pytest.approx(131.3, rel=0.01)
    assert facts.weight_bytes() == pytest.approx(2.0, rel=0.01)
    assert "131.3 GiB, and config.json (awq) says" in facts.notes[0]


def test_a_scheme_that_is_not_understood_is_counted_by_its_files(tmp_path: Path) -> None:
    config = {**LLAMA_70B, "quantization_config": {"quant_method": "squeezed9"}}
    folder = _folder(tmp_path, config, {"model.safetensors": 20 * GB})
    facts = resolve_model(Model(path=str(folder)), base=Path()).facts
    assert facts.weights_gib() == pytest.approx(18.6, rel=0.01)
    assert facts.weight_bytes() == pytest.approx(20 / 70.6, rel=0.01)
    assert "squeezed9" in facts.notes[0]


def test_an_index_lists_what_belongs_to_the_model(tmp_path: Path) -> None:
    files = {"model-00001-of-00002.safetensors": 20 * GB, "consolidated.safetensors": 40 * GB}
    folder = _folder(tmp_path, _quantised("compressed_tensors_w4a16"), files)
    shards = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = {
        "metadata": {"total_size": 39_800_000_000},
        "weight_map": dict(zip("ab", shards, strict=True)),
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    facts = resolve_model(Model(path=str(folder)), base=Path()).facts
    assert facts.size_bytes == 39_800_000_000
    assert "1 of the 2 weight files" in facts.notes[0]


def test_pointers_say_the_size_of_what_they_point_to(tmp_path: Path) -> None:
    folder = _folder(tmp_path, LLAMA_70B, {})
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize {141 * GB}\n"
    (folder / "model.safetensors").write_text(text, encoding="utf-8")
    facts = resolve_model(Model(path=str(folder)), base=Path()).facts
    assert facts.size_bytes == 141 * GB
    assert "git lfs pull" in facts.notes[0]


def test_pickles_and_32_bits(tmp_path: Path) -> None:
    config = {**LLAMA_70B, "torch_dtype": "float32"}
    folder = _folder(tmp_path, config, {"pytorch_model.bin": 282 * GB})
    facts = resolve_model(Model(path=str(folder)), base=Path()).facts
    assert (facts.size_bytes, facts.notes) == (141 * GB, ())


def test_a_folder_s_name_is_its_whole_name(tmp_path: Path) -> None:
    for name in ("Llama-3.1-8B-Instruct", "Llama-3.2-3B-Instruct", "Qwen2.5-7B"):
        (tmp_path / name).mkdir()
        folder = _folder(tmp_path / name, LLAMA_70B, {})
        assert resolve_model(Model(path=str(folder)), base=Path()).name == name


def test_the_hub_s_cache_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "hub" / "models--someone--Some-Model"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text("abc\n", encoding="utf-8")
    (root / "snapshots" / "abc").mkdir(parents=True)
    _folder(root / "snapshots" / "abc", LLAMA_70B | {"max_position_embeddings": 8192}, {})
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    found = resolve_model(Model(id="someone/Some-Model"), base=Path())
    assert (found.location, found.path, found.notes) == ("someone/Some-Model", None, ())
    assert found.facts.kv_bytes_per_token() == 327680
    assert cached_snapshot("someone/Some-Model", "v2") is None


def test_what_is_not_known_is_noted_once_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    notes = resolve_model(Model(id="someone/some-model"), base=Path()).notes
    assert len(notes) == 1
    assert "size of the KV cache, size of the weights" in notes[0]
    assert "model.path" in notes[0]
