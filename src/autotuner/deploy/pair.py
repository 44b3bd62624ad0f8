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
        ExportError: the engine has no flags for it, or they are two engines.
    """
    titles = [one.parts.table.title for one in (decode, prefill)]
    if titles[0] != titles[1]:
        raise ExportError(
            f"point: {' and '.join(titles)} do not read each other's cache",
            remedy="take --point predicted",
        )
    if not decode.deploy.roles:
        raise ExportError(
            f"point: no flags of {decode.parts.table.title} are known by which two of it share "
            "their work",
            remedy="take --point predicted, or an engine that has them",
        )
    notes = ["a draft: measure it before you rely on it (docs/deploying.md)"]
    taken = decode.gpus * decode.replicas + prefill.gpus * prefill.replicas
    if taken:
        sides = [
            f"{_gpus(one)} {what}"
            for one, what in ((decode, "make tokens"), (prefill, "read prompts"))
        ]
        beyond = (
            f", and the task had {total}: see that there are as many" if 0 < total < taken else ""
        )
        notes.append(f"it takes {taken} GPUs ({' and '.join(sides)}){beyond}")
    both = tuple(
        replace(_with_role(one, role), leaves_no_room=leaves_no_room(total, taken, one.gpus))
        for one, role in ((decode, DECODE), (prefill, PREFILL))
    )
    own = dict.fromkeys((*decode.notes, *prefill.notes))
    return replace(both[0], prefill=both[1], notes=(*(_of_whom(n, both) for n in own), *notes))


def leaves_no_room(total: int, taken: int, each: int) -> bool:
    """Whether GPUs, or CPUs, have no room for a replica beside what takes some of them already; so
    one that is updated has to end before the other starts.

    Args:
        total: that there are; 0 where not known.
        each: that a replica takes.
    """
    return 0 < total < taken + each


def _gpus(engine: DeployedEngine) -> str:
    times = f"{engine.replicas} x " if engine.replicas > 1 else ""
    return f"{times}{engine.gpus}"


def _of_whom(note: str, both: tuple[DeployedEngine, ...]) -> str:
    """The note, with the engine that it is of where it is not of both."""
    roles = [one.role for one in both if note in one.notes]
    return note if len(roles) == len(both) else f"{roles[0]}: {note}"


def _with_role(engine: DeployedEngine, role: str) -> DeployedEngine:
    arguments = (*engine.parts.arguments, *engine.deploy.roles[role])
    return replace(engine, parts=replace(engine.parts, arguments=arguments), role=role)
