"""The load levels of a task that leaves them out: they follow what it searches, and say why. Pure.

From one request to as many as any candidate serves at a time: beyond that requests only wait. In
between they are geometric, since throughput and latency bend over powers of the load, and few,
since each is measured in every launch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.config import LoadLevel, closed_loops
from autotuner.profiles.rules import RULES
from autotuner.space import Space
from autotuner.tuning.resolve import Variant

LEVELS = "levels"
"""In a task's plan: the load levels that it was measured at."""
MOST_LEVELS = 6
"""Each takes up to `duration_per_level_s` in every launch."""
MOST_LEVELS_WITH_SLO = 8
"""The highest load within a limit is known as finely as levels are apart."""
_UNLIMITED = 256
"""Requests at a time of engines that set no limit: as many as vLLM runs where nothing is set
(SchedulerConfig.max_num_seqs, on devices below 70 GiB)."""
_UNKNOWN = 8
"""Where neither a limit nor the memory of a request is known."""
_RUNNING = "scheduling.max_running_requests"
_ASKED = 64
"""Candidates of which the memory is reckoned, spread over the space."""


@dataclass(frozen=True)
class LoadLevels:
    """Load levels of a closed loop, rising, and why these."""

    values: tuple[LoadLevel, ...]
    why: str


def load_levels(space: Space, variants: Sequence[Variant], slo: Mapping[str, float]) -> LoadLevels:
    """The levels of a task that leaves them out."""
    top, why = _most_at_once(space, variants)
    most = MOST_LEVELS_WITH_SLO if slo else MOST_LEVELS
    values, factor = geometric(top, most)
    steps = f"times {factor}" if len(values) > 2 else "both ends"
    finer = f" with an SLO, to find the highest load within {', '.join(slo)}" if slo else ""
    return LoadLevels(
        closed_loops(*values),
        f"1 to {top}, {steps}: {why}; at most {most} levels{finer}",
    )


def planned_levels(plan: Mapping[str, Any]) -> tuple[LoadLevel, ...]:
    """The load levels in a task's plan; a plain number in one of before is a concurrency."""
    return tuple(
        LoadLevel.concurrency(form) if isinstance(form, int) else LoadLevel.from_json(form)
        for form in plan.get(LEVELS, ())
    )


def geometric(top: int, most: int) -> tuple[tuple[int, ...], int]:
    """1 to `top` by the least power of two that needs no more than `most` levels; and that power.

    `top` itself is the last, however far it is from the one before.
    """
    factor = 2
    while len(values := _powers(top, factor)) > most:
        factor *= 2
    return values, factor


def _powers(top: int, factor: int) -> tuple[int, ...]:
    below = int(math.log(top, factor) + 1e-9)
    return tuple(dict.fromkeys((*(factor**power for power in range(below + 1)), top)))


def _most_at_once(space: Space, variants: Sequence[Variant]) -> tuple[int, str]:
    """The most requests that any candidate serves at a time, and what says so."""
    defaults = {v.engine.name: v.engine.table.defaults.get(_RUNNING) for v in variants}
    limits: dict[int, str] = {}
    for candidate in space.candidates:
        settings = candidate.settings()
        engine = settings.get("system.backend", variants[0].engine.name)
        if settings.get(_RUNNING):
            limits[int(settings[_RUNNING])] = f"the most {_RUNNING} of the candidates"
        elif defaults.get(engine):
            limits.setdefault(int(defaults[engine] or 0), f"{engine} serves so many by itself")
        else:
            limits.setdefault(_UNLIMITED, f"{engine} has no lower limit")
    top, why = max(limits.items(), default=(_UNKNOWN, "nothing limits them"))
    held = _held(space, variants)
    if held is not None and held < top:
        return held, f"no candidate's memory holds more requests of this length ({why}: {top})"
    if held is None and why.endswith("no lower limit"):
        return _UNKNOWN, "neither a limit nor the memory that a request takes is known"
    return top, why


def _held(space: Space, variants: Sequence[Variant]) -> int | None:
    """Requests whose KV cache the roomiest candidate holds; None where a memory is not known.

    A power of two, from 8 on: estimates of memory are no finer.
    """
    contexts = {variant.engine.name: variant.context for variant in variants}
    step = max(len(space.candidates) // _ASKED, 1)
    found: list[int] = []
    for candidate in space.candidates[::step]:
        settings: dict[str, Any] = candidate.settings()
        context = contexts.get(settings.get("system.backend", ""), variants[0].context)
        held = RULES["requests_that_fit"].apply(context, settings)
        if held is None:
            return None
        ranks = settings.get("parallel.data_parallel") or 1
        found.append(int(held) * int(ranks))
    return max(found, default=None)
