"""What every field of a configuration is, who set it, and why: for scripts."""

from __future__ import annotations

from typing import Any

from autotuner.engines import FIELDS, Engine
from autotuner.profiles import Origin, ResolvedConfig


def config_document(config: ResolvedConfig, engine: Engine, version: str) -> dict[str, Any]:
    """Every field with its provenance, as `--json` prints it."""
    unsaid = unsaid_fields(config, engine, version)
    return {
        "fields": {
            path: {
                "value": config.settings.get(path),
                "layers": [_origin(o) for o in config.provenance.get(path, ())],
                "unsaid": unsaid.get(path),
            }
            for path in FIELDS
        },
        "skipped": [{"layer": s.layer, "reason": s.reason} for s in config.skipped],
        "warnings": list(config.warnings),
    }


def unsaid_fields(config: ResolvedConfig, engine: Engine, version: str) -> dict[str, str]:
    """Every field that is not set -> what counts instead."""
    reasons = {"no": f"{engine.name} cannot express", "task": "the task does not say"}
    own = f"{engine.name}'s own default counts"
    return {
        said.path: reasons.get(said.how, own)
        for said in engine.table.sayings(version)
        if said.path not in config.settings
    }


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "layer": origin.layer,
        "origin": origin.origin,
        "value": origin.value,
        "status": origin.status,
        "why": origin.why,
        "source": origin.source,
    }
