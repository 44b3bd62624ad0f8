"""Sizes of the weight files in a model's folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    said = f"{missing} of the {len(listed)} weight files that {name} lists are not in the folder"
    return WeightFiles(int(total) if isinstance(total, int | float) else None, (*notes, said))


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
    said = [
        line[5:] for line in text.decode("utf-8", "replace").splitlines() if line[:5] == "size "
    ]
    return int(said[0]) if said and said[0].isdigit() else size, True


def _pointer_notes(count: int) -> tuple[str, ...]:
    return (
        (f"{count} weight files are Git LFS pointers (`git lfs pull` fetches them)",)
        if count
        else ()
    )
