"""Where profiles come from: the built-in ones, the user's own folder, and kept documents."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from autotuner.config import DocumentError, nearest, parse_document
from autotuner.errors import ProfileError
from autotuner.profiles.profile import ConfigLayer, Profile, profile_from

BASE = "base"
USERS = "profiles"
"""Folder under the home with the user's own profiles."""
BUILTIN = ("high_throughput", "low_latency", "balanced", "fp8_quantized", "memory_optimized")


@dataclass(frozen=True)
class ProfileRegistry:
    """Profiles by name."""

    profiles: Mapping[str, Profile]

    def names(self) -> tuple[str, ...]:
        """Those a task may name."""
        return tuple(name for name in self.profiles if name != BASE)

    def get(self, name: str) -> Profile:
        """The profile of that name.

        Raises:
            ProfileError: there is none; names the nearest.
        """
        if name not in self.profiles:
            raise ProfileError(
                f"profiles: {name!r} is unknown; {nearest(name, list(self.names()))}",
                remedy="`autotuner profiles list` shows all; your own lie in the home's profiles/",
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
        return ProfileRegistry({**self.profiles, profile.name: profile})

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
    folder = resources.files("autotuner.profiles").joinpath("builtin")
    found = {}
    for name in (BASE, *BUILTIN):
        text = folder.joinpath(f"{name}.yaml").read_text("utf-8")
        found[name] = profile_from(parse_document(text), source=f"built-in {name}")
    return ProfileRegistry(found)


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

    Raises:
        ProfileError: a file that is no profile, or a name that is taken.
    """
    registry = builtin_registry()
    files = sorted(folder.glob("*.y*ml")) if folder is not None and folder.is_dir() else []
    return joined(registry, map(load_profile, files))


def registry_of(registry: ProfileRegistry, documents: Mapping[str, Any]) -> ProfileRegistry:
    """The same with profiles of which the documents lie in a database, by the name of each.

    Raises:
        ProfileError: one that is no profile, or whose name is taken.
    """
    found = (profile_from(document, source=kept(name)) for name, document in documents.items())
    return joined(registry, found)


def kept(name: str) -> str:
    """What a profile that is kept in the database is told to come from."""
    return f"the service's own {name}"


def joined(registry: ProfileRegistry, profiles: Iterable[Profile]) -> ProfileRegistry:
    """The same with profiles more, each of which may extend any other.

    Raises:
        ProfileError: a name that is taken, or one that none has.
    """
    for profile in profiles:
        registry = registry.joined_by(profile)
    for name in registry.names():
        registry.layers_of(name)
    return registry
