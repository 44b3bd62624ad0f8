"""Engines by name, and by what others call them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from autotuner.config import BACKENDS
from autotuner.engines.engine import Engine
from autotuner.engines.table import checked_engine, engine_table
from autotuner.engines.tabled import TabledEngine

DEFAULT_ENGINE = "llamacpp"


class _Engines(Mapping[str, Engine]):
    """An engine for each engine file, made when it is asked for."""

    def __getitem__(self, name: str) -> Engine:
        if name not in BACKENDS:
            raise KeyError(name)
        return _engine(name)

    def __iter__(self) -> Iterator[str]:
        return iter(BACKENDS)

    def __len__(self) -> int:
        return len(BACKENDS)


ENGINES: Mapping[str, Engine] = _Engines()
"""Engine by name, in the order of lists."""


@functools.cache
def _engine(name: str) -> Engine:
    return TabledEngine(name)


def engine_named(name: str, *, field: str = "system.backend") -> Engine:
    """The engine of that name.

    Args:
        field: the field or option that has the name.

    Raises:
        EngineError: no such engine; names the nearest.
    """
    return ENGINES[checked_engine(name, field=field)]


def engine_called(word: str) -> str | None:
    """The engine that results of load generators call `word`; None where it is not known."""
    if word in BACKENDS:
        return word
    return next((name for name in BACKENDS if word in engine_table(name).file.names), None)


def engine_measured_by(tool: str) -> str | None:
    """The engine whose own tool `tool` is; None where that measures others too."""
    found = (name for name in BACKENDS if tool in engine_table(name).file.measured_by)
    return next(found, None)


def v1_engines() -> dict[str, str]:
    """Every name that version 1 had for an engine -> its name, in version 1's order."""
    return _v1_names(tuple(BACKENDS))


@functools.cache
def _v1_names(engines: tuple[str, ...]) -> dict[str, str]:
    known = [(v1, name) for name in engines if (v1 := engine_table(name).file.v1)]
    known.sort(key=lambda each: each[0].order)
    return {word: name for v1, name in known for word in v1.names}
