"""One GGUF file: magic, version, metadata and the tensors' shapes and types, never the weights.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from autotuner.errors import ModelError

_MAGIC = b"GGUF"
_OLDER = {b"lmgg": "GGML", b"ggml": "GGML", b"fmgg": "GGMF", b"tjgg": "GGJT", b"algg": "GGLA"}
_VERSIONS = (2, 3)
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
_KEPT_ITEMS = 4096
"""Of an array: one value a layer; vocabularies are read over."""
_MAX_DIMENSIONS = 8
_MAX_ELEMENTS = 2**48
_DEFAULT_ALIGNMENT = 32
_LEAST_TENSOR_BYTES = struct.calcsize("<QIIQ")
_LEAST_PAIR_BYTES = struct.calcsize("<QIB")

BLOCKS: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}
"""Tensor type -> name, weights of a block, bytes of a block (ggml-common.h of llama.cpp)."""


@dataclass(frozen=True)
class Tensor:
    """Shape and type of one tensor; `bytes` is None where the type is not known here."""

    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def weights(self) -> int:
        """How many."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int | None:
        """Bytes of it in the file."""
        if self.kind not in BLOCKS:
            return None
        _, weights, size = BLOCKS[self.kind]
        return self.weights // weights * size


@dataclass(frozen=True)
class GgufFile:
    """The content of one file.

    Attributes:
        metadata: every scalar key, and every array of at most 4,096 numbers as a tuple.
        tensors: name -> shape and type.
    """

    path: Path
    size_bytes: int
    metadata: dict[str, Any]
    tensors: dict[str, Tensor]


def read_file(path: Path) -> GgufFile:
    """Reads the header of the file at `path`.

    Raises:
        ModelError: no such file, unreadable, or no (whole) GGUF.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            _check_magic(file.read(4), path)
            return _content(_Reader(file, size), path, size)
    except FileNotFoundError:
        raise ModelError(
            f"there is no model file or folder {path}",
            remedy="give the path of a folder with config.json and weights, or of a .gguf file",
        ) from None
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


def _check_magic(found: bytes, path: Path) -> None:
    if found in _OLDER:
        raise ModelError(
            f"{path} is a {_OLDER[found]} file, which came before GGUF and is no longer read",
            remedy="convert the model again with llama.cpp, or download it as GGUF",
        )
    if found != _MAGIC:
        raise ModelError(
            f"{path} is no GGUF file", remedy="give the path of a model in GGUF format"
        )


class _Reader:
    """Little-endian values in their order, within the file's size."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def number(self, form: str) -> Any:
        return struct.unpack(form, self._exactly(struct.calcsize(form)))[0]

    def string(self) -> str:
        length = self.number("<Q")
        self._require(length)
        return self._exactly(length).decode("utf-8", errors="replace")

    def count(self, least_bytes: int) -> int:
        """A number of things that take so many bytes each at the least."""
        count: int = self.number("<Q")
        self._require(count * least_bytes)
        return count

    def numbers(self, form: str, count: int) -> tuple[Any, ...]:
        whole = f"<{count}{form[1]}"
        return struct.unpack(whole, self._exactly(struct.calcsize(whole)))

    def skip(self, count: int) -> None:
        self._require(count)
        self._file.seek(count, 1)

    def skip_strings(self, count: int) -> None:
        # Vocabularies have 100,000 of them, and every command reads a model's header.
        length_at, place = struct.Struct("<Q").unpack_from, self._file.tell()
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            for _ in range(count):
                if place + 8 > self._size:
                    raise EOFError("it ends too early")
                place += 8 + length_at(whole, place)[0]
        self.skip(place - self._file.tell())

    def place(self) -> int:
        return self._file.tell()

    def _exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise EOFError("it ends too early")
        return data

    def _require(self, count: int) -> None:
        if count > self._size - self._file.tell():
            raise EOFError(f"it ends too early: {count} more bytes are announced")


def _content(reader: _Reader, path: Path, size: int) -> GgufFile:
    version = reader.number("<I")
    if version not in _VERSIONS:
        if int.from_bytes(version.to_bytes(4, "little"), "big") in _VERSIONS:
            raise ValueError("it is in big-endian byte order, which is not read here")
        raise ValueError(f"version {version} is not known; versions 2 and 3 are")
    count = reader.count(_LEAST_TENSOR_BYTES)
    metadata: dict[str, Any] = {}
    for _ in range(reader.count(_LEAST_PAIR_BYTES)):
        key = reader.string()
        value = _value(reader, reader.number("<I"))
        if value is not None:
            metadata[key] = value
    tensors = dict(_tensor(reader) for _ in range(count))
    _check_whole(tensors, _aligned(reader.place(), metadata), size)
    return GgufFile(path, size, metadata, tensors)


def _value(reader: _Reader, kind: int) -> Any:
    """A scalar, a tuple of numbers, or None for an array that is read over."""
    if kind == _STRING:
        return reader.string()
    if kind == _ARRAY:
        return _array(reader)
    if kind not in _SCALARS:
        raise ValueError(f"value type {kind} is not known")
    return reader.number(_SCALARS[kind])


def _array(reader: _Reader) -> tuple[Any, ...] | None:
    inner = reader.number("<I")
    if inner == _STRING:
        reader.skip_strings(reader.count(8))
        return None
    if inner not in _SCALARS:
        raise ValueError(f"an array of type {inner} is not known")
    form = _SCALARS[inner]
    count = reader.count(struct.calcsize(form))
    if count <= _KEPT_ITEMS:
        return reader.numbers(form, count)
    reader.skip(count * struct.calcsize(form))
    return None


def _tensor(reader: _Reader) -> tuple[str, Tensor]:
    name = reader.string()
    dimensions = reader.number("<I")
    if dimensions > _MAX_DIMENSIONS:
        raise ValueError(f"the tensor {name[:80]!r} has {dimensions} dimensions")
    shape = reader.numbers("<Q", dimensions)
    tensor = Tensor(shape, reader.number("<I"), reader.number("<Q"))
    if tensor.weights > _MAX_ELEMENTS:
        raise ValueError(f"the tensor {name[:80]!r} has {tensor.weights} weights")
    return name, tensor


def _aligned(place: int, metadata: Mapping[str, Any]) -> int:
    alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    if type(alignment) is not int or alignment < 1:
        raise ValueError(f"general.alignment is {alignment!r}")
    return -(-place // alignment) * alignment


def _check_whole(tensors: Mapping[str, Tensor], start: int, size: int) -> None:
    """A download that broke off has a whole header and too few weights."""
    ends = [start + t.offset + (t.bytes or 0) for t in tensors.values()]
    needed = max(ends, default=0)
    if needed > size:
        raise EOFError(f"it has {size} bytes, and its tensors reach to {needed}")
