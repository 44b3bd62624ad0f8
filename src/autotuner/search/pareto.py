"""Dominance and the Pareto frontier; every coordinate is maximised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

T = TypeVar("T")


def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether `a` is nowhere worse than `b` and somewhere better."""
    return all(x >= y for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b)


def pareto_front(items: Iterable[T], key: Callable[[T], tuple[float, ...]]) -> list[T]:
    """The items that no other dominates, in the order given; of equal ones only the first."""
    import numpy as np  # heavy, and no command needs it to start

    known = list(items)
    vectors = [key(item) for item in known]
    if not vectors:
        return []
    return [known[place] for place in front_places(np.array(vectors, float))]


def front_places(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Which rows of `n x d` values no other dominates, rising; of equal rows only the first.

    By descending coordinates every row stands behind all that dominate it. In one and two
    dimensions a row of the frontier is then one whose last coordinate exceeds all before it; with
    more, each row of the frontier takes out what it dominates: O(n x frontier).
    """
    import numpy as np

    order = np.lexsort((*-values.T[::-1],))  # stable: of equal rows the first comes first
    left = values[order]
    if left.shape[1] <= 2:
        last = left[:, -1]
        before = np.r_[-np.inf, np.maximum.accumulate(last)[:-1]]
        front = order[(last > before) | (np.arange(len(last)) == 0)]
        return np.sort(front[:1] if left.shape[1] == 1 else front)
    front = []
    while len(left):
        front.append(order[0])
        better = (left > left[0]).any(1)
        left, order = left[better], order[better]
    return np.sort(np.array(front, dtype=np.int64))
