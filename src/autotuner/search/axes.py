"""The settings in which candidates differ: how far apart two candidates lie, and their names.

The distance is Gower's (1971): the mean over axes of a distance between 0 and 1, for numbers the
share of the axis's length, on a logarithmic scale where all are above 0 (a step from 1 to 2 is as
long as one from 8 to 16), for anything else whether the values differ.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeGuard

from autotuner.catalog.facts import KV_BYTES, WEIGHT_BYTES

Settings = Mapping[str, object]
_BYTES = WEIGHT_BYTES | KV_BYTES | {"half": 2.0}
_UNKNOWN = 0.5


@dataclass(frozen=True)
class Axis:
    """A field that candidates set differently.

    Attributes:
        path: `group.field`.
        values: distinct; None is a candidate that leaves the field to the engine. Numbers rise and
            stand before None; other values come in the order of the space.
        numeric: whether all values but None are numbers.
    """

    path: str
    values: tuple[object, ...]
    numeric: bool

    def place(self, value: object) -> float | None:
        """Where a number lies on the axis, 0 at the least to 1 at the greatest; else None."""
        if not self.numeric or not is_number(value):
            return None
        low, high = self._ends
        return (self._scaled(value) - low) / (high - low) if high > low else 0.0

    def distance(self, one: object, other: object) -> float:
        """0 for equal values to 1."""
        a, b = self.place(one), self.place(other)
        if a is None or b is None:
            return float(one != other)
        return abs(a - b)

    def amount(self, value: object) -> float:
        """How large a value is among the axis's, 0 to 1; 0.5 where it is not known.

        A switch that is on is large; number formats count by the logarithm of their bytes.
        """
        if isinstance(value, bool):
            return float(value)
        if isinstance(value, str) and value in _BYTES:
            least, greatest = self._sizes
            length = math.log(greatest / least)
            return math.log(_BYTES[value] / least) / length if length else _UNKNOWN
        place = self.place(value)
        return _UNKNOWN if place is None else place

    def ratio(self, one: object, other: object) -> float:
        """How many times as large a value is as another; 1 where it is not known.

        Number formats count by their bytes.
        """
        sizes = [_size(one), _size(other)]
        return sizes[0] / sizes[1] if all(size > 0 for size in sizes) else 1.0

    def between(self, one: object, other: object) -> tuple[object, ...]:
        """The value between two: the (geometric) mean of numbers, else either."""
        if self.numeric and is_number(one) and is_number(other):
            return (math.sqrt(one * other) if self.logarithmic else (one + other) / 2,)
        return (one,) if one == other else (one, other)

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The values that are numbers, rising; empty where the axis is not numeric."""
        return tuple(value for value in self.values if is_number(value)) if self.numeric else ()

    @cached_property
    def logarithmic(self) -> bool:
        """Whether every number is above 0."""
        return self.numeric and self.numbers[0] > 0

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """The least and the greatest number on the axis's scale."""
        return self._scaled(self.numbers[0]), self._scaled(self.numbers[-1])

    @cached_property
    def _sizes(self) -> tuple[float, float]:
        """The least and the greatest size of the values that have one."""
        known = [size for size in map(_size, self.values) if size > 0] or [1.0]
        return min(known), max(known)

    def _scaled(self, number: float) -> float:
        return math.log(max(number, self.numbers[0])) if self.logarithmic else number


def axes_of(settings: Mapping[str, Settings]) -> tuple[Axis, ...]:
    """The axes of a space, in the order in which its candidates name them.

    Args:
        settings: id -> `group.field` -> value.
    """
    everyone = list(settings.values())
    paths = dict.fromkeys(path for own in everyone for path in own)
    found = ((path, _distinct([own.get(path) for own in everyone])) for path in paths)
    return tuple(_axis(path, values) for path, values in found if len(values) > 1)


def gower_distance(one: Settings, other: Settings, axes: Sequence[Axis]) -> float:
    """How far apart two candidates lie, 0 to 1."""
    distances = [axis.distance(one.get(axis.path), other.get(axis.path)) for axis in axes]
    return sum(distances) / len(distances) if distances else 0.0


def gower_distance_to_any(
    one: Settings, targets: Mapping[str, Collection[object]], axes: Sequence[Axis]
) -> float:
    """How far a candidate lies from settings of which some allow several values, 0 to 1."""
    distances = [
        min(axis.distance(one.get(axis.path), value) for value in targets[axis.path])
        for axis in axes
    ]
    return sum(distances) / len(distances) if distances else 0.0


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number; a switch is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _size(value: object) -> float:
    """A number, or the bytes of a number format; 0 where it has no size."""
    if isinstance(value, str):
        return _BYTES.get(value, 0.0)
    return value if is_number(value) else 0.0


def _axis(path: str, values: list[object]) -> Axis:
    numbers = sorted(value for value in values if is_number(value))
    unset = [value for value in values if value is None]
    if len(numbers) + len(unset) < len(values) or not numbers:
        return Axis(path, tuple(values), numeric=False)
    return Axis(path, (*numbers, *unset), numeric=True)


def _distinct(values: list[object]) -> list[object]:
    found: list[object] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


LABELS = {
    "parallel.tensor_parallel": "TP",
    "parallel.pipeline_parallel": "PP",
    "parallel.data_parallel": "DP",
    "parallel.expert_parallel": "EP",
    "parallel.moe_tensor_parallel": "MoE TP",
    "parallel.moe_expert_parallel": "MoE EP",
    "scheduling.max_running_requests": "sequences",
    "scheduling.max_num_batched_tokens": "tokens a step",
    "attention.chunked_prefill_size": "tokens a chunk",
    "attention.backend": "attention",
    "quantization.gemm_mode": "weights",
    "quantization.moe_mode": "experts",
    "quantization.kvcache_mode": "KV cache",
    "system.backend": "engine",
}
"""Short names of fields; of others the field's own name is shown."""


def label(path: str) -> str:
    """How a reader calls a field: `TP`, `sequences`, `page size`."""
    return LABELS.get(path, path.partition(".")[2].replace("_", " "))


def format_value(value: object) -> str:
    """A value; None is one that is left to the engine."""
    if value is None:
        return "default"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def differing(before: Settings, after: Settings) -> Iterator[tuple[str, object, object]]:
    """Field, its value before, its value after: of those that differ. None is left to the
    engine."""
    for path in dict.fromkeys((*before, *after)):
        if before.get(path) != after.get(path):
            yield path, before.get(path), after.get(path)


def describe_settings(settings: Mapping[str, object]) -> str:
    """`TP 4, sequences 64, weights fp8`."""
    return ", ".join(f"{label(path)} {format_value(value)}" for path, value in settings.items())
