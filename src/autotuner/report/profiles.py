"""Profiles and what they set: for scripts."""

from __future__ import annotations

from typing import Any

from autotuner.profiles import BUILTIN, BrokenProfile, Profile, ProfileRegistry, Setting


def profile_row(profile: Profile) -> dict[str, Any]:
    """A profile in a line."""
    return {
        "name": profile.name,
        "description": profile.description,
        "extends": profile.extends,
        "builtin": profile.name in BUILTIN,
        "source": profile.source,
        "problem": None,
    }


def broken_row(broken: BrokenProfile) -> dict[str, Any]:
    """A profile that cannot be used, in a line of the same keys and its `problem`."""
    return {
        "name": broken.name,
        "description": "",
        "extends": None,
        "builtin": False,
        "source": broken.source,
        "problem": str(broken.error),
    }


def profile_document(name: str, registry: ProfileRegistry) -> dict[str, Any]:
    """A profile with its layers, those of the profiles that it extends first.

    Raises:
        ProfileError: no such profile.
    """
    layers = [
        {
            "layer": layer.title,
            "when": dict(layer.when),
            "settings": {said.path: _setting(said) for said in layer.settings},
        }
        for layer in registry.layers_of(name)
    ]
    return {**profile_row(registry.get(name)), "layers": layers}


def _setting(said: Setting) -> dict[str, Any]:
    return {"value": said.value, "rule": said.rule, "why": said.why, "source": said.source}
