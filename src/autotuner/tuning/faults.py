"""Everything in a task that stands in the way of running it, told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autotuner.catalog import gpu_named, resolve_model
from autotuner.config import TaskConfig
from autotuner.engines import engine_named
from autotuner.errors import AutotunerError, ConfigError, Problem
from autotuner.profiles import ProfileRegistry
from autotuner.tuning.prepare import workload_of
from autotuner.tuning.refusals import refuse_unlaunchable

_PLACE = re.compile(r"([a-z_]+(?:\.[a-z_]+)*): (.+)", re.DOTALL)


def faults_in(task: TaskConfig, *, base: Path, registry: ProfileRegistry) -> tuple[Problem, ...]:
    """What `prepare` would refuse one after the other: deployment, model, request lengths,
    profiles, engines, GPUs; empty where nothing of it is wrong.

    A replay takes all of that from its table.
    """
    if task.replay is not None:
        return ()
    found: dict[Problem, None] = {}
    for check in _checks(task, base, registry):
        try:
            check()
        except AutotunerError as error:
            found |= dict.fromkeys(problems_from(error))
    return tuple(found)


def problems_from(error: AutotunerError) -> tuple[Problem, ...]:
    """An error as faults of a document; one whose message begins with a field's path is that's."""
    remedy = f"; {error.remedy}" if error.remedy else ""
    if isinstance(error, ConfigError):
        return tuple(Problem(fault.path, fault.message + remedy) for fault in error.problems)
    placed = _PLACE.fullmatch(error.message)
    if placed is not None and placed.group(1).partition(".")[0] in TaskConfig.model_fields:
        return (Problem(placed.group(1), placed.group(2) + remedy),)
    return (Problem("", error.message + remedy),)


def _checks(
    task: TaskConfig, base: Path, registry: ProfileRegistry
) -> Iterator[Callable[[], object]]:
    yield lambda: refuse_unlaunchable(task, "task")
    yield lambda: resolve_model(task.model, base=base)
    yield lambda: workload_of(task, "task")
    for name in task.profiles:
        yield lambda name=name: registry.layers_of(name)  # type: ignore[misc]
    for word in _said(task, "system.backend"):
        yield lambda word=word: engine_named(word)  # type: ignore[misc]
    for word in _said(task, "system.gpu_type"):
        yield lambda word=word: gpu_named(word, task.gpus)  # type: ignore[misc]


def _said(task: TaskConfig, path: str) -> list[Any]:
    """Every value of a field, in the task and in its combinations."""
    parts = [part.settings().get(path) for part in (task, *task.combinations)]
    return [
        value
        for said in parts
        for value in (said if isinstance(said, list) else [said])
        if value is not None
    ]
