"""Predictions by what they state, so that a measurement is compared with few of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autotuner.config import LoadLevel
from autotuner.verify.points import Point

_MOST_PATHS = 40
"""Settings by which the predictions of one load are indexed."""

Key = str | None


class PredictionIndex:
    """Predictions by load, and those of a load by every name and setting that they state.

    Args:
        keys: field of `Point` -> its value's key. Values that are the same have one key; those of
            one key need not be the same.
    """

    def __init__(
        self, predicted: Iterable[Point], keys: Mapping[str, Callable[[Any], Key]]
    ) -> None:
        levels: dict[LoadLevel, list[Point]] = {}
        for point in predicted:
            levels.setdefault(point.load, []).append(point)
        self._levels = {load: _Level(points, keys) for load, points in levels.items()}

    def near(self, measured: Point) -> Sequence[Point]:
        """Predictions of the measurement's load, in their order; every one that fits is among
        them."""
        level = self._levels.get(measured.load)
        return level.near(measured) if level is not None else ()


def setting_key(value: Any) -> Key:
    """The key of a setting; None for a list or an object, which is as if it were not stated."""
    if value is None or not isinstance(value, str | int | float):
        return None
    text = str(value).lower()
    # True, 1, 1.0 and "1" are the same setting to one who compares files.
    text = {"true": "1", "false": "0"}.get(text, text)
    try:
        return repr(float(text))
    except ValueError:
        return text


class _Level:
    """The predictions of one load."""

    def __init__(self, points: Sequence[Point], keys: Mapping[str, Callable[[Any], Key]]) -> None:
        self._points = points
        self._keys = keys
        self._paths = tuple(itertools.islice(points[0].identity, _MOST_PATHS))
        self._places: dict[tuple[str, Key], list[int]] = {}
        for place, point in enumerate(points):
            for name, key in self._keys_of(point):
                self._places.setdefault((name, key), []).append(place)

    def near(self, measured: Point) -> Sequence[Point]:
        ways = [
            (self._places.get((name, key), ()), self._places.get((name, None), ()))
            for name, key in self._keys_of(measured)
            if key is not None
        ]
        if not ways:
            return self._points
        stated, unstated = min(ways, key=lambda way: len(way[0]) + len(way[1]))
        return [self._points[place] for place in sorted((*stated, *unstated))]

    def _keys_of(self, point: Point) -> Iterable[tuple[str, Key]]:
        for name, key in self._keys.items():
            value = getattr(point, name)
            yield name, None if value is None else key(value)
        for path in self._paths:
            yield path, setting_key(point.identity.get(path))
