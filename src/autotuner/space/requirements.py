"""Checks that engines make when they start, from their tables, as rules of a space. Pure."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from autotuner.config import REPLICA_WIDTHS, Candidate, whole_replicas
from autotuner.engines import ABOVE_ONE, ABOVE_ZERO, RELATIONS, SET, Requirement
from autotuner.space.context import (
    WIDTHS,
    FeasibilityRule,
    SpaceContext,
    known_length,
    nodes_of,
)
from autotuner.space.positions import POSITIONS

_COMPARED = ("at_least", "at_most", "multiple_of")
"""Relations in which a value that the engine takes by itself counts on the left side too."""
_READ_BY = {
    "served_length": ("memory.max_model_len", *POSITIONS),
    "drafted_tokens": ("runtime.nextn",),
    "whole_replicas": REPLICA_WIDTHS,
    "nodes": ("system.gpu_type", *WIDTHS),
}


@dataclass(frozen=True)
class _Value:
    """A number or a word, and how a reason names it."""

    value: Any
    name: str


def requirement_rules(context: SpaceContext) -> tuple[FeasibilityRule, ...]:
    """The rules that the engine of a context brings along."""
    return tuple(map(_rule, context.requirements))


@functools.cache
def _rule(row: Requirement) -> FeasibilityRule:
    return FeasibilityRule(_judge(row), _reads(row), name=row.why, of_engine=True)


def _judge(row: Requirement) -> Any:
    return lambda candidate, context: broken(row, candidate, context)


def _reads(row: Requirement) -> tuple[str, ...]:
    named = (*row.terms, *(key for key, _ in row.when))
    paths = [path for word in named for path in _READ_BY.get(word, (word,))]
    return tuple(dict.fromkeys(path for path in paths if "." in path))


def broken(row: Requirement, candidate: Candidate, context: SpaceContext) -> str | None:
    """Why the engine would not start, by one row of its table; None where the row is met."""
    if not all(_meets(key, values, candidate, context) for key, values in row.when):
        return None
    own = [_value(term, candidate, context, explicit=_has_to_be_explicit(row)) for term in row.term]
    if row.relation in ("set", "unset"):
        there = own[0] is not None and own[0].value is not False
        if there is (row.relation == "set"):
            return None
        return _reason(row, row.term[0], "", candidate, context)
    left = _product(own)
    if left is None:
        return None
    if row.relation in ("one_of", "none_of"):
        if (left.value in row.others) is (row.relation == "one_of"):
            return None
        values = "" if row.relation == "none_of" else ", ".join(map(str, row.others))
        subject = f"{row.term[0]} {left.value}" if not values else f"{row.term[0]} ({left.value})"
        return _reason(row, subject, values, candidate, context)
    right = _product([_value(term, candidate, context) for term in row.others])
    if right is None or _stands(row.relation, left.value, right.value):
        return None
    return _reason(row, left.name, right.name, candidate, context, _remedy(row, left, right))


def _has_to_be_explicit(row: Requirement) -> bool:
    return row.only_set or row.relation not in _COMPARED


def _stands(relation: str, left: Any, right: Any) -> bool:
    if relation == "at_least":
        return bool(left >= right)
    if relation == "at_most":
        return bool(left <= right)
    return bool(left % right == 0 if relation == "multiple_of" else left == right)


def _meets(key: str, values: tuple[Any, ...], candidate: Candidate, context: SpaceContext) -> bool:
    found = _fact(key, candidate, context) if "." not in key else candidate.get(key)
    if SET in values:
        return found is not None
    if ABOVE_ONE in values or ABOVE_ZERO in values:
        return (found or 0) > (1 if ABOVE_ONE in values else 0)
    if found is None:
        found = context.taken.get(key)
    return found in values


def _fact(key: str, candidate: Candidate, context: SpaceContext) -> Any:
    if key == "whole_replicas":
        return whole_replicas(candidate.get)
    if key == "nodes":
        return nodes_of(candidate, context)
    if key.startswith("model_"):
        return getattr(context.facts, key.removeprefix("model_"))
    return None if context.gpu is None else getattr(context.gpu, key.removeprefix("gpu_"))


def _value(
    term: Any, candidate: Candidate, context: SpaceContext, *, explicit: bool = False
) -> _Value | None:
    """The value of a term; None where it has none."""
    if not isinstance(term, str):
        return _Value(term, str(term))
    if term == "served_length":
        return _served_length(candidate, context)
    if term == "drafted_tokens":
        count = (candidate.runtime.nextn or 0) + 1
        return _Value(count, f"runtime.nextn and one more ({count})")
    if term == "nodes":
        nodes, most = nodes_of(candidate, context), context.gpus_per_node
        return _Value(nodes, f"the number of nodes ({nodes}: {candidate.gpus} GPUs, {most} a node)")
    if term in ("longest_prompt", "longest_request"):
        prompt = term == "longest_prompt"
        tokens = context.longest_prompt_tokens if prompt else context.largest_request_tokens
        what = "the longest prompt" if prompt else "the longest request"
        return None if tokens is None else _Value(tokens, f"{what} ({tokens})")
    found = candidate.get(term)
    if found is not None or explicit:
        return None if found is None else _Value(found, f"{term} ({found})")
    found = context.taken.get(term, 1 if term.startswith("parallel.") else None)
    if found is None:
        return None
    return _Value(found, f"{term} ({found}, as {context.engine} takes it)")


def _served_length(candidate: Candidate, context: SpaceContext) -> _Value | None:
    longest, known = candidate.memory.max_model_len, known_length(candidate, context)
    if longest is not None:
        return _Value(longest, f"memory.max_model_len ({longest})")
    lowers = "which memory.max_model_len lowers"
    return None if known is None else _Value(known, f"the model's context ({known}, {lowers})")


def _product(values: Iterable[_Value | None]) -> _Value | None:
    """All values multiplied; factors of 1 are not named."""
    found = list(values)
    if any(value is None for value in found):
        return None
    known = [value for value in found if value is not None]
    if len(known) == 1:
        return known[0]
    named = [value.name for value in known if value.value != 1] or [known[0].name]
    return _Value(math.prod(value.value for value in known), " x ".join(named))


def _reason(
    row: Requirement,
    left: str,
    right: str,
    candidate: Candidate,
    context: SpaceContext,
    remedy: str = "",
) -> str:
    parts = [
        f"{key} {_spelled(found)}"
        for key, _ in row.when
        if "." in key and (found := candidate.get(key)) is not None and key not in row.terms
    ]
    beside = f" with {' and '.join(parts)}" if parts else ""
    ways = ", or ".join(way for way in (remedy, row.instead) if way)
    verb = RELATIONS[row.relation]
    clause = f"{left} {verb} {right}".rstrip()
    return f"{clause}{beside} on {context.engine}: {row.why}" + (f"; {ways}" if ways else "")


def _remedy(row: Requirement, left: _Value, right: _Value) -> str:
    """Values that meet the relation; none where what has to meet it follows from other fields."""
    if all("." not in term for term in row.term):
        return ""
    if row.relation == "equal":
        return f"use {right.value}"
    if row.relation == "multiple_of":
        below = left.value // right.value * right.value
        return f"use {f'{below} or ' if below else ''}{below + right.value}"
    other = row.others[0] if len(row.others) == 1 else None
    name = "memory.max_model_len" if other == "served_length" else other
    least = row.relation == "at_least"
    ways = [f"use {right.value} or {'more' if least else 'less'}"]
    if isinstance(name, str) and "." in name:
        ways.append(f"{name} of {left.value} or {'less' if least else 'more'}")
    return ", or ".join(ways)


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
