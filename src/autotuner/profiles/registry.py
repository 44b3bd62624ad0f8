"""Where profiles come from: the built-in ones, the user's own folder, and kept documents."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.config import DocumentError, nearest, parse_document
from autotuner.config.tables import packaged_table
from autotuner.errors import ProfileError
from autotuner.profiles.profile import ConfigLayer, Profile, profile_from

BASE = "base"
USERS = "profiles"
"""Folder under the home with the user's own profiles."""
BUILTIN = ("high_throughput", "low_latency", "balanced", "fp8_quantized", "memory_optimized")


@dataclass(frozen=True)
class BrokenProfile:
    """A profile that cannot be used, and why; `name` is the file's where it has none of its own."""

    name: str
    source: str
    error: ProfileError


@dataclass(frozen=True)
class ProfileRegistry:
    """Profiles by name; a broken one is an error only to who names it."""

    profiles: Mapping[str, Profile]
    broken: tuple[BrokenProfile, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Those a task may name."""
        return tuple(name for name in self.profiles if name != BASE)

    def get(self, name: str) -> Profile:
        """The profile of that name.

        Raises:
            ProfileError: there is none, or it is broken; names the nearest.
        """
        if name not in self.profiles:
            for one in self.broken:
                if one.name == name:
                    raise one.error
            raise ProfileError(
                f"profiles: {name!r} is unknown; {nearest(name, list(self.names()))}",
                remedy="take one that is listed; your own lie in the home's profiles/",
            )
        return self.profiles[name]

    def joined_by(self, profile: Profile) -> ProfileRegistry:
        """The same with one profile more.

        Raises:
            ProfileError: its name is taken by a profile that lies elsewhere.
        """
        taken = self.profiles.get(profile.name)
        if taken is not None and taken.source != profile.source:
            raise ProfileError(
                f"{profile.source}: name: {profile.name!r} is taken by {taken.source}",
                remedy="choose another name; `extends` builds on a profile",
            )
        return ProfileRegistry({**self.profiles, profile.name: profile}, self.broken)

    def layers_of(self, name: str) -> tuple[ConfigLayer, ...]:
        """The layers of a profile after those of the profiles it extends.

        Raises:
            ProfileError: an unknown profile, or a cycle of `extends`.
        """
        chain: list[Profile] = []
        wanted: str | None = name
        while wanted is not None:
            if any(profile.name == wanted for profile in chain):
                ring = " -> ".join([*(profile.name for profile in chain), wanted])
                raise ProfileError(f"{chain[-1].source}: extends: a cycle: {ring}")
            chain.append(self.get(wanted))
            wanted = chain[-1].extends
        return tuple(layer for profile in reversed(chain) for layer in profile.layers)


@functools.cache
def builtin_registry() -> ProfileRegistry:
    """The profiles that come with the package."""
    documents = {
        name: packaged_table("autotuner.profiles", f"builtin/{name}") for name in (BASE, *BUILTIN)
    }
    return ProfileRegistry(
        {
            name: profile_from(document, source=f"built-in {name}")
            for name, document in documents.items()
        }
    )


def load_profile(path: Path) -> Profile:
    """A profile from a YAML file.

    Raises:
        ProfileError: not readable, no YAML, or no profile.
    """
    try:
        document = parse_document(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    except DocumentError as error:
        raise ProfileError(f"{path}: {error}") from None
    return profile_from(document, source=str(path.resolve()))


def registry_with(folder: Path | None) -> ProfileRegistry:
    """The built-in profiles and those of a folder (`*.yaml`), which may not bear the same names.

    A file that is no profile, and one whose name is taken or that extends nothing, is `broken`.
    """
    registry = builtin_registry()
    files = sorted(folder.glob("*.y*ml")) if folder is not None and folder.is_dir() else []
    return _joined(registry, map(_loaded, files))


def registry_of(registry: ProfileRegistry, documents: Mapping[str, Any]) -> ProfileRegistry:
    """The same with profiles of which the documents lie in a database, by the name of each."""
    return _joined(registry, (_read(name, document) for name, document in documents.items()))


def kept(name: str) -> str:
    """The source that is shown of a profile that is kept in the database."""
    return f"the service's own {name}"


def _loaded(path: Path) -> Profile | BrokenProfile:
    try:
        return load_profile(path)
    except ProfileError as error:
        return BrokenProfile(path.stem, str(path.resolve()), error)


def _read(name: str, document: Any) -> Profile | BrokenProfile:
    try:
        return profile_from(document, source=kept(name))
    except ProfileError as error:
        return BrokenProfile(name, kept(name), error)


def _joined(
    registry: ProfileRegistry, profiles: Iterable[Profile | BrokenProfile]
) -> ProfileRegistry:
    """The same with profiles more, each of which may extend any other."""
    broken = list(registry.broken)
    for profile in profiles:
        if isinstance(profile, BrokenProfile):
            broken.append(profile)
            continue
        try:
            registry = registry.joined_by(profile)
        except ProfileError as error:
            broken.append(BrokenProfile(profile.name, profile.source, error))
    everything = ProfileRegistry(registry.profiles, tuple(broken))
    for name in everything.names():
        try:
            everything.layers_of(name)
        except ProfileError as error:
            broken.append(BrokenProfile(name, everything.profiles[name].source, error))
    without_base = {one.name for one in broken[len(everything.broken) :]}
    usable = {n: one for n, one in everything.profiles.items() if n not in without_base}
    return ProfileRegistry(usable, tuple(broken))
