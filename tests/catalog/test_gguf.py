"""GGUF models: shards, layers that differ, and files that are not whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gguf_writer import Value, write_gguf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autotuner.catalog import ModelFacts, read_gguf, resolve_model
from autotuner.catalog.introspect import facts_from_gguf
from autotuner.config import Model
from autotuner.errors import ModelError


def facts(folder: Path, architecture: str, **keys: Value) -> ModelFacts:
    written = {key.replace("__", "."): value for key, value in keys.items()}
    return facts_from_gguf(read_gguf(write_gguf(folder / "m.gguf", architecture, written)))


def sparse(count: int, heads: int, *attending: int) -> list[int]:
    return [heads if i in attending else 0 for i in range(count)]


PLAIN: dict[str, Any] = {"block_count": 8, "embedding_length": 512, "attention__head_count": 8}


@pytest.mark.parametrize(
    ("architecture", "keys", "attention", "layers", "per_token"),
    [
        # 32 layers x 8 heads x (128 + 128) x 2 bytes.
        (
            "llama",
            {
                "block_count": 32,
                "embedding_length": 4096,
                "attention__head_count": 32,
                "attention__head_count_kv": 8,
            },
            "gqa",
            32,
            131072,
        ),
        # The latent of 512 and 64 rotary values, in 61 layers.
        (
            "deepseek2",
            {
                "block_count": 61,
                "embedding_length": 7168,
                "attention__head_count": 128,
                "attention__head_count_kv": 1,
                "attention__key_length": 576,
                "attention__value_length": 512,
                "attention__key_length_mla": 192,
                "attention__value_length_mla": 128,
                "attention__kv_lora_rank": 512,
            },
            "mla",
            61,
            61 * 576 * 2,
        ),
        # Converted before the latent was cached: whole heads, keys wider than values.
        (
            "deepseek2",
            {
                "block_count": 61,
                "embedding_length": 7168,
                "attention__head_count": 128,
                "attention__head_count_kv": 128,
                "attention__key_length": 192,
                "attention__value_length": 128,
                "attention__kv_lora_rank": 512,
            },
            "gqa",
            61,
            61 * 128 * (192 + 128) * 2,
        ),
        (
            "lfm2",
            {
                "block_count": 16,
                "embedding_length": 2048,
                "attention__head_count": 32,
                "attention__head_count_kv": sparse(16, 8, 2, 5, 8, 10, 12, 14),
                "shortconv__l_cache": 3,
            },
            "hybrid",
            6,
            6 * 8 * 128 * 2,
        ),
        (
            "granitehybrid",
            {
                "block_count": 40,
                "embedding_length": 4096,
                "attention__head_count": 32,
                "attention__head_count_kv": sparse(40, 8, 5, 15, 25, 35),
                "ssm__state_size": 128,
            },
            "hybrid",
            4,
            4 * 8 * 256 * 2,
        ),
        (
            "nemotron_h",
            {
                "block_count": 6,
                "embedding_length": 4096,
                "attention__head_count": 32,
                "attention__head_count_kv": [0, 0, 8, 0, 0, 8],
                "feed_forward_length": [0, 100, 0, 0, 100, 0],
                "attention__key_length": 128,
                "attention__value_length": 128,
                "ssm__state_size": 128,
                "ssm__inner_size": 8192,
            },
            "hybrid",
            2,
            2 * 8 * 256 * 2,
        ),
        ("mamba", {**PLAIN, "ssm__state_size": 16}, "hybrid", 0, 0),
        ("rwkv7", {**PLAIN, "wkv__head_size": 64}, "hybrid", 0, 0),
        ("falcon-h1", {**PLAIN, "ssm__state_size": 16}, "hybrid", 8, 8 * 8 * 128 * 2),
        ("qwen3next", {**PLAIN, "ssm__state_size": 16}, "hybrid", 2, 2 * 8 * 128 * 2),
        # Layers with other heads than their neighbours, one of them without any.
        ("deci", {**PLAIN, "attention__head_count_kv": [8, 8, 4, 0, 2, 2, 4, 8]}, "gqa", 7, 9216),
        # The last layer drafts tokens, and keeps none.
        ("glm4moe", {**PLAIN, "nextn_predict_layers": 1}, "gqa", 7, 7 * 8 * 256),
        # A state, and nothing that says in which layers: unknown, never all.
        ("newhybrid", {**PLAIN, "ssm__state_size": 16}, "hybrid", None, None),
        ("llama", {**PLAIN, "attention__head_count_kv": [8, 8]}, "hybrid", None, None),
        ("gemma4", {**PLAIN, "attention__key_length": 512, "attention__key_length_swa": 256},
         "hybrid", None, None),
    ],
)  # fmt: skip
def test_a_token_takes_what_the_layers_keep(
    architecture: str,
    keys: dict[str, Value],
    attention: str,
    layers: int | None,
    per_token: float | None,
    tmp_path: Path,
) -> None:
    found = facts(tmp_path, architecture, **keys)
    assert (found.attention, found.attention_layers) == (attention, layers)
    assert found.kv_bytes_per_token() == per_token


def test_layers_that_do_not_attend_keep_a_state(tmp_path: Path) -> None:
    # 4 bytes x (3 last inputs of 8192 + 2 x 8 x 128, and 128 x 8192), in two layers.
    keys = {
        "attention__head_count_kv": [0, 0, 8, 0, 0, 8],
        "feed_forward_length": [0, 100, 0, 0, 100, 0],
        "ssm__state_size": 128,
        "ssm__inner_size": 8192,
        "ssm__conv_kernel": 4,
        "ssm__group_count": 8,
    }
    found = facts(tmp_path, "nemotron_h", **{**PLAIN, "block_count": 6, **keys})  # type: ignore[arg-type]
    assert found.state_bytes == 2 * 4 * (3 * (8192 + 2048) + 128 * 8192)


@pytest.mark.parametrize(
    ("architecture", "pattern", "windowed"),
    [
        ("gemma3", None, 22),
        ("gemma2", None, 13),
        ("phi3", None, 0),
        ("any", [True, True, False] * 8 + [True, False], 17),
        ("any", 13, 24),
    ],
)
def test_windows_are_counted_where_the_pattern_is_known(
    architecture: str, pattern: Value | None, windowed: int, tmp_path: Path
) -> None:
    keys: dict[str, Value] = {**PLAIN, "block_count": 26, "attention__sliding_window": 512}
    if pattern is not None:
        keys["attention__sliding_window_pattern"] = pattern
    found = facts(tmp_path, architecture, **keys)
    assert (found.windowed_layers, found.window) == (windowed, 512 if windowed else None)


def shards(folder: Path, count: int = 3) -> list[Path]:
    names = [folder / f"m-{i + 1:05d}-of-{count:05d}.gguf" for i in range(count)]
    for index, path in enumerate(names):
        keys: dict[str, Value] = PLAIN if index == 0 else {}
        tensors = {"token_embd.weight": (64, 32)} if index == 0 else {f"blk.{index}.w": (8, 4)}
        bare = {"split.no": index, "split.count": count}
        architecture = "llama" if index == 0 else None
        plain = {key.replace("__", "."): value for key, value in keys.items()}
        write_gguf(path, architecture, plain, tensors, bare=bare)
    return names


def test_a_split_model_is_all_its_shards(tmp_path: Path) -> None:
    files = shards(tmp_path)
    model = resolve_model(Model(path=str(files[0])), base=tmp_path)
    assert model.name == "m"
    assert model.location == str(files[0])
    assert model.facts.parameters == 64 * 32 + 2 * 8 * 4
    assert model.facts.size_bytes == sum(file.stat().st_size for file in files)


def test_only_the_first_shard_is_the_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="part 2 of a model in 3 files") as error:
        read_gguf(shards(tmp_path)[1])
    assert "give the first shard, m-00001-of-00003.gguf" in (error.value.remedy or "")


def test_a_shard_that_is_not_there_is_named(tmp_path: Path) -> None:
    files = shards(tmp_path)
    files[1].unlink()
    with pytest.raises(ModelError, match=r"m-00002-of-00003\.gguf is missing beside it"):
        read_gguf(files[0])


def test_shards_of_other_names_or_models_are_refused(tmp_path: Path) -> None:
    files = shards(tmp_path)
    other = files[0].rename(tmp_path / "renamed.gguf")
    with pytest.raises(ModelError, match="is not named as such"):
        read_gguf(other)
    other.rename(files[0])
    files[2].write_bytes(files[1].read_bytes())
    with pytest.raises(ModelError, match="does not say that it is part 3 of 3"):
        read_gguf(files[0])


def test_types_of_tensors_are_shown(tmp_path: Path) -> None:
    assert read_gguf(write_gguf(tmp_path / "m.gguf", "llama", {})).formats == {"F32": 64 * 32}


def test_a_download_that_broke_off_is_no_model(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", "llama", {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="its tensors reach to"):
        read_gguf(path)


def test_other_orders_versions_and_ancestors_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    with pytest.raises(ModelError, match="big-endian"):
        read_gguf(write_gguf(path, "llama", {}, order=">"))
    with pytest.raises(ModelError, match="version 1 is not known"):
        read_gguf(write_gguf(path, "llama", {}, version=1))
    path.write_bytes(b"tjgg" + bytes(64))
    with pytest.raises(ModelError, match="GGJT file, which came before GGUF"):
        read_gguf(path)


@pytest.mark.parametrize(
    "keys",
    [
        {"block_count": "many"},
        {"block_count": -1},
        {"attention.head_count_kv": [8, -8]},
        {"context_length": 1.5},
    ],
)
def test_a_key_that_is_no_count_is_named(keys: dict[str, Value], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=next(iter(keys))):
        read_gguf(write_gguf(tmp_path / "m.gguf", "llama", keys))


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_whatever_bytes_a_file_has_it_is_read_or_refused_in_a_line(
    data: st.DataObject, tmp_path: Path
) -> None:
    path = write_gguf(tmp_path / "m.gguf", "lfm2", {"block_count": 4, "a": [1, 2], "b": "c"})
    content = bytearray(path.read_bytes()[:400])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(4, len(content) - 1))
        content[place] = data.draw(st.sampled_from([0, 1, 9, 127, 255]))
    path.write_bytes(bytes(content) + bytes(data.draw(st.sampled_from([0, 10000]))))
    try:
        facts_from_gguf(read_gguf(path))
    except ModelError as error:
        assert len(error.message) < 1000
