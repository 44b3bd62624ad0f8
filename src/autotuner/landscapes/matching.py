"""Which launches of a landscape a task asks for. Pure.

A task's lists and values choose among what is recorded; a task without any takes every launch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from autotuner.catalog import gpu_named
from autotuner.config import Candidate, LoadLevel, TaskConfig, nearest, problems_of
from autotuner.errors import CatalogError, ConfigError, LandscapeError, Problem
from autotuner.landscapes.landscape import Landscape, RecordedLaunch, written_cell

SAME_SETTINGS = "the same settings as another recorded launch"
NO_LEVEL = "none of the load levels is recorded"
NO_COMBINATION = "other settings than any combination of the task"
_LENGTHS = ("isl", "osl")
_BACKEND, _GPU, _GPUS = "system.backend", "system.gpu_type", "system.total_gpus"
_CIRCUMSTANCES = (
    *(f"runtime.{name}" for name in _LENGTHS),
    *("runtime.ttft_target", "runtime.tpot_target"),
    *(_GPU, _GPUS, "system.price_per_gpu_hour"),
)
"""Fields that hold for all launches, instead of choosing among them."""


@dataclass(frozen=True)
class Matched:
    """The part of a landscape that a task asks for.

    Attributes:
        launches: the candidates, each with what is recorded of it, in the order of the table.
        excluded: reason -> number of launches that are left out.
        levels: load levels, in the task's order.
        gpu_type: of the catalog; None where nobody tells.
        gpus: that the task has; as many as the widest launch takes, where it does not say.
    """

    launches: tuple[tuple[Candidate, RecordedLaunch], ...]
    excluded: Mapping[str, int]
    levels: tuple[LoadLevel, ...]
    isl: float
    osl: float
    gpu_type: str | None
    gpus: int


def match(task: TaskConfig, landscape: Landscape, *, source: str) -> Matched:
    """The launches that `task` asks for.

    Raises:
        ConfigError: the task contradicts the landscape, asks for what is not recorded, leaves
            something open that the landscape does not tell either, or no launch is left.
        LandscapeError: a launch has settings that no candidate can have.
    """
    facts = _set_by_task(task, _BACKEND) | _gpu(task, landscape)
    settings = [{**facts, **launch.settings} for launch in landscape.launches]
    choices = _choices(task)
    problems = [
        *_not_recorded_facts(landscape, settings),
        *_contradicted(task, landscape, facts.get(_GPU)),
        *_not_recorded(choices, settings),
        *_levels_not_recorded(task, landscape),
    ]
    if problems:
        raise ConfigError(source, tuple(dict.fromkeys(problems)))
    levels = _levels(task, landscape)
    excluded: Counter[str] = Counter()
    found: dict[str, tuple[Candidate, RecordedLaunch]] = {}
    for launch, own in zip(landscape.launches, settings, strict=True):
        reason = _left_out(launch, own, choices, levels, task.fixed().get(_GPUS))
        candidate = None if reason else _candidate(landscape, launch, own)
        if candidate is not None and candidate.id in found:
            reason = SAME_SETTINGS
        if candidate is None or reason:
            excluded[str(reason)] += 1
        else:
            found[candidate.id] = (candidate, launch)
    if not found:
        raise ConfigError(
            source,
            tuple(Problem("", f"{reason} ({count} x)") for reason, count in excluded.items()),
            remedy="no recorded launch is left; change the fields named",
        )
    return Matched(
        launches=tuple(found.values()),
        excluded=dict(excluded),
        levels=levels,
        isl=_length(task, landscape, "isl"),
        osl=_length(task, landscape, "osl"),
        gpu_type=facts.get(_GPU),
        gpus=task.fixed().get(_GPUS) or max(launch.gpus for _, launch in found.values()),
    )


def _choices(task: TaskConfig) -> list[dict[str, list[Any]]]:
    """Field -> the values that the task takes; one such for each of its combinations."""
    own = {
        path: value
        for path, value in {**task.fixed(), **task.axes()}.items()
        if path not in _CIRCUMSTANCES
    }
    together = [combination.settings() for combination in task.combinations] or [{}]
    return [
        {path: [_plain(v) for v in _listed(value)] for path, value in {**own, **more}.items()}
        for more in together
    ]


def _left_out(
    launch: RecordedLaunch,
    settings: Mapping[str, Any],
    choices: Sequence[Mapping[str, Sequence[Any]]],
    levels: Sequence[LoadLevel],
    gpus: int | None,
) -> str | None:
    """Why the task does not ask for a launch; None where it does."""
    other = [
        next((path for path, values in choice.items() if settings.get(path) not in values), None)
        for choice in choices
    ]
    if None not in other:
        if len(choices) > 1:
            return NO_COMBINATION
        return f"{other[0]} is not what the task asks for"
    if gpus and launch.gpus > gpus:
        return f"more GPUs than {_GPUS} ({gpus})"
    if not any(level.load in levels for level in launch.levels):
        return NO_LEVEL
    return None


def _candidate(
    landscape: Landscape, launch: RecordedLaunch, settings: Mapping[str, Any]
) -> Candidate:
    where = f"{landscape.name}: launch {launch.id}"
    try:
        candidate = Candidate.from_settings(dict(settings))
    except ValidationError as error:
        raise LandscapeError(
            f"{where}: {problems_of(error)[0]}", remedy="correct the column of that name"
        ) from None
    if max(candidate.gpus, 1) != launch.gpus:
        raise LandscapeError(
            f"{where} has {launch.gpus} gpus, and its widths make {max(candidate.gpus, 1)}",
            remedy="gpus is tp x pp x dp, 1 on a CPU",
        )
    return candidate


def _set_by_task(task: TaskConfig, path: str) -> dict[str, Any]:
    value = task.fixed().get(path)
    return {} if value is None else {path: value}


def _gpu(task: TaskConfig, landscape: Landscape) -> dict[str, Any]:
    """The GPU that is recorded, by the catalog's name; the task's where none is."""
    try:
        return {_GPU: gpu_named(landscape.device).name}
    except CatalogError:
        return _set_by_task(task, _GPU)


def _not_recorded_facts(
    landscape: Landscape, settings: Iterable[Mapping[str, Any]]
) -> Iterable[Problem]:
    for launch, own in zip(landscape.launches, settings, strict=True):
        if _BACKEND not in own:
            yield Problem(_BACKEND, f"is missing: {landscape.name} does not name the engine")
        if _GPU not in own and launch.gpus > 1:
            yield Problem(_GPU, f"is missing: {landscape.name} does not name the GPUs")


def _contradicted(task: TaskConfig, landscape: Landscape, gpu: str | None) -> Iterable[Problem]:
    fixed = task.fixed()
    for name in _LENGTHS:
        given, recorded = fixed.get(f"runtime.{name}"), getattr(landscape, name)
        if name not in landscape.assumed and given not in (None, recorded):
            yield Problem(f"runtime.{name}", f"{given} is not what is recorded, {recorded:g}")
    given = fixed.get(_GPU)
    if given is not None and gpu is not None and gpu_named(given).name != gpu_named(gpu).name:
        yield Problem(_GPU, f"{given!r} is not what is recorded, {gpu!r}")


def _not_recorded(
    choices: Iterable[Mapping[str, Sequence[Any]]], settings: Sequence[Mapping[str, Any]]
) -> Iterable[Problem]:
    """Values that are asked for and no launch has, most likely by mistake."""
    recorded: dict[str, list[Any]] = {}
    for own in settings:
        for path, value in own.items():
            values = recorded.setdefault(path, [])
            if value not in values:
                values.append(value)
    for choice in choices:
        for path, wanted in choice.items():
            if path not in recorded:
                yield Problem(path, f"is not recorded; {nearest(path, list(recorded))}")
                continue
            known = ", ".join(map(written_cell, recorded[path]))
            for value in wanted:
                if value not in recorded[path]:
                    yield Problem(path, f"{written_cell(value)} is not recorded; recorded: {known}")


def _levels(task: TaskConfig, landscape: Landscape) -> tuple[LoadLevel, ...]:
    return task.benchmark.levels or landscape.levels


def _levels_not_recorded(task: TaskConfig, landscape: Landscape) -> Iterable[Problem]:
    known = ", ".join(map(str, landscape.levels))
    for level in _levels(task, landscape):
        if level not in landscape.levels:
            path = "benchmark.load" if task.benchmark.load else "benchmark.concurrency"
            yield Problem(path, f"{level} is not recorded; recorded: {known}")


def _length(task: TaskConfig, landscape: Landscape, name: str) -> float:
    given, recorded = task.fixed().get(f"runtime.{name}"), float(getattr(landscape, name))
    if given is not None:
        return float(given)
    return float(round(recorded)) if name in landscape.assumed else recorded


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
