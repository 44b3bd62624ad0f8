"""Axes -> candidates, with every exclusion counted."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.config import Candidate
from autotuner.engines import LaunchSpec
from autotuner.errors import ConfigError, EngineError, Problem
from autotuner.space.rules import RULES, Setting

MAX_COMBINATIONS = 1_000_000


@dataclass(frozen=True)
class Region:
    """A part of a space: a grid on one engine.

    Attributes:
        settings: `group.field` -> value; a list is an axis.
        user: fields that the user said; one that is fixed and cannot be is an error.
    """

    settings: Mapping[str, Any]
    user: frozenset[str]
    setting: Setting
    render: Callable[[Candidate], LaunchSpec]

    def axes(self) -> dict[str, list[Any]]:
        """The fields that are searched."""
        return {path: value for path, value in self.settings.items() if isinstance(value, list)}

    def combinations(self) -> int:
        """Size of the raw grid."""
        return math.prod(len(values) for values in self.axes().values())


@dataclass(frozen=True)
class Space:
    """The feasible candidates in grid order (the last axis turns fastest).

    Attributes:
        specs: candidate id -> how it is launched.
        combinations: size of the raw grid.
        excluded: reason -> number of combinations.
    """

    candidates: tuple[Candidate, ...]
    specs: dict[str, LaunchSpec]
    combinations: int
    excluded: dict[str, int]


def build_space(regions: Sequence[Region], *, source: str = "task") -> Space:
    """All candidates of the regions that can work, each once.

    Combinations that render to the same launch are one candidate.

    Raises:
        ConfigError: the grid is too large, or no combination is feasible (with the reasons).
        EngineError: a setting fixed by the user that the engine cannot express.
    """
    combinations = sum(region.combinations() for region in regions)
    if combinations > MAX_COMBINATIONS:
        raise ConfigError(
            source,
            (Problem("", f"the axes span {combinations:,} combinations"),),
            remedy=f"take values out until there are {MAX_COMBINATIONS:,} or fewer",
        )
    excluded: Counter[str] = Counter()
    candidates: dict[str, Candidate] = {}
    specs: dict[str, LaunchSpec] = {}
    seen: set[object] = set()
    for region in regions:
        for candidate, spec, reason in _judged(region):
            launch = None if spec is None else (spec.argv, spec.env, spec.files)
            if launch is not None and launch in seen:
                reason = "the same command line as another candidate"
            if reason is not None or spec is None:
                excluded[reason or "not rendered"] += 1
                continue
            seen.add(launch)
            candidates[candidate.id] = candidate
            specs[candidate.id] = spec
    if not candidates:
        raise ConfigError(
            source,
            tuple(Problem("", f"{reason} ({count} x)") for reason, count in excluded.items()),
            remedy="no combination of the settings is feasible; change the fields named",
        )
    return Space(tuple(candidates.values()), specs, combinations, dict(excluded))


def _judged(region: Region) -> Iterator[tuple[Candidate, LaunchSpec | None, str | None]]:
    """Every combination of a region: how it is launched, or why it cannot work."""
    axes = region.axes()
    fixed = {path: value for path, value in region.settings.items() if path not in axes}
    for chosen in itertools.product(*axes.values()):
        candidate = Candidate.from_settings(fixed | dict(zip(axes, chosen, strict=True)))
        reason = next(filter(None, (rule(candidate, region.setting) for rule in RULES)), None)
        spec = None
        if reason is None:
            try:
                spec = region.render(candidate)
            except EngineError as error:
                _refuse_fixed(error, region.user - set(axes))
                reason = error.message
        yield candidate, spec, reason


def _refuse_fixed(error: EngineError, fixed: frozenset[str]) -> None:
    if error.message.partition(":")[0] in fixed:
        raise error
