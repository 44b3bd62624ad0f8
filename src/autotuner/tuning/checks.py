"""Checks of a task before anything is launched; each problem has a field and a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from autotuner.catalog import gpu_named, resolve_model
from autotuner.config import TaskConfig
from autotuner.config.extensions import LAUNCHERS, LOAD_GENERATORS
from autotuner.config.load_level import kind_of_levels
from autotuner.engines import FIELDS, engine_named
from autotuner.errors import AutotunerError, ConfigError, Problem
from autotuner.measure import load_generator_named
from autotuner.profiles import ProfileRegistry
from autotuner.search import COST
from autotuner.tuning.resolve import Variant, workload_of

_LENGTHS = ("runtime.isl", "runtime.osl")
NEVER_SEARCHED = (
    *(*_LENGTHS, "system.gpu_type", "system.total_gpus"),
    *("system.memory_per_gpu", "system.nvlink_bandwidth", "system.price_per_gpu_hour"),
)
"""Fields that a task gives one value, no list."""


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
                f"{task.deployment_mode!r} is not installed here "
                f"({LAUNCHERS.remedy(task.deployment_mode)}); use {choices}",
            )
        )
    problems += _unproducible_loads(task)
    together = [combination.settings() for combination in task.combinations]
    problems += [
        Problem(path, "cannot be searched; give one value")
        for path in NEVER_SEARCHED
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
    if task.deployment_mode == "ray":
        return  # each has CPUs of its own there
    if isinstance(asked, int) and asked > 1 and (gpu is None or gpu.is_cpu):
        message = (
            f"{asked} engines on one CPU would slow each other down, and the figures with them"
        )
        problem = Problem("optimization.parallel_launches", message)
        raise ConfigError(source, (problem,), remedy="leave it out, or say 1 or auto")


_PLACE = re.compile(r"([a-z_]+(?:\.[a-z_]+)*): (.+)", re.DOTALL)
_MENTIONED = re.compile(r"\b([a-z]+\.[a-z_]+)\b")


def problems_in(
    task: TaskConfig, *, base: Path, registry: ProfileRegistry, with_model: bool = True
) -> tuple[Problem, ...]:
    """Problems that `prepare` would refuse one after the other: deployment, model, request lengths,
    profiles, engines, GPUs; empty where nothing of it is wrong. Each is at the very value.

    A replay takes all of that from its table.

    Args:
        with_model: whether the model is looked for, and its files opened.
    """
    if task.replay is not None:
        return ()
    found: dict[Problem, None] = {}
    for path, check in _checks(task, base, registry):
        if path.startswith("model.") and not with_model:
            continue
        try:
            check()
        except AutotunerError as error:
            found |= dict.fromkeys(problems_from(error, path))
    return tuple(found)


def problems_from(error: AutotunerError, path: str = "") -> tuple[Problem, ...]:
    """An error as faults of a document.

    Args:
        path: of the value that was checked; a message that begins with another field's is that's,
            and without either the first field that it mentions counts.
    """
    if isinstance(error, ConfigError):
        return tuple(
            Problem(fault.path or _mentioned(fault.message), _with(fault.message, error.remedy))
            for fault in error.problems
        )
    placed = _PLACE.fullmatch(error.message)
    if placed is not None and placed.group(1).partition(".")[0] in TaskConfig.model_fields:
        place = path if placed.group(1) in path else placed.group(1)
        return (Problem(place, _with(placed.group(2), error.remedy)),)
    return (Problem(path or _mentioned(error.message), _with(error.message, error.remedy)),)


def _with(message: str, remedy: str) -> str:
    """A message and its remedy in one line."""
    if not remedy:
        return message
    return f"{message} {remedy}" if message.endswith("?") else f"{message}; {remedy}"


def _mentioned(message: str) -> str:
    """The first field that a message names; empty where it names none."""
    return next((word for word in _MENTIONED.findall(message) if word in FIELDS), "")


def _checks(
    task: TaskConfig, base: Path, registry: ProfileRegistry
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Checks, each with the path of its value; empty where the check says it itself."""
    yield "", lambda: refuse_unlaunchable(task, "task")
    model = "model.id" if task.model.path is None else "model.path"
    yield model, lambda: resolve_model(task.model, base=base)
    yield "", lambda: workload_of(task, "task")
    for index, name in enumerate(task.profiles):
        yield f"profiles[{index}]", lambda name=name: registry.layers_of(name)  # type: ignore[misc]
    for path, word in _placed_values(task, "system.backend"):
        yield path, lambda word=word: engine_named(word)  # type: ignore[misc]
    for path, word in _placed_values(task, "system.gpu_type"):
        yield path, lambda word=word: gpu_named(word, task.gpus)  # type: ignore[misc]


def _placed_values(task: TaskConfig, path: str) -> Iterator[tuple[str, str]]:
    """Every value that the task or one of its combinations gives a field, with its own path."""
    parts = {"": task, **{f"combinations[{i}].": c for i, c in enumerate(task.combinations)}}
    for place, part in parts.items():
        value = part.settings().get(path)
        listed = value if isinstance(value, list) else [value]
        for index, item in enumerate(listed):
            if item is not None:
                yield f"{place}{path}" + (f"[{index}]" if isinstance(value, list) else ""), item
