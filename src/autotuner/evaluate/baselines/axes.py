"""The settings that differ among candidates, as axes that a library can search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autotuner.search import SearchState


@dataclass(frozen=True)
class Axis:
    """A setting, or the load level: numbers rise, words have no order."""

    name: str
    values: tuple[object, ...]
    ordered: bool

    def distance(self, one: int, other: int) -> float:
        """Between the places of two values: 0 to 1."""
        if not self.ordered:
            return float(one != other)
        return abs(one - other) / max(len(self.values) - 1, 1)

    def inputs(self, place: int) -> list[float]:
        """A place as numbers of a model: one for an order, one for each word."""
        if not self.ordered:
            return [float(place == index) for index in range(len(self.values))]
        return [place / max(len(self.values) - 1, 1)]


@dataclass(frozen=True)
class Axes:
    """The axes of a space, the load level apart, and each candidate's place on them."""

    settings: tuple[Axis, ...]
    level: Axis
    places: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, state: SearchState) -> Axes:
        """Those settings that have more than one value."""
        names = dict.fromkeys(name for one in state.settings.values() for name in one)
        settings = [_axis(name, state) for name in names]
        told = [axis for axis in settings if len(axis.values) > 1]
        places = {
            key: tuple(axis.values.index(_value(state, key, axis.name)) for axis in told)
            for key in state.candidates
        }
        return cls(tuple(told), Axis("concurrency", state.levels, ordered=True), places)


def _axis(name: str, state: SearchState) -> Axis:
    values = list(dict.fromkeys(_value(state, key, name) for key in state.candidates))
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) < len(values):
        return Axis(name, tuple(values), ordered=False)
    return Axis(name, tuple(sorted(numbers)), ordered=True)


def _value(state: SearchState, key: str, name: str) -> object:
    return state.settings.get(key, {}).get(name)
