"""Which GPUs an engine gets where several run at once: book-keeping without any device. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The variable that limits a process to some GPUs; ROCm's runtime reads it too."""


@dataclass(frozen=True)
class Gpus:
    """The GPUs of this machine that a task may use, and which of them are held.

    Attributes:
        names: as `VISIBLE` has them, in the order of the machine.
    """

    names: tuple[str, ...]
    held: frozenset[str] = frozenset()

    def place(self, count: int) -> tuple[str, ...] | None:
        """Free GPUs for an engine that needs `count`; None where fewer are free.

        Neighbours that begin at a multiple of `count` come first: on most machines they share the
        fastest links, and blocks that are aligned leave room for others.
        """
        blocks = (self.names[at : at + count] for at in range(0, len(self.names), max(count, 1)))
        for block in blocks:
            if len(block) == count and not self.held.intersection(block):
                return block
        free = [name for name in self.names if name not in self.held]
        return tuple(free[:count]) if len(free) >= count else None

    def taken(self, names: Iterable[str]) -> Gpus:
        """With these held."""
        return replace(self, held=self.held.union(names))

    def freed(self, names: Iterable[str]) -> Gpus:
        """With these free again."""
        return replace(self, held=self.held.difference(names))


def visible_gpus(count: int, environment: Mapping[str, str]) -> Gpus:
    """The first `count` GPUs that this process may use itself."""
    said = environment.get(VISIBLE)
    names = (
        map(str, range(count)) if said is None else filter(None, map(str.strip, said.split(",")))
    )
    return Gpus(tuple(names)[:count])
