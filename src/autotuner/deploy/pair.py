"""A draft of two engines that share their work: one reads prompts, the other makes tokens."""

from __future__ import annotations

from dataclasses import replace

from autotuner.deploy.deployed_engine import DeployedEngine
from autotuner.errors import ExportError

DECODE, PREFILL = ROLES = ("decode", "prefill")


def paired(decode: DeployedEngine, prefill: DeployedEngine, *, total: int) -> DeployedEngine:
    """The engine that makes tokens, with the one that reads prompts for it.

    Args:
        total: GPUs that the task had; 0 where not known.

    Raises:
        ExportError: the engine has no flags for it.
    """
    if not decode.deploy.roles:
        raise ExportError(
            f"point: no flags of {decode.parts.table.title} are known by which two of it share "
            "their work",
            remedy="take --point predicted, or an engine that has them",
        )
    notes = ["a draft: measure it before you rely on it (docs/deploying.md)"]
    taken = (decode.gpus + prefill.gpus) * decode.replicas
    if 0 < total < taken:
        notes.append(f"it takes {taken} GPUs, and the task had {total}")
    both = _with_role(decode, DECODE), _with_role(prefill, PREFILL)
    return replace(both[0], prefill=both[1], notes=(*decode.notes, *notes))


def _with_role(engine: DeployedEngine, role: str) -> DeployedEngine:
    arguments = (*engine.parts.arguments, *engine.deploy.roles[role])
    return replace(engine, parts=replace(engine.parts, arguments=arguments), role=role)
