"""A v1 task that measures several traffic scenarios -> a v2 task for each of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotuner.config import UnfitError
from autotuner.migrate.benchmark import BENCHMARK, SCENARIOS
from autotuner.migrate.draft import Translation
from autotuner.migrate.translate import translate_task
from autotuner.migrate.values import distinct, listed


def translate_scenarios(
    v1: Mapping[str, Any], *, absent_mode: str = "ome", engine: str | None = None
) -> tuple[Translation, ...]:
    """The v2 tasks that measure what a v1 task measures: one for each of its traffic scenarios.

    A v2 task has one workload. The first one keeps the name, the others have their scenario behind
    it. Arguments and errors are those of `translate_task`.
    """
    scenarios = scenarios_of(v1)
    return tuple(
        translate_task(
            v1 if len(scenarios) < 2 else _with_scenario(v1, scenario, is_first=place == 0),
            absent_mode=absent_mode,
            engine=engine,
        )
        for place, scenario in enumerate(scenarios or [None])
    )


def scenarios_of(v1: Mapping[str, Any]) -> list[Any]:
    """The different traffic scenarios that a v1 task names."""
    benchmark = v1.get(BENCHMARK)
    written = benchmark.get(SCENARIOS) if isinstance(benchmark, Mapping) else None
    try:
        return distinct(listed(written))
    except UnfitError:
        return []


def _with_scenario(v1: Mapping[str, Any], scenario: Any, *, is_first: bool) -> dict[str, Any]:
    name = v1.get("task_name")
    own = name if is_first or not isinstance(name, str) else f"{name} {scenario}"
    return {**v1, "task_name": own, BENCHMARK: {**v1[BENCHMARK], SCENARIOS: [scenario]}}
