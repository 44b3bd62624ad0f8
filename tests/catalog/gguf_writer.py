"""Writes small GGUF files: any metadata, tensors of zeros."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

Value = int | str | bool | float | Sequence[int] | Sequence[bool]


def write_gguf(
    path: Path,
    architecture: str | None,
    keys: Mapping[str, Value],
    tensors: Mapping[str, tuple[int, ...]] = {"token_embd.weight": (64, 32)},
    *,
    bare: Mapping[str, int] = {},
    order: str = "<",
    version: int = 3,
) -> Path:
    """A file whose keys stand under its architecture; those of `bare` stand as they are.

    Args:
        tensors: name -> shape, float32. order: of bytes, as `struct` has it.
    """
    pairs = [] if architecture is None else [_pair(order, "general.architecture", architecture)]
    pairs += [_pair(order, f"{architecture}.{key}", value) for key, value in keys.items()]
    pairs += [_text(order, k) + struct.pack(f"{order}IH", 2, v) for k, v in bare.items()]
    head, offset = [struct.pack(f"{order}IQQ", version, len(tensors), len(pairs)), *pairs], 0
    for name, shape in tensors.items():
        size = 4
        for width in shape:
            size *= width
        sizes = struct.pack(f"{order}I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        head.append(_text(order, name) + sizes)
        offset += -(-size // 32) * 32
    written = b"GGUF" + b"".join(head)
    path.write_bytes(written + bytes(-len(written) % 32) + bytes(offset))
    return path


def _pair(order: str, key: str, value: Value) -> bytes:
    return _text(order, key) + _value(order, value)


def _value(order: str, value: Value) -> bytes:
    if isinstance(value, str):
        return struct.pack(f"{order}I", 8) + _text(order, value)
    if isinstance(value, bool):
        return struct.pack(f"{order}I?", 7, value)
    if isinstance(value, int):
        return struct.pack(f"{order}Ii", 5, value)
    if isinstance(value, float):
        return struct.pack(f"{order}If", 6, value)
    kind, form = (7, "?") if value and isinstance(value[0], bool) else (5, "i")
    count = len(value)
    return struct.pack(f"{order}IIQ{count}{form}", 9, kind, count, *value)


def _text(order: str, word: str) -> bytes:
    data = word.encode()
    return struct.pack(f"{order}Q", len(data)) + data
