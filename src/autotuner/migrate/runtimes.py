"""v1's `base_runtime` -> the engine that it means. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.config import BACKENDS, nearest
from autotuner.engines import v1_engines
from autotuner.errors import ConfigError, Problem
from autotuner.migrate.draft import PARAMETERS
from autotuner.migrate.flags import knows

_PLACES = ("clusterservingruntime_config", "clusterbasemodel_config", "runtime_image_tag")
"""Keys of a task that may name an engine where its runtime does not."""


@dataclass(frozen=True)
class EngineChoice:
    """The engine of a task.

    Attributes:
        engine: None where nothing tells it.
        why: what tells it, or why nothing does; empty where it is `base_runtime` itself.
    """

    engine: str | None
    why: str = ""


def runtime_of(v1: Mapping[str, Any], asked: str | None = None) -> EngineChoice:
    """The engine of a task: by what is asked for, the runtime's name, the names in its presets and
    its image, or the one whose flags its parameters are.

    Args:
        asked: an engine by its name or by one of v1's.

    Raises:
        ConfigError: no engine has the name that is asked for.
    """
    if asked is not None:
        return EngineChoice(engine_named(asked), "as asked for")
    written = v1.get("base_runtime")
    name = written if isinstance(written, str) else ""
    if name in v1_engines():
        return EngineChoice(v1_engines()[name])
    if found := named_by(name):
        return EngineChoice(found, "the engine that the runtime's name means")
    for place in _PLACES:
        if found := _word_in(json.dumps(v1.get(place), default=str)):
            return EngineChoice(found, f"the engine that {place} names")
    return _by_parameters(v1.get(PARAMETERS)) or EngineChoice(
        None, f"{name!r} names no engine; {nearest(name, list(v1_engines()))}"
    )


def named_by(runtime: Any) -> str | None:
    """The engine that a runtime's own name means; None where it means none."""
    return _word_in(runtime) if isinstance(runtime, str) else None


def asked_for(asked: str | None, runtime: Any) -> str | None:
    """The engine that is asked for many tasks, where a task's own runtime does not name one."""
    return None if asked is None or named_by(runtime) else engine_named(asked)


def engine_named(asked: str) -> str:
    """The engine of that name, or of that name in version 1.

    Raises:
        ConfigError: there is none.
    """
    found = v1_engines().get(asked.lower()) or (asked if asked in BACKENDS else None)
    if found is None:
        text = f"{asked!r} is no engine; {nearest(asked, list(BACKENDS))}"
        raise ConfigError("v1 task", (Problem("engine", text),))
    return found


def _word_in(text: str) -> str | None:
    """The engine whose name a text is, begins with or holds (as those of OME's runtimes do)."""
    return next((name for word, name in v1_engines().items() if word in text.lower()), None)


def _by_parameters(parameters: Any) -> EngineChoice | None:
    """The engine that has more of the flags than any other."""
    names = [str(name) for name in parameters] if isinstance(parameters, Mapping) else []
    known = {
        engine: [name for name in names if knows(engine, name)]
        for engine in dict.fromkeys(v1_engines().values())
    }
    best, *others = sorted(known, key=lambda engine: -len(known[engine]))
    if not known[best] or len(known[best]) == len(known[others[0]]):
        return None
    return EngineChoice(best, f"the engine whose flags are {', '.join(known[best])}")
