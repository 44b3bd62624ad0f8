"""Where profiles come from: the built-in ones, and the user's own folder."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import yaml

from autotuner.config import nearest
from autotuner.errors import ProfileError
from autotuner.profiles.profile import ConfigLayer, Profile, profile_from

BASE = "base"
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
        found[name] = profile_from(yaml.safe_load(text), source=f"built-in {name}")
    return ProfileRegistry(found)


def load_profile(path: Path) -> Profile:
    """A profile from a YAML file.

    Raises:
        ProfileError: not readable, no YAML, or no profile.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: is no YAML: {error}") from None
    return profile_from(document, source=str(path))


def registry_with(folder: Path | None) -> ProfileRegistry:
    """The built-in profiles and those of a folder (`*.yaml`), which may not bear the same names.

    Raises:
        ProfileError: a file that is no profile, or a name that is taken.
    """
    found = dict(builtin_registry().profiles)
    files = sorted(folder.glob("*.y*ml")) if folder is not None and folder.is_dir() else []
    for file in files:
        profile = load_profile(file)
        if profile.name in found:
            raise ProfileError(
                f"{file}: name: {profile.name!r} is taken by {found[profile.name].source}",
                remedy="choose another name; `extends` builds on a profile",
            )
        found[profile.name] = profile
    registry = ProfileRegistry(found)
    for name in registry.names():
        registry.layers_of(name)
    return registry
