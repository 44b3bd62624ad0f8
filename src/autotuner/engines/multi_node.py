"""Engines on more GPUs than a node has: one process on each node, which meet on the first. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, field_validator

from autotuner.config import Candidate

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
    names: tuple[str, ...] = ()
    """Other names of these flags."""
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

    def named_in(self, words: Iterable[str]) -> str | None:
        """The first of words that says how a launch is spread, by whatever name, or cut short as
        argparse allows."""
        own = [word for word in (*self.argv, *self.followers, *self.names) if word.startswith("-")]
        given = (word.partition("=")[0].replace("_", "-") for word in words)
        flags = (flag for flag in given if flag.startswith("-"))
        return next((f for f in flags if f in own or _is_cut_short(f, own)), None)

    def node_count(self, words: Sequence[str]) -> int:
        """Nodes that a command line is of; 1 where it says nothing of them."""
        flags = {flag for flag, word in pairwise(self.argv) if word == NODES}
        given = [word for flag, word in pairwise(words) if flag in flags]
        return int(given[-1]) if given and given[-1].isdecimal() else 1


def nodes_for(candidate: Candidate, per_node: int | None) -> int:
    """Fewest nodes of `per_node` GPUs that share those of a candidate in equal parts, each with
    whole replicas and pipeline stages or with a part of one; 1 where all are on one machine."""
    gpus, widths = candidate.gpus, candidate.parallel
    if not per_node or gpus <= per_node:
        return 1
    replicas, stages = widths.data_parallel or 1, widths.pipeline_parallel or 1
    return next(
        nodes
        for nodes in range(math.ceil(gpus / per_node), gpus + 1)
        if gpus % nodes == 0
        and _are_whole(replicas, nodes)
        and _are_whole(stages, max(nodes // replicas, 1))
    )


def _is_cut_short(flag: str, own: Iterable[str]) -> bool:
    return flag.startswith("--") and any(name.startswith(flag) for name in own)


def _are_whole(parts: int, nodes: int) -> bool:
    return parts % nodes == 0 or nodes % parts == 0
