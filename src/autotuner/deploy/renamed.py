"""Names of flags in other versions of an engine."""

from __future__ import annotations

from dataclasses import replace

from autotuner.deploy.deployed_engine import DeployedEngine
from autotuner.engines.rows import version_key


def flag_versions(engine: DeployedEngine) -> tuple[str, ...]:
    """Versions of the engine from which flags of its command have other names, the newest first."""
    renamed, words = engine.deploy.renamed_flags, set(engine.parts.arguments)
    used = [version for version, names in renamed.items() if names.keys() & words]
    return tuple(sorted(used, key=version_key, reverse=True))


def with_flags_of(engine: DeployedEngine, version: str) -> DeployedEngine:
    """The engine with the names that its flags have in a version."""
    wished, renamed = version_key(version), engine.deploy.renamed_flags
    names: dict[str, str] = {}
    for since in sorted(renamed, key=version_key):
        if version_key(since) <= wished:
            names |= renamed[since]
    arguments = tuple(names.get(word, word) for word in engine.parts.arguments)
    return replace(engine, parts=replace(engine.parts, arguments=arguments))
