"""Checks that an engine makes of settings when it starts, as its table lists them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.engines.multi_node import MultiNodeFile
from autotuner.engines.rows import in_range

RELATIONS = {
    "at_least": "has to be at least",
    "at_most": "has to be at most",
    "multiple_of": "has to be a multiple of",
    "equal": "has to be",
    "one_of": "has to be one of",
    "none_of": "cannot be",
    "unset": "cannot be set",
    "set": "has to be set",
}
"""Every relation that a row may name, and how a reason says it."""
QUANTITIES = {
    "served_length": "memory.max_model_len, else the length that the engine derives",
    "longest_prompt": "input tokens of the workload's longest request",
    "longest_request": "input and output tokens of the workload's longest request",
    "drafted_tokens": "runtime.nextn and one more, which are verified together",
    "nodes": "nodes of a cluster that a launch is spread over; 1 on one machine",
}
"""Terms that are no field of a candidate."""
FACTS = (
    "model_is_moe",
    "model_is_mla",
    "gpu_architecture",
    "gpu_vendor",
    "gpu_is_cpu",
    "whole_replicas",
)
"""Facts that conditions may name beside fields: of the model, of the device, of the layout."""
SET, ABOVE_ZERO, ABOVE_ONE = "set", "above zero", "above one"
"""Values of a condition: the field is set; it is above 0; it is above 1."""


@dataclass(frozen=True)
class Requirement:
    """A relation in which settings of one engine have to stand, else it does not start.

    Attributes:
        term: fields or quantities whose values multiply.
        relation: a key of `RELATIONS`.
        others: fields, quantities and numbers that multiply to what `term` is compared with; the
            values, for `one_of` and `none_of`.
        when: field or fact -> values; the row holds where all of them are met. `SET` and
            `ABOVE_ONE` stand for what they say, None for a field that is not set.
        only_set: only a value that is set counts; without it an engine's own default does too.
        why: what the engine does, in words.
        instead: what else to do than to meet the relation.
        source: where the engine checks it: a file of its package, or its documentation.
        since, until: engine versions, both inclusive.
    """

    term: tuple[str, ...]
    relation: str
    others: tuple[Any, ...]
    when: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    only_set: bool = False
    why: str = ""
    instead: str = ""
    source: str = ""
    since: str | None = None
    until: str | None = None

    def holds_for(self, version: str) -> bool:
        """Whether this version of the engine checks it."""
        return in_range(version, self.since, self.until)

    @property
    def terms(self) -> tuple[str, ...]:
        """Fields and quantities on both sides."""
        if self.relation in ("one_of", "none_of"):
            return self.term
        return (*self.term, *(word for word in self.others if isinstance(word, str)))


def one_node(nodes: MultiNodeFile | None, version: str) -> tuple[Requirement, ...]:
    """The requirement of an engine that starts on one node alone; none of another.

    Args:
        nodes: how it starts on several, by its file.
    """
    if nodes is not None and in_range(version, nodes.since, None):
        return ()
    earlier = "" if nodes is None else f" before {nodes.since}"
    why = f"it starts on one node alone{earlier}"
    instead = "lower the widths, or say another ray.gpus_per_node"
    return (Requirement(("nodes",), "at_most", (1,), why=why, instead=instead),)


def requirement_from(raw: Mapping[str, Any], path: str) -> Requirement:
    """A requirement from its YAML.

    Raises:
        ValueError: no relation or more than one, or a word that is neither field nor quantity.
    """
    (relation,) = [key for key in raw if key in RELATIONS]
    others = raw[relation]
    rest = {key: value for key, value in raw.items() if key not in ("that", "when", relation)}
    when = tuple(
        (key, tuple(value) if isinstance(value, list) else (value,))
        for key, value in raw.get("when", {}).items()
    )
    row = Requirement(
        term=_listed(raw["that"]),
        relation=relation,
        others=() if others is True else _listed(others),
        when=when,
        **rest,
    )
    named = (*row.terms, *(key for key, _ in when if key not in FACTS))
    wrong = [word for word in named if "." not in word and word not in QUANTITIES]
    if wrong:
        raise ValueError(f"{path}: {', '.join(wrong)} is neither a field nor a quantity")
    return row


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)
