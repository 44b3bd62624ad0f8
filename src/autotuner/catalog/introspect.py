"""`ModelFacts` from a model's own files: a `config.json`, a GGUF header, the weight files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autotuner.catalog.facts import GIB, ModelFacts
from autotuner.catalog.gguf_facts import facts_from_gguf
from autotuner.catalog.layers import Layers, layers_of
from autotuner.catalog.model_config import (
    context_of,
    head_size_of,
    is_type,
    kv_heads_of,
    text_of,
    theta_of,
)
from autotuner.catalog.parameters import (
    DENSE,
    STATE_BYTES,
    expert_intermediate_of,
    intermediate_of,
    mixer_of,
    parameters_of,
    shared_intermediate_of,
)
from autotuner.catalog.quantization import CheckpointQuantization
from autotuner.catalog.quantization_config import quantization_from_config
from autotuner.errors import ModelError

_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_PATTERNS = ("model*.safetensors", "*.safetensors", "pytorch_model*.bin", "*.bin", "*.pth")
_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class WeightFiles:
    """Weights as they lie in a folder.

    Attributes:
        size_bytes: of all weights, those that are not here yet among them; None where there is
            neither a file nor an index that says it.
        notes: what is not as it should be.
    """

    size_bytes: int | None
    notes: tuple[str, ...] = ()


def weight_files(folder: Path) -> WeightFiles:
    """The weights that a folder's index lists, or the files of the first format that is there.

    Safetensors go before pickles, and one model's files before copies in another layout, as
    engines load them.
    """
    for name in _INDEXES:
        index = _index(folder / name)
        if index is not None:
            return _listed(folder, name, index)
    for pattern in _PATTERNS:
        files = [file for file in sorted(folder.glob(pattern)) if file.is_file()]
        if files:
            sizes = [_size(file) for file in files]
            pointers = sum(pointed for _, pointed in sizes)
            return WeightFiles(sum(size for size, _ in sizes), _pointer_notes(pointers))
    return WeightFiles(None)


def _listed(folder: Path, name: str, index: dict[str, Any]) -> WeightFiles:
    listed = sorted({str(file) for file in index["weight_map"].values()})
    here = [_size(folder / file) for file in listed if (folder / file).is_file()]
    missing = len(listed) - len(here)
    notes = _pointer_notes(sum(pointed for _, pointed in here))
    total = (index.get("metadata") or {}).get("total_size")
    if not missing:
        return WeightFiles(sum(size for size, _ in here), notes)
    note = f"{missing} of the {len(listed)} weight files that {name} lists are not in the folder"
    return WeightFiles(int(total) if isinstance(total, int | float) else None, (*notes, note))


def _index(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("weight_map"), dict) else None


def _size(file: Path) -> tuple[int, bool]:
    """Bytes of a file, and whether it is a Git LFS pointer, whose file's size it says."""
    size = file.stat().st_size
    if size > 1024:
        return size, False
    with file.open("rb") as stream:
        text = stream.read()
    if not text.startswith(_POINTER):
        return size, False
    sizes = [
        line[5:] for line in text.decode("utf-8", "replace").splitlines() if line[:5] == "size "
    ]
    return int(sizes[0]) if sizes and sizes[0].isdigit() else size, True


def _pointer_notes(count: int) -> tuple[str, ...]:
    return (
        (f"{count} weight files are Git LFS pointers (`git lfs pull` fetches them)",)
        if count
        else ()
    )


__all__ = ["facts_from_config", "facts_from_folder", "facts_from_gguf"]

_COUNTS = (
    *("num_hidden_layers", "hidden_size", "num_attention_heads", "num_key_value_heads"),
    *("head_dim", "intermediate_size", "moe_intermediate_size", "vocab_size"),
    *("max_position_embeddings", "kv_lora_rank", "q_lora_rank", "qk_rope_head_dim"),
    *("qk_nope_head_dim", "v_head_dim", "experts", "experts_per_token", "n_shared_experts"),
    *("num_nextn_predict_layers", "sliding_window"),
)
"""Keys that hold whole numbers."""
_TOWERS = ("vision_config", "audio_config", "vision_encoder", "visual", "vit_config")
"""Parts of a configuration that are models for images or sound."""


def facts_from_config(config: Mapping[str, Any]) -> ModelFacts:
    """Facts from a Hugging Face `config.json`; multimodal ones keep the text model's in a part.

    Raises:
        ValueError: a count that is no whole number.
    """
    text = text_of(config)
    _check_counts(text)
    # A list holds one value for each layer: what it counts is not one number.
    uneven = [key for key in _COUNTS if isinstance(text.get(key), list)]
    values = _values_per_token(text)
    text = {key: value for key, value in text.items() if key not in uneven}
    named = config.get("architectures")
    experts, per_token = int(text.get("experts") or 0), text.get("experts_per_token")
    latent, rotary = text.get("kv_lora_rank"), text.get("qk_rope_head_dim", 0)
    layers = layers_of(text, experts)
    parts = {} if uneven else parameters_of(text, layers, experts, per_token or 0)
    raw = config.get("quantization_config") or text.get("quantization_config")
    raw = raw or config.get("compression_config") or config.get("quantization") or {}
    scheme = quantization_from_config(raw, layers.total)
    dense = {kind: count for kind, count in parts.items() if kind in DENSE and count}
    mixed = layers.cached is None or bool(layers.recurrent)
    kv_heads, head_size = kv_heads_of(text), head_size_of(text)
    return ModelFacts(
        architecture=str(named[0]) if isinstance(named, list) and named else None,
        attention="hybrid" if mixed else "mla" if latent else "gqa",
        layers=layers.total,
        attention_layers=layers.cached,
        windowed_layers=layers.windowed,
        window=text.get("sliding_window") or text.get("attention_chunk_size"),
        state_bytes=_state_bytes(text, layers),
        hidden_size=text.get("hidden_size"),
        heads=text.get("num_attention_heads"),
        kv_heads=kv_heads,
        head_size=head_size,
        value_size=text.get("v_head_dim") or head_size,
        kv_latent=latent + rotary if latent else None,
        kv_values=values,
        vocabulary=text.get("vocab_size"),
        context_length=context_of(text),
        rope_theta=theta_of(text),
        experts=experts,
        experts_per_token=per_token,
        intermediate=intermediate_of(text, experts),
        shared_intermediate=shared_intermediate_of(text) if experts else None,
        moe_intermediate=expert_intermediate_of(text) if experts else None,
        mtp_layers=text.get("num_nextn_predict_layers") or 0,
        gemm_format=_dense_mode(scheme, dense),
        moe_format=_mode(scheme, "experts") if experts else None,
        quantization=scheme,
        dense_parameters=sum(dense.values()) if parts else None,
        dense_parts=tuple(dense.items()),
        expert_parameters=parts.get("experts"),
        embedding_parameters=parts.get("embedding"),
        active_parameters=parts.get("active"),
        notes=scheme.not_understood if scheme else (),
    )


def facts_from_folder(folder: Path) -> ModelFacts:
    """Facts of a model folder as a hub delivers it.

    Raises:
        ModelError: no `config.json` in it, or one that is not a JSON object.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"model.path: {folder} has no config.json",
            remedy="give a folder with config.json and weights, or a .gguf file",
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"model.path: {folder}/config.json cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise ModelError(f"model.path: {folder}/config.json is no JSON object")
    try:
        quantised = folder / "hf_quant_config.json"
        if quantised.exists() and "quantization_config" not in config:
            config["quantization_config"] = json.loads(quantised.read_text(encoding="utf-8"))
        facts = facts_from_config(config)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelError(
            f"model.path: the configuration in {folder} makes no sense: {error}",
            remedy="compare its config.json with the one on the hub",
        ) from None
    files = weight_files(folder)
    size = files.size_bytes
    if size is not None and _is_float32(config) and facts.quantization is None:
        # Engines load 32-bit weights in 16 bits.
        size //= 2
    facts = replace(facts, size_bytes=size, notes=(*facts.notes, *files.notes))
    towers = any(isinstance(config.get(key), dict) for key in _TOWERS)
    return replace(facts, notes=(*facts.notes, *_contradictions(facts, towers=towers)))


def _is_float32(config: Mapping[str, Any]) -> bool:
    inner = config.get("text_config")
    parts = (config, inner) if isinstance(inner, Mapping) else (config,)
    return any((part.get("torch_dtype") or part.get("dtype")) == "float32" for part in parts)


def _contradictions(facts: ModelFacts, *, towers: bool) -> tuple[str, ...]:
    """Notes where the files are not as large as the configuration says.

    Args:
        towers: other models, for images or sound, lie in the same files.
    """
    counted, size = facts.counted_gib, facts.size_bytes
    if (
        counted is None
        or size is None
        or not facts.files_differ
        or (towers and size > counted * GIB)
    ):
        return ()
    how = facts.quantization.method if facts.quantization else "16 bits"
    return (
        f"the weight files hold {size / GIB:.1f} GiB, and config.json ({how}) says "
        f"{counted:.1f} GiB: the files count; check that this config.json is theirs",
    )


def _check_counts(text: Mapping[str, Any]) -> None:
    for key in _COUNTS:
        value = text.get(key)
        if value is None or isinstance(value, list):
            continue
        if type(value) is not int or value < 0:
            raise ValueError(f"{key} is {value!r}, and has to be a whole number")


def _values_per_token(text: Mapping[str, Any]) -> int | None:
    """Keys and values that a token keeps over all layers, where layers differ in how many."""
    size, heads = head_size_of(text), text.get("num_attention_heads")
    blocks, listed = text.get("block_configs"), text.get("num_key_value_heads")
    if isinstance(listed, list) and size:
        return 2 * size * sum(int(count) for count in listed)
    if isinstance(blocks, list) and size and heads:
        shares = [(block.get("attention") or {}).get("n_heads_in_group") for block in blocks]
        return 2 * size * sum(int(heads) // int(share) for share in shares if share)
    wide, kinds = text.get("global_head_dim"), text.get("layer_types")
    if wide and kinds and size:
        kinds = kinds if isinstance(kinds, Mapping) else Counter(kinds)
        own = text.get("num_key_value_heads") or 0
        shared = text.get("num_global_key_value_heads") or own
        every = kinds.get("full_attention", 0) * shared * wide
        return int(2 * (every + kinds.get("sliding_attention", 0) * own * size))
    return None


def _state_bytes(text: Mapping[str, Any], layers: Layers) -> int:
    """Bytes of a sequence's recurrent states over all layers; 0 where there are none."""
    beside = is_type(text, "mixer_beside_attention")
    count = (layers.cached or 0) if beside else layers.recurrent
    mixer = mixer_of(text) if count else None
    return count * mixer.state_values * STATE_BYTES if mixer else 0


def _mode(scheme: CheckpointQuantization | None, kind: str) -> str | None:
    return "bfloat16" if scheme is None else scheme.mode(kind)


def _dense_mode(scheme: CheckpointQuantization | None, dense: Mapping[str, int]) -> str | None:
    """Mode of most weights of the dense matrices."""
    counts: Counter[str | None] = Counter()
    for kind, count in (dense or {"mlp": 1}).items():
        if kind != "router":
            counts[_mode(scheme, kind)] += count
    return counts.most_common(1)[0][0] if counts else None
