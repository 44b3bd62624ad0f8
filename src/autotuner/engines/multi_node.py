"""Engines on more GPUs than a node has: one process on each node, which meet on the first. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, field_validator

NODES = "{nodes}"
"""Placeholder for the number of nodes."""
RANK = "{rank}"
"""Placeholder for the place of a node among them, from 0."""
HEAD = "{head}"
"""Placeholder for the address of the first node, where their processes meet."""
HEAD_PORT = "{head_port}"
"""Placeholder for the port of that."""
ADDRESS = "{address}"
"""Placeholder, as the value of a variable, for a process's own address."""
DEFAULT_HEAD = "HEAD"
"""The address in a command line that people are shown."""
DEFAULT_HEAD_PORT = 20000
"""The port in a command line that people are shown."""


class MultiNodeFile(BaseModel):
    """How an engine's file says that its processes find each other."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    argv: tuple[str, ...]
    """Words of each process; `{nodes}`, `{rank}`, `{head}` and `{head_port}` are filled in."""
    followers: tuple[str, ...] = ()
    """Further words of all processes but the first, which serves."""
    address_variable: str = ""
    """Variable with the address at which the other nodes reach a process; without it, it looks for
    one itself."""
    module: str = ""
    """Module that starts a process, with the words of `program`, where `module` knows no
    followers."""
    since: str | None = None
    """Version that first takes them."""
    source: str = ""

    @field_validator("argv")
    @classmethod
    def _has_all_places(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        for placeholder in (NODES, RANK, HEAD, HEAD_PORT) if argv else ():
            if sum(word.count(placeholder) for word in argv) != 1:
                raise ValueError(f'"{placeholder}" has to stand there once')
        return argv

    def node_count(self, words: Sequence[str]) -> int:
        """Nodes that a command line is of; 1 where it says nothing of them."""
        flags = {flag for flag, word in pairwise(self.argv) if word == NODES}
        given = [word for flag, word in pairwise(words) if flag in flags]
        return int(given[-1]) if given and given[-1].isdecimal() else 1


def nodes_for(gpus: int, per_node: int | None) -> int:
    """Fewest nodes of `per_node` GPUs that hold `gpus` in equal parts; 1 where a node's number is
    not known."""
    if not per_node or gpus <= per_node:
        return 1
    return next(n for n in range(math.ceil(gpus / per_node), gpus + 1) if gpus % n == 0)
