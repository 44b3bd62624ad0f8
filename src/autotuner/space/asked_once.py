"""Questions of a few axes of a grid, asked once for each combination of their values."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_FEW = 2_000
"""Combinations of the fields of a rule that are asked before all combinations are gone through."""


class AskedOnce:
    """A question of some axes: each distinct combination of their values is asked once.

    `answer` takes the places of the values in their axes, of all axes in order.
    """

    def __init__(
        self,
        axes: Mapping[str, list[Any]],
        reads: Sequence[str],
        ask: Callable[[dict[str, Any]], Any],
    ) -> None:
        self.reads = [path for path in axes if path in reads]
        self.always = None if self.reads else ask({})
        self._ask = ask
        self._axes = axes
        self._answers: dict[Any, Any] = {}
        order = list(axes)
        self._places = operator.itemgetter(*(order.index(path) for path in self.reads or order[:1]))

    def is_always_none(self) -> bool:
        """Whether the answer is None for all combinations; False where they are too many to ask."""
        places = [range(len(values)) for values in self._axes.values()]
        few = [
            p if path in self.reads else p[:1] for path, p in zip(self._axes, places, strict=True)
        ]
        if math.prod(map(len, few)) > _FEW:
            return False
        return all(self.answer(chosen) is None for chosen in itertools.product(*few))

    def answer(self, chosen: tuple[int, ...]) -> Any:
        """The answer for one combination."""
        if not self.reads:
            return self.always
        key = self._places(chosen)
        try:
            return self._answers[key]
        except KeyError:
            places = key if len(self.reads) > 1 else (key,)
            values = {p: self._axes[p][n] for p, n in zip(self.reads, places, strict=True)}
            answer = self._answers[key] = self._ask(values)
            return answer


def asked_once(
    axes: Mapping[str, list[Any]], reads: Sequence[str], ask: Callable[[dict[str, Any]], Any]
) -> AskedOnce:
    """The question `ask` of those of the axes that it reads."""
    return AskedOnce(axes or {"": [None]}, reads, ask)
