"""Flags of an engine that a platform starts: it says itself where the engine binds."""

from __future__ import annotations

import itertools

from autotuner.deploy.deployed_engine import DeployedEngine
from autotuner.engines import HOST, PORT


def worker_flags(
    engine: DeployedEngine, *, model: bool = False, served_name: bool = False
) -> tuple[str, ...]:
    """The measured arguments without those that the platform gives.

    Args:
        model: whether the model's own flag or word stays.
        served_name: whether the flag of the served name stays.
    """
    table, words = engine.parts.table, engine.arguments(HOST, PORT)
    given = {HOST, PORT, *(() if served_name else ("{name}",))}
    flags = {flag for flag, word in itertools.pairwise(table.argv) if word in given}
    carriers = {flag for command in (table.program_words, table.module_words) for flag in command}
    kept: list[str] = []
    dropped = model
    skip = False
    for at, word in enumerate(words):
        if skip:
            skip = False
        elif word in flags:
            flags.discard(word)
            skip = True
        elif not dropped and word == engine.model:
            dropped = True
            if kept and at and words[at - 1] in {*carriers, "--model", "-m"}:
                kept.pop()
        else:
            kept.append(word)
    return tuple(kept)
