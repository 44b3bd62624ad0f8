"""Changes of a setting that shorten a part of the time, as far as they can be made. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.config import Candidate
from autotuner.predict import Scenario
from autotuner.predict.roofline.part_rates import Move, narrower_formats
from autotuner.space import Region
from autotuner.space.rules import rules_of

_WIDTHS = (
    "parallel.tensor_parallel",
    "parallel.data_parallel",
    "parallel.pipeline_parallel",
    "parallel.moe_tensor_parallel",
    "parallel.moe_expert_parallel",
)
"""Widths that may have to change with another one, for the product to fit."""
_TOGETHER = 2
_FACTORS: Mapping[str, float] = {"doubled": 2.0, "halved": 0.5}


@dataclass(frozen=True)
class SettingChange:
    """A candidate that differs from another in one respect.

    Attributes:
        path: the field that is meant; `changes`: that, and what has to follow it.
    """

    path: str
    changes: Mapping[str, Any]
    candidate: Candidate


def possible_changes(
    scenario: Scenario, region: Region, candidate: Candidate, moves: Iterable[tuple[str, Move]]
) -> Iterator[SettingChange]:
    """Changes that engine, device, model and task's GPUs allow, in the order of `moves`.

    Args:
        moves: fields, each with the direction in which it is changed.
    """
    seen: set[str] = {candidate.id}
    broken = _broken(candidate, region)
    for path, move in moves:
        for changes in _values(scenario, candidate, path, move):
            changed = Candidate.from_settings({**candidate.settings(), **changes})
            if changed.id in seen:
                continue
            seen.add(changed.id)
            if _can_be(changed, changes, region) and not _broken(changed, region) - broken:
                yield SettingChange(path, changes, changed)


def _values(
    scenario: Scenario, candidate: Candidate, path: str, move: Move
) -> Iterator[dict[str, Any]]:
    now = scenario.value(candidate, path)
    if move == "narrower":
        yield from ({path: value} for value in narrower_formats(path) if value != now)
    elif move == "on":
        if not now:
            yield {path: 1 if path == "runtime.nextn" else True}
    elif move == "zero":
        if now:
            yield {path: 0.0}
    elif path.startswith("parallel."):
        yield from _layouts(scenario, candidate, path, _FACTORS[move])
    elif now and (value := now * _FACTORS[move]) == int(value) > 0:
        yield {path: int(value)}


def _layouts(
    scenario: Scenario, candidate: Candidate, path: str, factor: float
) -> Iterator[dict[str, Any]]:
    """A width changed alone, and with up to two others that are set, by the same factor or its
    inverse."""
    if scenario.gpu.is_cpu:
        return
    others = [name for name in _WIDTHS if name != path and candidate.get(name) is not None]
    for count in range(_TOGETHER + 1):
        for names in itertools.combinations(others, count):
            for factors in itertools.product((1 / factor, factor), repeat=count):
                changes = {path: factor, **dict(zip(names, factors, strict=True))}
                widths = {n: (candidate.get(n) or 1) * f for n, f in changes.items()}
                if all(width == int(width) and width >= 1 for width in widths.values()):
                    yield {name: int(width) for name, width in widths.items()}


def _can_be(changed: Candidate, changes: Mapping[str, Any], region: Region) -> bool:
    """Whether the engine can express the changes, on the GPUs that there are."""
    gpus, version = region.context.gpus, region.installation.version
    if gpus is not None and changed.gpus > gpus:
        return False
    settings = changed.settings()
    return all(
        region.engine.refuses(settings, path, region.model, version) is None for path in changes
    )


def _broken(candidate: Candidate, region: Region) -> set[tuple[str, ...]]:
    """Rules that a candidate breaks, by the fields that they read."""
    rules = rules_of(region.context)
    return {rule.reads for rule in rules if rule.breaks(candidate, region.context)}
