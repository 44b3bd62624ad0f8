"""Reads the header of a GGUF file: magic, version, metadata and tensor shapes, never the weights.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from autotuner.errors import ModelError

_MAGIC = b"GGUF"
_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
_MAX_STRING_BYTES = 64 << 20
_MAX_ITEMS = 1 << 24
_MAX_DIMENSIONS = 8
_EMBEDDING, _OUTPUT, _EXPERTS = "token_embd.weight", "output.weight", "_exps."


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
    """What a model file says of itself; None where it is silent.

    Attributes:
        size_bytes: of the whole file.
        context_length: tokens the model was trained for.
        metadata: every scalar key; arrays are left out.
        parameters: counts from the tensors' shapes; None where there are no tensors.
        vocabulary: rows of the embedding table.
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


def read_gguf(path: Path) -> GgufHeader:
    """Reads the header of the file at `path`.

    Raises:
        ModelError: no such file, unreadable, or no (whole) GGUF.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != _MAGIC:
                raise ModelError(
                    f"{path} is no GGUF file", remedy="give the path of a model in GGUF format"
                )
            metadata, shapes = _content(file)
        size = path.stat().st_size
    except FileNotFoundError:
        raise ModelError(f"there is no model file {path}") from None
    except IsADirectoryError:
        raise ModelError(
            f"{path} is a folder", remedy="llama.cpp serves a single .gguf file; give its path"
        ) from None
    except (struct.error, EOFError, ValueError) as error:
        raise ModelError(
            f"{path} is a damaged GGUF file: {error}", remedy="download or convert it again"
        ) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    architecture = metadata.get("general.architecture")

    def own(key: str) -> Any:
        return metadata.get(f"{architecture}.{key}")

    return GgufHeader(
        path=path,
        size_bytes=size,
        architecture=architecture,
        name=metadata.get("general.name"),
        context_length=own("context_length"),
        layers=own("block_count"),
        heads=own("attention.head_count"),
        kv_heads=own("attention.head_count_kv"),
        embedding_length=own("embedding_length"),
        metadata=metadata,
        parameters=_parameters(shapes),
        vocabulary=shapes[_EMBEDDING][-1] if _EMBEDDING in shapes else None,
    )


def _parameters(shapes: dict[str, tuple[int, ...]]) -> GgufParameters | None:
    """Counts by the tensors' standard names: https://github.com/ggml-org/ggml gguf.md."""
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    if _EMBEDDING not in sizes:
        return None
    table, output = sizes[_EMBEDDING], sizes.get(_OUTPUT)
    experts = sum(size for name, size in sizes.items() if _EXPERTS in name)
    embedding = table + (output or 0)
    return GgufParameters(
        dense=sum(sizes.values()) - experts - embedding,
        experts=experts,
        embedding=embedding,
        output=output or table,
    )


def _content(file: BinaryIO) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    """Metadata, and the shape of every tensor by its name."""
    version = _number(file, "<I")
    if version not in (2, 3):
        raise ValueError(f"version {version} is not known")
    tensors = _bounded(_number(file, "<Q"), _MAX_ITEMS)
    found: dict[str, Any] = {}
    for _ in range(_bounded(_number(file, "<Q"), _MAX_ITEMS)):
        key = _string(file)
        value = _value(file, _number(file, "<I"))
        if not isinstance(value, _Skipped):
            found[key] = value
    return found, dict(_shape(file) for _ in range(tensors))


def _shape(file: BinaryIO) -> tuple[str, tuple[int, ...]]:
    name = _string(file)
    dimensions = _bounded(_number(file, "<I"), _MAX_DIMENSIONS)
    shape = tuple(_number(file, "<Q") for _ in range(dimensions))
    file.seek(struct.calcsize("<IQ"), 1)
    return name, shape


class _Skipped:
    """An array: read over, not kept."""


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        inner, count = _number(file, "<I"), _bounded(_number(file, "<Q"), _MAX_ITEMS)
        if inner in _SCALARS:
            file.seek(struct.calcsize(_SCALARS[inner]) * count, 1)
        else:
            for _ in range(count):
                _value(file, inner)
        return _Skipped()
    if kind not in _SCALARS:
        raise ValueError(f"value type {kind} is not known")
    return _number(file, _SCALARS[kind])


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, _exactly(file, struct.calcsize(form)))[0]


def _string(file: BinaryIO) -> str:
    length = _bounded(_number(file, "<Q"), _MAX_STRING_BYTES)
    return _exactly(file, length).decode("utf-8", errors="replace")


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise EOFError("it ends too early")
    return data


def _bounded(count: int, limit: int) -> int:
    if count > limit:
        raise ValueError(f"a length of {count} is out of bounds")
    return count
