"""Axes -> candidates, with every exclusion counted."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from autotuner.config import Candidate, Task
from autotuner.engines import LaunchSpec
from autotuner.errors import ConfigError, EngineError, Problem
from autotuner.space.rules import RULES, Setting

MAX_COMBINATIONS = 1_000_000


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


def build_space(
    task: Task, setting: Setting, render: Callable[[Candidate], LaunchSpec], *, source: str = "task"
) -> Space:
    """All candidates of `task` that can work, each once.

    Combinations that render to the same command line are one candidate.

    Raises:
        ConfigError: the grid is too large, or no combination is feasible (with the reasons).
        EngineError: a setting fixed by the user that the engine cannot express.
    """
    axes, fixed = task.axes(), task.fixed()
    combinations = 1
    for values in axes.values():
        combinations *= len(values)
    if combinations > MAX_COMBINATIONS:
        raise ConfigError(
            source,
            (Problem("", f"the axes span {combinations:,} combinations"),),
            remedy=f"take values out until there are {MAX_COMBINATIONS:,} or fewer",
        )
    excluded: Counter[str] = Counter()
    candidates: dict[str, Candidate] = {}
    specs: dict[str, LaunchSpec] = {}
    seen: set[tuple[str, ...]] = set()
    for chosen in itertools.product(*axes.values()):
        candidate = Candidate.from_settings(fixed | dict(zip(axes, chosen, strict=True)))
        reason = next(filter(None, (rule(candidate, setting) for rule in RULES)), None)
        spec = None
        if reason is None:
            try:
                spec = render(candidate)
            except EngineError as error:
                _refuse_fixed(error, fixed)
                reason = error.message
        if spec is not None and spec.argv in seen:
            reason = "the same command line as another candidate"
        if reason is not None or spec is None:
            excluded[reason or "not rendered"] += 1
            continue
        seen.add(spec.argv)
        candidates[candidate.id] = candidate
        specs[candidate.id] = spec
    if not candidates:
        raise ConfigError(
            source,
            tuple(Problem("", f"{reason} ({count} x)") for reason, count in excluded.items()),
            remedy="no combination of the settings is feasible; change the fields named",
        )
    return Space(tuple(candidates.values()), specs, combinations, dict(excluded))


def _refuse_fixed(error: EngineError, fixed: dict[str, object]) -> None:
    if error.message.partition(":")[0] in fixed:
        raise error
