"""Checks of a task before anything is launched; each problem has a field and a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from autotuner.catalog import gpu_named, resolve_model
from autotuner.config import TaskConfig
from autotuner.config.extensions import LAUNCHERS, LOAD_GENERATORS
from autotuner.config.load_level import kind_of_levels
from autotuner.engines import engine_named
from autotuner.errors import AutotunerError, ConfigError, Problem
from autotuner.measure import load_generator_named
from autotuner.profiles import ProfileRegistry
from autotuner.search import COST
from autotuner.tuning.resolve import Variant, workload_of
from autotuner.tuning.resources import field_values

_LENGTHS = ("runtime.isl", "runtime.osl")
_NEVER_SEARCHED = (
    *(*_LENGTHS, "system.gpu_type", "system.total_gpus"),
    *("system.memory_per_gpu", "system.nvlink_bandwidth", "system.price_per_gpu_hour"),
)


def refuse_unlaunchable(task: TaskConfig, source: str) -> None:
    """Refuses what no launcher here can do, whatever model and engine are.

    Raises:
        ConfigError: with every problem and its field path.
    """
    problems = []
    if task.deployment_mode not in (installed := LAUNCHERS.installed):
        choices = " or ".join(map(repr, installed))
        problems.append(
            Problem(
                "deployment_mode",
                f"{task.deployment_mode!r} is not installed here; use {choices}",
            )
        )
    problems += _unproducible_loads(task)
    together = [combination.settings() for combination in task.combinations]
    problems += [
        Problem(path, "cannot be searched; give one value")
        for path in _NEVER_SEARCHED
        if any(isinstance(settings.get(path), list) for settings in (task.axes(), *together))
    ]
    problems += [
        Problem(path, "is one for all combinations; say it in the task")
        for path in _LENGTHS
        if any(path in settings for settings in together)
    ]
    if problems:
        raise ConfigError(source, tuple(problems))


def _unproducible_loads(task: TaskConfig) -> list[Problem]:
    """Load levels that the task's load generator cannot produce; a replay has what was recorded."""
    tool, kind = task.benchmark.tool, kind_of_levels(task.benchmark.levels)
    if task.deployment_mode == "replay" or kind is None:
        return []
    able = load_generator_named(tool).load_kinds
    if kind in able:
        return []
    others = [name for name in LOAD_GENERATORS if kind in load_generator_named(name).load_kinds]
    return [
        Problem(
            "benchmark.load",
            f"{tool} makes no load of the kind {kind.value}, only {' and '.join(sorted(able))}; "
            f"give levels of that kind, or say benchmark.tool: {' or '.join(others)}",
        )
    ]


def refuse_prefixes(variants: tuple[Variant, ...], source: str) -> None:
    """Refuses shared prefixes, whoever asks for one: the task, a combination or a profile.

    Raises:
        ConfigError: names the layer that asks.
    """
    path = "runtime.prefix"
    for variant in variants:
        if variant.config.settings.get(path):
            layer = next(o for o in variant.config.provenance[path] if o.status == "set").layer
            message = f"{layer} sets it, and shared prefixes are not generated yet"
            raise ConfigError(source, (Problem(path, message),), remedy="leave it out, or say 0")


def refuse_cost_without_price(price_usd_hour: float, task: TaskConfig, source: str) -> None:
    """Refuses money as an objective or a budget where no price is known.

    Raises:
        ConfigError: names the fields that need one.
    """
    asked = {
        "optimization.objectives": COST in task.objectives,
        "optimization.budget.usd": task.optimization.budget.usd is not None,
    }
    message = "needs a price, and no price of the device is known"
    problems = tuple(Problem(path, message) for path, wanted in asked.items() if wanted)
    if problems and not price_usd_hour:
        raise ConfigError(source, problems, remedy="say system.price_per_gpu_hour")


def refuse_sharing_a_cpu(variants: tuple[Variant, ...], task: TaskConfig, source: str) -> None:
    """Refuses several engines at once on one CPU: each would measure the others too.

    Raises:
        ConfigError: names the field.
    """
    asked = task.optimization.parallel_launches
    gpu = variants[0].context.gpu
    if isinstance(asked, int) and asked > 1 and (gpu is None or gpu.is_cpu):
        message = (
            f"{asked} engines on one CPU would slow each other down, and the figures with them"
        )
        problem = Problem("optimization.parallel_launches", message)
        raise ConfigError(source, (problem,), remedy="leave it out, or say 1 or auto")


_PLACE = re.compile(r"([a-z_]+(?:\.[a-z_]+)*): (.+)", re.DOTALL)


def problems_in(task: TaskConfig, *, base: Path, registry: ProfileRegistry) -> tuple[Problem, ...]:
    """Problems that `prepare` would refuse one after the other: deployment, model, request lengths,
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
    for word in field_values(task, "system.backend"):
        yield lambda word=word: engine_named(word)  # type: ignore[misc]
    for word in field_values(task, "system.gpu_type"):
        yield lambda word=word: gpu_named(word, task.gpus)  # type: ignore[misc]
