"""A model in GGUF format, in one file or in all its shards.

A split model's shards are named `NAME-00001-of-00003.gguf`; the first carries the metadata and is
what llama.cpp is given (gguf-split of llama.cpp).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autotuner.catalog.gguf_file import BLOCKS, GgufFile, Tensor, read_file
from autotuner.errors import ModelError

_SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.DOTALL)
_EMBEDDING, _OUTPUT, _EXPERTS = "token_embd.weight", "output.weight", "_exps."
_MOST_SHARDS = 99_999


@dataclass(frozen=True)
class GgufParameters:
    """Counts of weights; `output` is the head's, which may be the embedding table used again."""

    dense: int
    experts: int
    embedding: int
    output: int

    def active(self, experts: int, used: int | None) -> int | None:
        """Weights that one token is multiplied with; None where the experts used are unknown."""
        if not experts:
            return self.dense + self.output
        if used is None:
            return None
        return self.dense + self.output + self.experts * used // experts


@dataclass(frozen=True)
class GgufHeader:
    """The header of a model file; None for what it leaves out.

    Attributes:
        path: of the file, the first where it is split.
        size_bytes: of all files.
        context_length: tokens the model was trained for.
        heads, kv_heads: the most that a layer has, where layers differ.
        metadata: every scalar key, and every short array of numbers.
        parameters: counts from the tensors' shapes; None where there are no tensors.
        vocabulary: rows of the embedding table.
        formats: type of tensor -> weights in it, the most frequent first.
    """

    path: Path
    size_bytes: int
    architecture: str | None
    name: str | None
    context_length: int | None
    layers: int | None
    heads: int | None
    kv_heads: int | None
    embedding_length: int | None
    metadata: dict[str, Any]
    parameters: GgufParameters | None = None
    vocabulary: int | None = None
    formats: Mapping[str, int] = field(default_factory=dict)

    def own(self, key: str) -> Any:
        """The value of a key of its architecture (`attention.head_count`); None if absent."""
        return self.metadata.get(f"{self.architecture}.{key}")

    def count(self, key: str) -> int | None:
        """The same as a count; of an array, which has one for each layer, the largest.

        Raises:
            ModelError: it is no count.
        """
        counts = self.counts(key)
        return max(counts) if counts else None

    def counts(self, key: str) -> tuple[int, ...]:
        """The same as counts, one where it holds for all layers; none where it is absent."""
        found = self.own(key)
        values = found if isinstance(found, tuple) else () if found is None else (found,)
        if any(not isinstance(value, int) or value < 0 for value in values):
            raise ModelError(
                f"{self.path} is a damaged GGUF file: {self.architecture}.{key} is {found!r:.80}",
                remedy="download or convert it again",
            )
        return tuple(int(value) for value in values)


def read_gguf(path: Path) -> GgufHeader:
    """Reads the header of the model at `path`: its file, or all its shards.

    Raises:
        ModelError: no such file, unreadable, no (whole) GGUF, a shard that is not the first, or a
            shard that is missing.
    """
    first = read_file(path)
    files = _with_all_shards(first)
    tensors = {name: tensor for file in files for name, tensor in file.tensors.items()}
    header = GgufHeader(
        path=path,
        size_bytes=sum(file.size_bytes for file in files),
        architecture=_text(first.metadata.get("general.architecture")),
        name=_text(first.metadata.get("general.name")),
        context_length=None,
        layers=None,
        heads=None,
        kv_heads=None,
        embedding_length=None,
        metadata=first.metadata,
        parameters=_parameters(tensors),
        vocabulary=tensors[_EMBEDDING].shape[-1] if _has_table(tensors) else None,
        formats=_formats(tensors.values()),
    )
    return replace(
        header,
        context_length=header.count("context_length"),
        layers=header.count("block_count"),
        heads=header.count("attention.head_count"),
        kv_heads=header.count("attention.head_count_kv"),
        embedding_length=header.count("embedding_length"),
    )


def model_name(path: Path) -> str:
    """The name of the file, without the ending and without the number of its shard."""
    shard = _SHARD.fullmatch(path.name)
    return shard.group(1) if shard else path.stem


def shards_of(path: Path) -> tuple[Path, ...]:
    """The file, and by its name the other shards of its model that lie beside it; all of them where
    it is on another machine."""
    shard = _SHARD.fullmatch(path.name)
    if shard is None:
        return (path,)
    name, count = shard.group(1), int(shard.group(3))
    all_of_it = (path.with_name(f"{name}-{i + 1:05d}-of-{count:05d}.gguf") for i in range(count))
    is_here = path.exists()
    return tuple(one for one in all_of_it if one == path or not is_here or one.exists())


def _with_all_shards(first: GgufFile) -> list[GgufFile]:
    path, metadata = first.path, first.metadata
    count, number = metadata.get("split.count", 1), metadata.get("split.no", 0)
    if not all(isinstance(value, int) and 0 <= value <= _MOST_SHARDS for value in (count, number)):
        raise _damaged(path, f"it says that it is part {number!r} of {count!r}")
    if count <= 1:
        return [first]
    shard = _SHARD.fullmatch(path.name)
    name = shard.group(1) if shard else path.stem
    others = [path.with_name(f"{name}-{i + 1:05d}-of-{count:05d}.gguf") for i in range(count)]
    if number != 0:
        raise ModelError(
            f"{path} is part {number + 1} of a model in {count} files",
            remedy=f"give the first shard, {others[0].name}; the engine finds the others beside it",
        )
    if path.name != others[0].name:
        raise ModelError(
            f"{path} is the first of {count} files, and is not named as such",
            remedy=f"name the files as they were downloaded: {others[0].name} and so on",
        )
    missing = [other.name for other in others if not other.exists()]
    if missing:
        raise ModelError(
            f"{path} is the first of {count} files, and {missing[0]} is missing beside it"
            + (f" ({len(missing)} are)" if len(missing) > 1 else ""),
            remedy="download all of them into one folder",
        )
    files = [first, *(read_file(other) for other in others[1:])]
    for index, file in enumerate(files):
        if (file.metadata.get("split.no"), file.metadata.get("split.count")) != (index, count):
            raise _damaged(file.path, f"it does not say that it is part {index + 1} of {count}")
    announced = metadata.get("split.tensors.count")
    found = sum(len(file.tensors) for file in files)
    if announced is not None and announced != found:
        raise _damaged(path, f"its files hold {found} tensors, and {announced} are announced")
    return files


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path} is a damaged GGUF file: {why}", remedy="download or convert it again"
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _has_table(tensors: Mapping[str, Tensor]) -> bool:
    return _EMBEDDING in tensors and bool(tensors[_EMBEDDING].shape)


def _parameters(tensors: Mapping[str, Tensor]) -> GgufParameters | None:
    """Counts by the tensors' standard names: https://github.com/ggml-org/ggml gguf.md."""
    if not _has_table(tensors):
        return None
    sizes = {name: tensor.weights for name, tensor in tensors.items()}
    table, output = sizes[_EMBEDDING], sizes.get(_OUTPUT)
    experts = sum(size for name, size in sizes.items() if _EXPERTS in name)
    embedding = table + (output or 0)
    return GgufParameters(
        dense=sum(sizes.values()) - experts - embedding,
        experts=experts,
        embedding=embedding,
        output=output or table,
    )


def _formats(tensors: Iterable[Tensor]) -> dict[str, int]:
    weights: dict[str, int] = {}
    for tensor in tensors:
        name = BLOCKS[tensor.kind][0] if tensor.kind in BLOCKS else f"type {tensor.kind}"
        weights[name] = weights.get(name, 0) + tensor.weights
    return dict(sorted(weights.items(), key=lambda item: -item[1]))
