"""Models by id and path, and the header of a GGUF file."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import model_named, read_gguf, resolve_model
from autotuner.config import Model
from autotuner.errors import ModelError


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(pairs: list[bytes]) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs)


HEADER = gguf(
    [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b"),
        text("llama.context_length") + struct.pack("<II", 4, 2048),
    ]
)


def tensor(name: str, *shape: int) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, 0)


def test_parameters_are_counted_from_the_tensors_shapes(tmp_path: Path) -> None:
    tensors = [
        tensor("token_embd.weight", 4, 100),
        tensor("blk.0.attn_q.weight", 4, 4),
        tensor("blk.0.ffn_up_exps.weight", 4, 8, 6),
    ]
    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("llama.expert_count") + struct.pack("<II", 4, 6),
        text("llama.expert_used_count") + struct.pack("<II", 4, 2),
    ]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs))
    (tmp_path / "m.gguf").write_bytes(head + b"".join(pairs + tensors) + bytes(4096))
    facts = resolve_model(Model(path="m.gguf"), base=tmp_path).facts
    assert (facts.dense_parameters, facts.expert_parameters) == (16, 4 * 8 * 6)
    assert (facts.embedding_parameters, facts.vocabulary) == (400, 100)
    # Without a head of its own the table is used again; 2 of 6 experts count.
    assert facts.active_parameters == 16 + 400 + 64


def test_a_packaged_models_parameters_are_those_published() -> None:
    facts = resolve_model(Model(id="smollm2-135m"), base=Path()).facts
    assert facts.parameters == pytest.approx(134.5e6, rel=0.001)


def test_the_packaged_model_is_found_by_id_and_by_hub_name() -> None:
    one = resolve_model(Model(id="smollm2-135m"), base=Path())
    two = resolve_model(Model(id="HuggingFaceTB/SmolLM2-135M-Instruct"), base=Path())
    assert one == two
    header = one.header
    assert (header.architecture, header.context_length, header.kv_heads) == ("llama", 8192, 3)


def test_a_relative_path_counts_from_the_task_file(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(HEADER)
    found = resolve_model(Model(path="m.gguf"), base=tmp_path)
    assert (found.name, found.header.context_length) == ("m", 2048)


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(ModelError, match="did you mean 'smollm2-135m'"):
        resolve_model(Model(id="smollm-135m"), base=Path())


@pytest.mark.parametrize("word", ["-org/m", "org/a\u00a0b", " ", "a\0b"])
def test_a_word_that_no_engine_can_be_given_names_no_model(word: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^model\.id: "):
        model_named(word, base=tmp_path)


def test_a_word_too_long_for_a_path_is_an_id(tmp_path: Path) -> None:
    word = "a" * 300
    assert model_named(word, base=tmp_path) == Model(id=word)


def test_what_is_no_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="no GGUF"):
        read_gguf(tmp_path / "m.gguf")
    with pytest.raises(ModelError, match="no model file"):
        read_gguf(tmp_path / "none.gguf")
    with pytest.raises(ModelError, match="folder"):
        read_gguf(tmp_path)


@given(st.integers(4, len(HEADER) - 1))
def test_a_file_cut_short_is_refused_and_never_crashes(length: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.gguf"
        path.write_bytes(HEADER[:length])
        with pytest.raises(ModelError, match="damaged"):
            read_gguf(path)


@pytest.mark.parametrize("name", ["meta-llama/Llama-3.1-8B", "someone/a-model"])
def test_a_hubs_model_keeps_its_revision(name: str) -> None:
    assert resolve_model(Model(id=name, revision="v1"), base=Path()).revision == "v1"


@pytest.mark.parametrize("ending", ["", ".gguf"])
@pytest.mark.parametrize(("own", "served"), [("-m-1", "m-1"), ("---", "model")])
def test_a_file_whose_name_begins_like_a_flag_is_served_without_the_dash(
    own: str, served: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{own}{ending}"
    if ending:
        path.write_bytes(HEADER)
    else:
        path.mkdir()
        (path / "config.json").write_text("{}")
    assert resolve_model(Model(path=str(path)), base=Path()).name == served


def test_what_lies_here_has_no_revision(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.revision: 'v1' is a hub's"):
        resolve_model(Model(path=str(tmp_path), revision="v1"), base=Path())
    with pytest.raises(ModelError, match=r"model\.revision: 'v1' is a hub's"):
        resolve_model(Model(id="smollm2-135m", revision="v1"), base=Path())
