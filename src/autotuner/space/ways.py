"""Changes that would admit combinations which one rule alone excludes, each counted. Pure.

A change is found at one combination and then tried on all of them: that it was found nowhere else
does not mean that it admits nothing else, and one that names the same fields with other values may
admit fewer.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autotuner.config import Candidate
from autotuner.space.context import FeasibilityRule, SpaceContext
from autotuner.space.memory import Remedy, remedies, shortfall
from autotuner.space.rules import feasible, gpus_suffice, memory_holds_model, rules_of
from autotuner.space.space import Region

Combination = tuple[Region, tuple[int, ...]]
"""A region, and the place of each value in its axis."""

_LOOKED_AT = 60
"""Combinations of which changes are looked for, spread over those there are."""
_OFFERED = 6
"""Changes that are looked for of one of them."""
_JUDGED = 10_000
"""Combinations that changes are tried on, those of all changes of a rule together."""
_MOST_GPUS = 64
_GPUS = "system.total_gpus"


@dataclass(frozen=True)
class Way:
    """A change that admits combinations which break one rule alone.

    Attributes:
        text: the change in words.
        changes: `group.field` -> value.
        admits: how many candidates the change makes of these combinations; those that differ in
            changed fields alone become one.
        estimated: whether only some were tried, so that `admits` is about right.
    """

    text: str
    changes: Mapping[str, Any]
    admits: int
    estimated: bool = False


def ways(rule: FeasibilityRule, alone: Sequence[Combination]) -> tuple[Way, ...]:
    """Changes that admit combinations which break `rule` alone, those that admit most first.

    Of changes of the same fields there are two at most: the one that admits most, and the least.
    """
    if rule.judge not in (memory_holds_model, gpus_suffice) or not alone:
        return ()
    # Values of one key differ in words alone; the least need is the nearest.
    offered: dict[tuple[Any, ...], tuple[float, Remedy]] = {}
    for region, places in alone[:: math.ceil(len(alone) / _LOOKED_AT)]:
        candidate = Candidate.from_settings({**region.fixed, **region.values_at(places)})
        for need, remedy in _remedies(rule, candidate, region.context):
            key = (*sorted(remedy.changes.items()), remedy.gpus)
            if key not in offered or need < offered[key][0]:
                offered[key] = need, remedy
    least = sorted(offered.values(), key=lambda one: (one[1].gpus or 0, one[0]))
    counted = _counted([remedy for _, remedy in least if _is_new(remedy, alone)], alone)
    chosen = (way for way in _chosen(counted) if way.admits)
    return tuple(sorted(chosen, key=lambda way: -way.admits))


def _is_new(remedy: Remedy, alone: Sequence[Combination]) -> bool:
    """Whether a change leads out of the grid: what it leads to inside it is a candidate already."""
    regions = {id(region): region for region, _ in alone}.values()
    return remedy.gpus is not None or any(
        value not in region.axes.get(path, [region.fixed.get(path)])
        for region in regions
        for path, value in remedy.changes.items()
    )


def _counted(found: Sequence[Remedy], alone: Sequence[Combination]) -> Iterator[Way]:
    """Each change, the least first, tried on all combinations or on some spread over them."""
    most = max(_JUDGED // max(len(found), 1), _LOOKED_AT)
    judge = _Judge(frozenset(path for remedy in found for path in remedy.changes))
    distinct: dict[frozenset[str], list[Combination]] = {}
    for remedy in found:
        fields = frozenset(remedy.changes)
        if fields not in distinct:
            distinct[fields] = _distinct(alone, fields)
        every = distinct[fields]
        asked = every[:: math.ceil(len(every) / most)]
        admitted = sum(judge.admits(remedy, region, places) for region, places in asked)
        changes = dict(remedy.changes)
        if remedy.gpus is not None:
            changes[_GPUS] = remedy.gpus
        count = round(admitted * len(every) / len(asked))
        yield Way(remedy.text, changes, count, estimated=len(asked) < len(every))


def _chosen(counted: Iterable[Way]) -> Iterator[Way]:
    """Of the changes of the same fields, the one that admits most and the least, if they differ."""
    groups: dict[frozenset[str], list[Way]] = {}
    for way in counted:
        groups.setdefault(frozenset(way.changes), []).append(way)
    for group in groups.values():
        most = max(group, key=lambda way: way.admits)
        yield most
        if group[0].admits < most.admits:
            yield group[0]


def _distinct(alone: Sequence[Combination], fields: frozenset[str]) -> list[Combination]:
    """One of the combinations that are the same once these fields are changed."""
    kept: dict[int, Any] = {}
    found: dict[tuple[int, Any], Combination] = {}
    for region, places in alone:
        if (pick := kept.get(id(region))) is None:
            rest = [n for n, path in enumerate(region.axes) if path not in fields]
            pick = kept[id(region)] = operator.itemgetter(*rest) if rest else lambda places: ()
        found.setdefault((id(region), pick(places)), (region, places))
    return list(found.values())


class _Judge:
    """Tries changes on combinations: each rule is asked once for the values that it reads.

    Args:
        changed: fields that any of the changes sets.
    """

    def __init__(self, changed: frozenset[str]) -> None:
        self._changed = changed
        self._asked: dict[tuple[int, int | None], list[_AskedRule]] = {}

    def admits(self, remedy: Remedy, region: Region, places: tuple[int, ...]) -> bool:
        """Whether the changed combination breaks no rule."""
        key = (id(region), remedy.gpus)
        if key not in self._asked:
            self._asked[key] = list(self._rules(region, remedy.gpus))
        settings = {**region.fixed, **region.values_at(places), **remedy.changes}
        return not any(rule.breaks(settings) for rule in self._asked[key])

    def _rules(self, region: Region, gpus: int | None) -> Iterator[_AskedRule]:
        context = region.context if gpus is None else replace(region.context, gpus=gpus)
        differ = self._changed | set(region.axes)
        for rule in rules_of(context):
            reads = tuple(path for path in rule.reads if path in differ)
            yield _AskedRule(rule, context, reads)


@dataclass(frozen=True)
class _AskedRule:
    """A rule in a context, and its answers: `reads` are those of its fields that differ."""

    rule: FeasibilityRule
    context: SpaceContext
    reads: tuple[str, ...]
    answers: dict[tuple[str, ...], bool] = field(default_factory=dict)

    def breaks(self, settings: dict[str, Any]) -> bool:
        """Whether settings break the rule."""
        key = tuple(repr(settings.get(path)) for path in self.reads)
        if key not in self.answers:
            candidate = Candidate.from_settings(settings)
            self.answers[key] = self.rule.breaks(candidate, self.context)
        return self.answers[key]


def _remedies(
    rule: FeasibilityRule, candidate: Candidate, context: SpaceContext
) -> Iterator[tuple[float, Remedy]]:
    """Changes that admit one candidate, each with how much it needs."""
    if rule.judge is gpus_suffice:
        gpus = candidate.gpus
        if gpus <= _MOST_GPUS and feasible(candidate, replace(context, gpus=gpus)):
            yield float(gpus), Remedy(f"{_GPUS} {gpus} suffices", {}, gpus)
        return
    short = shortfall(candidate, context)
    if short is None:
        return
    missing = short.missing_gib
    for remedy in remedies(short, candidate, context, feasible, most=_OFFERED):
        yield missing, remedy
