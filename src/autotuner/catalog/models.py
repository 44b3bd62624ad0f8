"""From a model's id or path to what is known of it, and where it lies."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from autotuner.catalog.facts import ModelFacts
from autotuner.catalog.gguf import GgufHeader, read_gguf
from autotuner.catalog.introspect import facts_from_config, facts_from_folder, facts_from_gguf
from autotuner.config import Model, nearest
from autotuner.errors import ModelError


@dataclass(frozen=True)
class KnownModel:
    """A row of the registry. `package` and `file`: a GGUF that a Python package carries."""

    id: str
    aliases: tuple[str, ...] = ()
    config: Mapping[str, Any] | None = None
    package: str | None = None
    file: str | None = None
    install: str = ""

    @functools.cached_property
    def facts(self) -> ModelFacts:
        """What its configuration says; nothing, where only a package carries it."""
        return facts_from_config(self.config) if self.config else ModelFacts()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it goes by: id, aliases, and both without their owner."""
        full = (self.id, *self.aliases)
        return (*full, *(name.rpartition("/")[2] for name in full if "/" in name))


@dataclass(frozen=True)
class ResolvedModel:
    """A model and what is known of it.

    Attributes:
        name: what requests call it.
        location: what the engine is given: a path, or a hub id to be downloaded.
        path: where it lies on this machine; None for a hub id.
        header: of a GGUF file; None for any other format.
        revision: of a hub's model; None for its newest.
    """

    name: str
    location: str
    facts: ModelFacts = field(default_factory=ModelFacts)
    path: Path | None = None
    header: GgufHeader | None = None
    revision: str | None = None


def known_models() -> Mapping[str, KnownModel]:
    """The registry by id."""
    return _registry()


def known_model(name: str) -> KnownModel | None:
    """The model of that id or alias, with or without its owner, whatever its case."""
    return _by_name().get(name.lower())


def resolve_model(model: Model, *, base: Path) -> ResolvedModel:
    """What `model` is; a relative path counts from `base`.

    An id with an owner (`org/name`) that the catalog does not know is taken as a hub's: nothing is
    known of it but its name.

    Raises:
        ModelError: unknown id, package not installed, no such file, a folder without config, or
            the revision of a model that is no hub's.
    """
    if model.path is None:
        return _from_registry(model)
    _refuse_revision(model, model.path)
    path = Path(model.path).expanduser()
    path = Path(os.path.normpath(path if path.is_absolute() else base / path))
    name = model.served_name or model.id or path.stem
    if path.is_dir():
        return ResolvedModel(name, str(path), facts_from_folder(path), path)
    header = read_gguf(path)
    return ResolvedModel(name, str(path), facts_from_gguf(header), path, header)


def _from_registry(model: Model) -> ResolvedModel:
    wanted = model.id or ""
    known = known_model(wanted)
    if known is None:
        if wanted.count("/") == 1:
            return ResolvedModel(model.served_name or wanted, wanted, revision=model.revision)
        every = [name for row in _registry().values() for name in row.names]
        raise ModelError(
            f"model.id: {wanted!r} is not in the catalog; {nearest(wanted, every)}",
            remedy="give a hub's org/name, or model.path with a model folder or GGUF file",
        )
    if known.package is None:
        location = wanted if "/" in wanted else known.id
        return ResolvedModel(
            model.served_name or location, location, known.facts, revision=model.revision
        )
    _refuse_revision(model, wanted)
    found = importlib.util.find_spec(known.package)
    if found is None or found.origin is None:
        raise ModelError(
            f"model.id {wanted!r}: the package {known.package} is not installed",
            remedy=known.install,
        )
    path = Path(found.origin).parent / (known.file or "")
    header = read_gguf(path)
    facts = facts_from_gguf(header)
    return ResolvedModel(model.served_name or known.id, str(path), facts, path, header)


def _refuse_revision(model: Model, place: str) -> None:
    if model.revision is not None:
        raise ModelError(
            f"model.revision: {model.revision!r} is a hub's; {place} lies on this machine",
            remedy="leave it out, or give model.id of a hub",
        )


@functools.cache
def _registry() -> dict[str, KnownModel]:
    folder = resources.files("autotuner.catalog")
    written = yaml.safe_load(folder.joinpath("models.yaml").read_text("utf-8"))
    configs = json.loads(folder.joinpath("configs.json").read_text("utf-8"))
    aliases: dict[str, list[str]] = written["aliases"]
    rows = {
        name: KnownModel(
            name,
            tuple(row["aliases"]),
            row.get("config"),
            row.get("package"),
            row.get("file"),
            row.get("install", ""),
        )
        for name, row in written["models"].items()
    }
    return rows | {
        name: KnownModel(name, tuple(aliases.get(name, ())), config)
        for name, config in configs.items()
    }


@functools.cache
def _by_name() -> dict[str, KnownModel]:
    return {name.lower(): row for row in _registry().values() for name in row.names}
