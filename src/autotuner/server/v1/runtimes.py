"""v1's runtimes: the engines that its lists of parameters and its presets know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from autotuner.config.tables import packaged_table


@dataclass(frozen=True)
class RuntimeParameters:
    """Names of one runtime's parameters, sorted, and those commonly tuned, in v1's order."""

    names: tuple[str, ...]
    commonly_tuned: tuple[str, ...]


@cache
def runtimes() -> dict[str, RuntimeParameters]:
    """v1's runtimes."""
    return {
        name: RuntimeParameters(**{key: tuple(words.split()) for key, words in lists.items()})
        for name, lists in packaged_table("autotuner.server.v1", "runtime_params").items()
    }
