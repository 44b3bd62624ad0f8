"""From a model's id or path to the file on this machine."""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from autotuner.catalog.gguf import GgufHeader, read_gguf
from autotuner.config import Model, nearest
from autotuner.errors import ModelError


@dataclass(frozen=True)
class ResolvedModel:
    """A model found on this machine. `name` is what requests call it."""

    name: str
    path: Path
    header: GgufHeader


def known_models() -> dict[str, dict[str, Any]]:
    """The registry: id -> its row."""
    return dict(_registry())


def resolve_model(model: Model, *, base: Path) -> ResolvedModel:
    """Finds the file of `model`; a relative path counts from `base`.

    Raises:
        ModelError: unknown id, package not installed, no such file, or no GGUF.
    """
    if model.path is not None:
        path = Path(model.path).expanduser()
        path = path if path.is_absolute() else base / path
        default_name = model.id or path.stem
    else:
        default_name, path = _from_registry(model.id or "")
    return ResolvedModel(model.served_name or default_name, path, read_gguf(path))


def _from_registry(wanted: str) -> tuple[str, Path]:
    for name, row in _registry().items():
        if wanted.lower() not in {name.lower(), *(alias.lower() for alias in row["aliases"])}:
            continue
        found = importlib.util.find_spec(row["package"])
        if found is None or found.origin is None:
            raise ModelError(
                f"model.id {wanted!r}: the package {row['package']} is not installed",
                remedy=row["install"],
            )
        return name, Path(found.origin).parent / row["file"]
    hint = nearest(wanted, list(_registry()))
    raise ModelError(
        f"model.id: {wanted!r} is not in the catalog; {hint}",
        remedy="give model.path with a GGUF file on this machine",
    )


@functools.cache
def _registry() -> dict[str, dict[str, Any]]:
    text = resources.files("autotuner.catalog").joinpath("models.yaml").read_text("utf-8")
    rows: dict[str, dict[str, Any]] = yaml.safe_load(text)["models"]
    return rows
