"""A first task for a model, devices and an engine: loads, axes and a budget that make sense.

In: what is to be served and where. Out: a task document, and what it prepares to; `autotuner init`
writes it as commented YAML, the service answers it as JSON. `OFFERS` is the table of settings that
a first search is about; what the engine has no words for, what a profile says, and values with
which no candidate is left, are not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotuner.catalog import ResolvedModel, resolve_model
from autotuner.config import TaskConfig, parse_task
from autotuner.config.slo import NEEDS_TPOT
from autotuner.engines import engine_named
from autotuner.errors import AutotunerError, ConfigError, EngineError
from autotuner.profiles import ProfileRegistry, TaskContext
from autotuner.tuning.first_task_asked import Asked
from autotuner.tuning.first_task_offers import OFFERS, SEQUENCES, powers
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.resolve import Expressible, layered

_SOURCE = "the drafted task"
_LOADING_GIB_S = 0.1
"""GiB/s at which weights are read at least: a network disk's pace."""
_LEAST_READY_S = 300
_FEW = 8
"""Requests decoded together up to which every doubling is a load level; above, every fourfold."""
_ON_CPU = (12, 20, 5)
_ON_GPUS = (200, 60, 12)
"""Requests of a load level, seconds of one, and launches: a laptop is done within minutes."""


@dataclass(frozen=True)
class FirstTask:
    """A task that was drafted.

    Attributes:
        document: as a task file has it.
        model: as it was found.
        offered: `group.field` -> values that were considered.
        by_profiles: `group.field` -> the layer of a profile that says it instead.
        prepared: None where no candidate is left.
        problem: why none is left; empty where some are.
    """

    document: dict[str, Any]
    model: ResolvedModel
    offered: Mapping[str, list[Any]]
    by_profiles: Mapping[str, str] = field(default_factory=dict)
    prepared: Prepared | None = None
    problem: str = ""

    def dropped(self, path: str) -> list[Any]:
        """The values of a setting with which no candidate is left."""
        group, _, name = path.partition(".")
        written = self.document.get(group, {}).get(name)
        kept = written if isinstance(written, list) else [written]
        return [value for value in self.offered.get(path, ()) if value not in kept]


def first_task(
    asked: Asked, *, base: Path, registry: ProfileRegistry
) -> tuple[FirstTask, Prepared]:
    """Drafts a task that has candidates, and what it prepares to.

    Args:
        base: the folder that the task will lie in.

    Raises:
        AutotunerError: as `draft`, or the model cannot be used with this engine, or does not fit
            the devices; says why.
    """
    drafted = draft(asked, base=base, registry=registry)
    if drafted.prepared is None:
        raise AutotunerError(
            f"no task can be drafted for {drafted.model.name} with {asked.engine} on "
            f"{asked.devices}: {drafted.problem}",
            remedy="take another model or engine, other GPUs or more of them",
        )
    return drafted, drafted.prepared


def draft(asked: Asked, *, base: Path, registry: ProfileRegistry) -> FirstTask:
    """Drafts a task and leaves out the values with which no candidate is left.

    Args:
        base: the folder that the task will lie in.

    Raises:
        AutotunerError: the model cannot be found, an unknown profile or GPU, or limits that do not
            exist for these lengths.
    """
    model = resolve_model(asked.model, base=base)
    offered, by_profiles = _offered(asked, model, registry)
    document = _document(asked, model, offered, offered)
    task = parse_task(document, source=_SOURCE)
    try:
        prepared = _prepared(task, asked, base, registry)
        candidates = prepared.space.candidates
        kept = {
            path: [v for v in values if any(c.get(path) == v for c in candidates)] or values[:1]
            for path, values in offered.items()
        }
        if kept != offered:
            document = _document(asked, model, kept, offered)
            prepared = _prepared(parse_task(document, source=_SOURCE), asked, base, registry)
    except (ConfigError, EngineError) as error:
        return FirstTask(document, model, offered, by_profiles, problem=_least(error))
    return FirstTask(document, model, offered, by_profiles, prepared)


def _offered(
    asked: Asked, model: ResolvedModel, registry: ProfileRegistry
) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """The values of each setting, and the settings that a profile says here."""
    engine = engine_named(asked.engine)
    version = engine.table.version
    context = TaskContext(
        model=model.name,
        runtime=engine.name,
        gpu_type=asked.gpu,
        total_gpus=asked.gpus,
        facts=model.facts,
        isl=asked.isl,
        osl=asked.osl,
        described=asked.described,
    )
    layers = layered(engine, registry, asked.profiles)
    config = layers.build(context, Expressible(engine.name, version, model))
    by_profiles = {
        path: origin.layer
        for path, origins in config.provenance.items()
        for origin in origins
        if (origin.origin, origin.status) == ("profile", "set")
    }
    widest = {"parallel.tensor_parallel": asked.gpus} if asked.gpus > 1 else {}
    own = engine.table.file.first_task
    theirs = {**own.anywhere, **(own.on_cpu if asked.on_cpu else own.on_gpu)}
    found = {}
    for offer in OFFERS:
        own_values = theirs.get(offer.path)
        offered = offer.values(asked, context) if own_values is None else own_values
        values = [
            value
            for value in offered
            if not engine.refuses(widest | {offer.path: value}, offer.path, model, version)
        ]
        if values and offer.path not in by_profiles:
            found[offer.path] = values
    return found, by_profiles


def _prepared(task: TaskConfig, asked: Asked, base: Path, registry: ProfileRegistry) -> Prepared:
    if asked.gpu in asked.described:
        # As every command does with a task of this home.
        task = task.model_copy(update={"gpus": {asked.gpu: asked.described[asked.gpu]}})
    return prepare(task, base=base, source=_SOURCE, registry=registry)


def _least(error: AutotunerError) -> str:
    """Reason against the candidate that needs least; all are refused, and one reason is enough."""
    if isinstance(error, ConfigError):
        return error.problems[-1].message
    return f"{error.message}; {error.remedy}" if error.remedy else error.message


def _document(
    asked: Asked,
    model: ResolvedModel,
    settings: Mapping[str, list[Any]],
    offered: Mapping[str, list[Any]],
) -> dict[str, Any]:
    """The task document: `settings` in their groups, and how to measure and search."""
    system: dict[str, Any] = {"backend": asked.engine, "gpu_type": asked.gpu}
    if not asked.on_cpu:
        system["total_gpus"] = asked.gpus
    document: dict[str, Any] = {
        "version": 2,
        "name": asked.name,
        "model": asked.model.model_dump(exclude_none=True),
        "runtime": {"isl": asked.isl, "osl": asked.osl},
        "system": system,
    }
    if asked.profiles:
        document["profiles"] = list(asked.profiles)
    for path, values in settings.items():
        group, _, name = path.partition(".")
        document.setdefault(group, {})[name] = values[0] if len(values) == 1 else list(values)
    # Values with which no candidate is left count too, so that both drafts have the same levels.
    return {**document, **_measuring(asked, model, max(offered.get(SEQUENCES, ()), default=None))}


def _measuring(asked: Asked, model: ResolvedModel, most: int | None) -> dict[str, Any]:
    """Budget, limits, and load levels up to the `most` requests that are decoded together.

    Where a profile says how many, or the engine itself, the levels follow the candidates.
    """
    levels = [n for n in powers(most or 0) if (most or 0) <= _FEW or n.bit_length() % 2]
    requests, seconds, launches = _ON_CPU if asked.on_cpu else _ON_GPUS
    weights = model.facts.weights_gib() or 0.0
    ready_s = max(_LEAST_READY_S, int(-(-weights // (_LOADING_GIB_S * 60))) * 60)
    budget: dict[str, Any] = {"experiments": min(launches, asked.most_launches or launches)}
    if asked.most_minutes is not None:
        budget["minutes"] = asked.most_minutes
    optimization: dict[str, Any] = {"strategy": "auto"}
    if asked.osl > 1 or not set(asked.objectives) & set(NEEDS_TPOT):
        optimization["objectives"] = list(asked.objectives)
    measured = {
        "optimization": {**optimization, "budget": budget},
        "benchmark": {
            **({"concurrency": levels} if levels else {}),
            "requests_per_level": requests,
            "duration_per_level_s": seconds,
            "ready_timeout_s": ready_s,
        },
    }
    return {**measured, "slo": dict(asked.slo)} if asked.slo else measured
