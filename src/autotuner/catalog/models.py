"""Models by id or path: what is known of each, and where it lies on this machine."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from autotuner.catalog.facts import ModelFacts
from autotuner.catalog.gguf import GgufHeader, model_name, read_gguf
from autotuner.catalog.introspect import facts_from_config, facts_from_folder, facts_from_gguf
from autotuner.config import Model, nearest
from autotuner.config.tables import packaged_table
from autotuner.errors import ModelError

GIVE_CONFIG = (
    "give a folder with its config.json (model.path), or have it in the Hugging Face cache"
)
"""Remedy where nothing is known of a hub's model."""
_PATH = re.compile(r"^[./~]|\.gguf$", re.IGNORECASE)


def cached_snapshot(
    name: str, revision: str | None = None, environment: Mapping[str, str] = os.environ
) -> Path | None:
    """The folder of a hub's model in the cache, with its `config.json`; None where it is not there.

    Args:
        name: with its owner, `org/name`.
        revision: a branch, a tag or a commit; `main` where left out.
        environment: names the cache (`HF_HUB_CACHE`, or `HF_HOME` that holds `hub`).
    """
    if name.count("/") != 1 or ".." in name:
        return None
    root = hub_cache(environment) / f"models--{name.replace('/', '--')}"
    wanted = revision or "main"
    reference = root / "refs" / wanted
    try:
        commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else wanted
    except OSError:
        return None
    folder = root / "snapshots" / commit
    return folder if (folder / "config.json").is_file() else None


def hub_cache(environment: Mapping[str, str]) -> Path:
    """The folder in which the hub's library keeps models, by its variables."""
    folder = environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE")
    if folder:
        return Path(folder).expanduser()
    home = environment.get("HF_HOME") or "~/.cache/huggingface"
    return Path(home).expanduser() / "hub"


@dataclass(frozen=True)
class KnownModel:
    """A row of the registry.

    Attributes:
        aliases: other names of the same model, with their owners.
        config: what its config.json says of size and shape; None where only a package carries it.
        like: the model whose config.json it shares but for a few keys: another release of it, or
            the same weights in another number format. None where it stands for itself.
        package, file: a GGUF that a Python package carries.
    """

    id: str
    aliases: tuple[str, ...] = ()
    config: Mapping[str, Any] | None = None
    like: str | None = None
    package: str | None = None
    file: str | None = None
    install: str = ""

    @functools.cached_property
    def facts(self) -> ModelFacts:
        """Facts of its configuration; none where only a package carries it."""
        return facts_from_config(self.config) if self.config else ModelFacts()

    def packaged_file(self) -> Path | None:
        """Where the file that a package carries lies; None where that is not installed, or the
        model is a hub's."""
        found = None if self.package is None else importlib.util.find_spec(self.package)
        if found is None or found.origin is None:
            return None
        path = Path(found.origin).parent / (self.file or "")
        return path if path.is_file() else None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it goes by: id, aliases, and both without their owner."""
        return tuple(self._full_names)

    def full_name(self, name: str) -> str:
        """The name with its owner that `name` stands for, as the hub spells it."""
        folded = name.lower()
        return next(full for alias, full in self._full_names.items() if alias.lower() == folded)

    @functools.cached_property
    def _full_names(self) -> dict[str, str]:
        """Name -> the same with its owner; one that two owners use goes to the first of them."""
        full = (self.id, *self.aliases)
        short = {name.rpartition("/")[2]: name for name in reversed(full) if "/" in name}
        return {name: name for name in full} | short


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

    @property
    def notes(self) -> tuple[str, ...]:
        """Facts that are not understood or not known, with a remedy where there is one."""
        unknown = self.facts.unknown
        if not unknown:
            return self.facts.notes
        remedy = "its config.json says it in no way that is known here"
        if self.path is None:
            remedy = GIVE_CONFIG
        missing = f"not known of the model: {', '.join(unknown)}; what depends on it is not checked"
        return (*self.facts.notes, f"{missing}: {remedy}")


def known_models() -> Mapping[str, KnownModel]:
    """The registry by id."""
    return _registry()


def known_model(name: str) -> KnownModel | None:
    """The model of that id or alias, with or without its owner, whatever its case."""
    return _by_name().get(name.lower())


def model_named(word: str, *, base: Path) -> Model:
    """The model that one word names: a name of the catalog, else what lies at that path, else a
    hub's id.

    A relative path counts from `base`.

    Raises:
        ModelError: it is none that can be served.
    """
    if known_model(word) is None and (is_path(word) or _is_there(_path(word, base))):
        return Model(path=word)
    return model_with_id(word)


def model_with_id(name: str) -> Model:
    """The model of that name of the catalog or a hub.

    Raises:
        ModelError: no engine is given such a name.
    """
    try:
        return Model(id=name)
    except ValidationError as error:
        raise ModelError(f"model.id: {error.errors()[0]['msg']}") from None


def _is_there(path: Path) -> bool:
    """Whether something lies at a path; nothing does where it is too long for one."""
    try:
        return path.exists()
    except OSError:
        return False


def is_path(word: str) -> bool:
    """Whether a word can only be a path: it begins with `/`, `.` or `~`, or ends with `.gguf`."""
    return _PATH.search(word) is not None


def refuse_unknown(model: Model) -> NoReturn:
    """Refuses a hub's model of which nothing is known here.

    Raises:
        ModelError: names it, the nearest of the catalog, and what makes it known.
    """
    wanted = model.id or ""
    raise ModelError(
        f"model.id: nothing is known of {wanted!r}, which is not in the catalog; "
        f"{nearest(wanted, _every_name())}",
        remedy=GIVE_CONFIG,
    )


def resolve_model(model: Model, *, base: Path) -> ResolvedModel:
    """The model that `model` names; a relative path counts from `base`.

    An id with an owner (`org/name`) that the catalog does not know is taken as a hub's: nothing is
    known of it but its name.

    Raises:
        ModelError: unknown id, package not installed, no such file, a folder without config, or
            the revision of a model that is no hub's.
    """
    if model.path is None:
        return _from_registry(model)
    _refuse_revision(model, model.path)
    path = _path(model.path, base)
    if path.is_dir():
        # A folder's name may hold dots: Llama-3.1-8B is no file with an ending.
        name = model.served_name or model.id or _no_flag(path.name)
        return ResolvedModel(name, str(path), facts_from_folder(path), path)
    name = model.served_name or model.id or _no_flag(model_name(path))
    header = read_gguf(path)
    return ResolvedModel(name, str(path), facts_from_gguf(header), path, header)


def _no_flag(name: str) -> str:
    """A file's name, which engines do not take for a flag."""
    return name.lstrip("-") or "model"


def _path(written: str, base: Path) -> Path:
    path = Path(written)
    # The home of a user whom nobody knows: such a file is not here.
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    return Path(os.path.normpath(path if path.is_absolute() else base / path))


def _from_registry(model: Model) -> ResolvedModel:
    wanted = model.id or ""
    known = known_model(wanted)
    if known is None:
        if wanted.count("/") == 1 and not wanted.startswith((".", "/", "~")):
            facts = _cached_facts(wanted, model.revision) or ModelFacts()
            name = model.served_name or wanted
            return ResolvedModel(name, wanted, facts, revision=model.revision)
        raise ModelError(
            f"model.id: {wanted!r} is not in the catalog; {nearest(wanted, _every_name())}",
            remedy="give a hub's org/name, or the path of a model folder or GGUF file (model.path)",
        )
    if known.package is None:
        location, facts = known.full_name(wanted), known.facts
        if facts.unknown:
            facts = _cached_facts(location, model.revision) or facts
        return ResolvedModel(
            model.served_name or location, location, facts, revision=model.revision
        )
    _refuse_revision(model, wanted)
    path = known.packaged_file()
    if path is None:
        raise ModelError(
            f"model.id: {wanted!r} needs the package {known.package}, which is not installed",
            remedy=known.install,
        )
    header = read_gguf(path)
    facts = facts_from_gguf(header)
    return ResolvedModel(model.served_name or known.id, str(path), facts, path, header)


def _every_name() -> list[str]:
    return [name for row in _registry().values() for name in row.names]


def _cached_facts(name: str, revision: str | None) -> ModelFacts | None:
    """Facts of a hub's model by its `config.json` in the cache; None where it is not there."""
    folder = cached_snapshot(name, revision)
    if folder is None:
        return None
    try:
        return facts_from_folder(folder)
    except ModelError as error:
        return ModelFacts(notes=(f"Hugging Face cache: {error.message}",))


def _refuse_revision(model: Model, place: str) -> None:
    if model.revision is not None:
        raise ModelError(
            f"model.revision: {model.revision!r} is a hub's; {place} lies on this machine",
            remedy="leave it out, or give model.id of a hub",
        )


@functools.cache
def _registry() -> dict[str, KnownModel]:
    folder = resources.files("autotuner.catalog")
    written = packaged_table("autotuner.catalog", "models")
    configs = json.loads(folder.joinpath("configs.json").read_text("utf-8"))
    aliases: dict[str, list[str]] = written["aliases"]
    rows: dict[str, dict[str, Any]] = {
        **{name: {"config": config} for name, config in configs.items()},
        **written["models"],
    }
    return {
        name: KnownModel(
            name,
            (*row.get("aliases", ()), *aliases.get(name, ())),
            _config(name, rows),
            row.get("like"),
            row.get("package"),
            row.get("file"),
            row.get("install", ""),
        )
        for name, row in rows.items()
    }


def _config(name: str, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """A row's own keys over those of the model it is like."""
    row = rows[name]
    base = _config(row["like"], rows) if "like" in row else None
    own = row.get("config")
    return None if base is None and own is None else {**(base or {}), **(own or {})}


@functools.cache
def _by_name() -> dict[str, KnownModel]:
    return {name.lower(): row for row in _registry().values() for name in row.names}
