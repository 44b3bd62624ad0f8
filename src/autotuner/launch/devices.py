"""Which GPUs an engine gets: book-keeping where several run at once, and how it is limited to them.

Pure: what a user's environment allows is read once by who starts the work, and handed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

VISIBLE = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
"""The variables that limit a process to some GPUs: CUDA's, and HIP's, whose runtime reads both."""
_BENEATH = "ROCR_VISIBLE_DEVICES"
"""Limits ROCm beneath HIP: numbers that HIP is given count within it."""
_NONE = "-1"
"""Names no GPU: HIP takes an empty list for none given, and shows all."""
_ORDER = "CUDA_DEVICE_ORDER"
"""How CUDA numbers GPUs: left alone the fastest come first; drivers' tools number them by bus."""
NODE = "@"
"""Between the number of a GPU and its node, where GPUs are those of several."""
_UNIQUE = ("gpu-", "mig-")
"""Prefixes of names of GPUs that are no numbers."""


@dataclass(frozen=True)
class Gpus:
    """The GPUs that a task may use, of this machine or of several, and which of them are held.

    Attributes:
        names: numbers, or unique names of GPUs or of MIG instances, in the order of the machine;
            those of several machines end with `@` and their machine.
    """

    names: tuple[str, ...]
    held: frozenset[str] = frozenset()

    def place(self, count: int, nodes: int = 1) -> tuple[str, ...] | None:
        """Free GPUs of one machine, or in equal parts of several, for an engine that needs `count`;
        None where fewer are free.

        Neighbours that begin at a multiple of `count` come first: on most machines they share the
        fastest links, and blocks that are aligned leave room for others.
        """
        machines: dict[str, list[str]] = {}
        for name in self.names:
            machines.setdefault(name.partition(NODE)[2], []).append(name)
        found = (self._of_machine(names, count // nodes) for names in machines.values() or [[]])
        places = [place for place in found if place is not None][:nodes]
        return tuple(chain.from_iterable(places)) if len(places) == nodes else None

    def _of_machine(self, names: Sequence[str], count: int) -> tuple[str, ...] | None:
        blocks = (names[at : at + count] for at in range(0, len(names), max(count, 1)))
        for block in blocks:
            if len(block) == count and not self.held.intersection(block):
                return tuple(block)
        free = [name for name in names if name not in self.held]
        return tuple(free[:count]) if len(free) >= count else None

    def taken(self, names: Iterable[str]) -> Gpus:
        """With these held."""
        return replace(self, held=self.held.union(names))

    def freed(self, names: Iterable[str]) -> Gpus:
        """With these free again."""
        return replace(self, held=self.held.difference(names))


def is_unique_name(name: str) -> bool:
    """Whether a name is a UUID of a GPU or of a MIG instance, as `nvidia-smi -L` has them."""
    return name.lower().startswith(_UNIQUE)


def allowed_gpus(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """The GPUs that an environment leaves its process; None where it says nothing of them."""
    visible = next((environment[name] for name in VISIBLE if name in environment), None)
    beneath = environment.get(_BENEATH)
    if beneath is None:
        return None if visible is None else _listed(visible)
    lowest = _listed(beneath)
    if visible is None:
        return lowest
    numbered = {str(number): name for number, name in enumerate(lowest)}
    within = (numbered.get(name, name if is_unique_name(name) else "") for name in _listed(visible))
    return tuple(name for name in within if name in lowest)


def limited_to(environment: Mapping[str, str], devices: Sequence[str]) -> Mapping[str, str]:
    """The environment of an engine that may use these GPUs alone; none are visible to it where
    there are none."""
    kept = {name: value for name, value in environment.items() if name != _BENEATH}
    named = ",".join(devices) or _NONE
    return kept | dict.fromkeys(VISIBLE, named) | {_ORDER: "PCI_BUS_ID"}


def _listed(written: str) -> tuple[str, ...]:
    """Names in a variable; the first that names no GPU ends the list, as for CUDA (`-1`)."""
    found: list[str] = []
    for name in map(str.strip, written.split(",")):
        if not (name.isdigit() or is_unique_name(name)):
            break
        found.append(name)
    return tuple(dict.fromkeys(found))
