"""Dominance and the Pareto frontier; every coordinate is maximised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether `a` is nowhere worse than `b` and somewhere better."""
    return all(x >= y for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b)


def pareto_front(items: Iterable[T], key: Callable[[T], tuple[float, ...]]) -> list[T]:
    """The items that no other dominates, in the order given; of equal ones only the first.

    Sorting by descending coordinates puts every item behind all that dominate it, so each is
    compared with the frontier alone: O(n log n + n x frontier). In two dimensions the last of the
    frontier decides, since it has the greatest second coordinate: O(n log n).
    """
    keyed = [(key(item), index, item) for index, item in enumerate(items)]
    front: list[tuple[tuple[float, ...], int, T]] = []
    for vector, index, item in sorted(keyed, key=lambda k: (tuple(-x for x in k[0]), k[1])):
        rivals = front[-1:] if len(vector) <= 2 else front
        if not any(other == vector or dominates(other, vector) for other, _, _ in rivals):
            front.append((vector, index, item))
    return [item for _, _, item in sorted(front, key=lambda entry: entry[1])]
