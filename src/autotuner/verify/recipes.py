"""How a public benchmark started the engines that it measured, where its rows do not say it.

`recipes.yaml` has rules, read from the benchmark's launch scripts: what holds of a row -> settings.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from autotuner.config.tables import packaged_table


@dataclass(frozen=True)
class BenchmarkRun:
    """The run that measured a row, as far as the row says it.

    Attributes:
        precision: of the weights, in the benchmark's word: `fp8`, `fp4`, `int4`, `bf16`.
        day: on which it was measured.
    """

    engine: str
    model: str
    system: str
    precision: str
    isl: int
    concurrency: int
    tensor_parallel: int
    day: date


@dataclass(frozen=True)
class _Rule:
    when: Mapping[str, Any]
    settings: Mapping[str, Any]

    def holds(self, run: BenchmarkRun) -> bool:
        return all(_agrees(run, name, wanted) for name, wanted in self.when.items())


def recipe(run: BenchmarkRun) -> dict[str, Any]:
    """Settings that the engine was started with: `group.field` -> value; those that are known."""
    settings: dict[str, Any] = {}
    for rule in _rules():
        if rule.holds(run):
            settings |= rule.settings
    return settings


@functools.cache
def _rules() -> tuple[_Rule, ...]:
    document = packaged_table("autotuner.verify", "recipes")
    return tuple(_Rule(row["when"], row["set"]) for row in document["rules"])


def _agrees(run: BenchmarkRun, name: str, wanted: Any) -> bool:
    if name == "since":
        return bool(run.day >= wanted)
    if name == "until":
        return bool(run.day <= wanted)
    value = getattr(run, name)
    if isinstance(wanted, Mapping):
        return bool(value >= wanted["at_least"])
    return value in wanted if isinstance(wanted, list) else bool(value == wanted)
