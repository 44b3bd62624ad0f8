"""Profiles: named, ordered, conditional layers of settings, resolved for one task.

In: a `TaskContext` and layers. Out: a `ResolvedConfig` with every field's provenance.
Knows nothing of engines and storage.
"""

from autotuner.profiles.context import FACTS, Fact, TaskContext
from autotuner.profiles.factory import MACHINE, Origin, ResolvedConfig, Skipped, TaskConfigFactory
from autotuner.profiles.profile import ConfigLayer, LayerValue, Profile, faults_of, profile_from
from autotuner.profiles.registry import (
    BASE,
    BUILTIN,
    USERS,
    BrokenProfile,
    ProfileRegistry,
    builtin_registry,
    kept,
    load_profile,
    registry_of,
    registry_with,
)
from autotuner.profiles.rules import RULES, ValueRule, width_that_fits

__all__ = [
    "BASE",
    "BUILTIN",
    "FACTS",
    "MACHINE",
    "RULES",
    "USERS",
    "BrokenProfile",
    "ConfigLayer",
    "Fact",
    "LayerValue",
    "Origin",
    "Profile",
    "ProfileRegistry",
    "ResolvedConfig",
    "Skipped",
    "TaskConfigFactory",
    "TaskContext",
    "ValueRule",
    "builtin_registry",
    "faults_of",
    "kept",
    "load_profile",
    "profile_from",
    "registry_of",
    "registry_with",
    "width_that_fits",
]
