"""Why combinations of a space are excluded: by rule, alone and together, and what would admit them.

A space counts each combination by the first rule that it breaks; here every rule is asked of every
combination, so that those are known of which one rule is the only obstacle. Pure.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotuner.config import Candidate
from autotuner.space.asked_once import AskedOnce, asked_once
from autotuner.space.context import FeasibilityRule
from autotuner.space.memory import shortfall
from autotuner.space.rules import memory_holds_model, rules_of
from autotuner.space.space import Region
from autotuner.space.ways import Combination, Way, ways

MOST_LOOKED_AT = 100_000
"""Combinations that are asked of every rule: about a second."""


@dataclass(frozen=True)
class RuleExclusion:
    """The combinations that break one rule.

    Attributes:
        name: the rule in words; `of_engine`: whether an engine asks for it.
        breaking: how many combinations break it; `alone`: and no other rule.
        nearest: axis -> value, of what the rule reads, of the one that is nearest to being
            allowed: it breaks the fewest rules, and lacks least memory.
        reason: why that one is excluded, with what would help.
        missing_gib: memory per GPU that it lacks; None of other rules.
        ways: changes that admit some, those that admit most first.
    """

    name: str
    of_engine: bool
    breaking: int
    alone: int
    nearest: Mapping[str, Any]
    reason: str
    missing_gib: float | None = None
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True)
class AbsentValue:
    """A value of an axis that no candidate has, and the rule that most combinations with it
    break."""

    path: str
    value: Any
    combinations: int
    rule: str


@dataclass(frozen=True)
class Exclusions:
    """Rules that exclude combinations of a grid.

    Attributes:
        combinations: that were looked at; `broken`: of which so many break a rule.
        rules: those that exclude any, those that exclude most first.
        absent_values: values of axes that stand in no candidate.
        skipped: why nothing was looked at; empty where it was.
    """

    combinations: int
    broken: int
    rules: tuple[RuleExclusion, ...] = ()
    absent_values: tuple[AbsentValue, ...] = ()
    skipped: str = ""


@dataclass
class _Seen:
    """The combinations of one rule, as they are counted."""

    rule: FeasibilityRule
    breaking: int = 0
    alone: list[Combination] = field(default_factory=list)
    nearest: tuple[tuple[int, float], Combination] | None = None

    def add(self, combination: Combination, rules: int, missing: float) -> None:
        self.breaking += 1
        if rules == 1:
            self.alone.append(combination)
        if self.nearest is None or (rules, missing) < self.nearest[0]:
            self.nearest = ((rules, missing), combination)


def exclusions(regions: Sequence[Region], *, most: int = MOST_LOOKED_AT) -> Exclusions:
    """Asks every rule of every combination.

    Args:
        most: combinations; of more, rules are not counted.
    """
    combinations = sum(region.combinations() for region in regions)
    if combinations > most:
        return Exclusions(
            combinations, 0, skipped=f"more than {most:,} combinations are counted by reason alone"
        )
    seen: dict[str, _Seen] = {}
    broken, had = 0, set[tuple[str, str]]()
    lost: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    values_of: dict[tuple[str, str], Any] = {}
    for region in regions:
        for values, names in _broken(region, seen):
            keys = [(path, repr(value)) for path, value in values.items()]
            values_of.update(zip(keys, values.values(), strict=True))
            if not names:
                had.update(keys)
                continue
            broken += 1
            for key in keys:
                lost[key].update(names)
    absent = tuple(
        AbsentValue(path, values_of[path, text], max(rules.values()), rules.most_common(1)[0][0])
        for (path, text), rules in lost.items()
        if (path, text) not in had
    )
    found = sorted(seen.values(), key=lambda one: -one.breaking)
    return Exclusions(combinations, broken, tuple(map(_exclusion, found)), absent)


def _broken(
    region: Region, seen: dict[str, _Seen]
) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """Every combination: its values of the axes, and the names of the rules that it breaks."""
    axes = region.axes
    asked = [(rule, _ask(region, rule)) for rule in rules_of(region.context)]
    asked = [(rule, ask) for rule, ask in asked if not ask.is_always_none()]
    places = [range(len(found)) for found in axes.values()]
    for chosen in itertools.product(*places):
        found = [(rule, missing) for rule, ask in asked if (missing := ask.answer(chosen))]
        values = region.values_at(chosen)
        for rule, missing in found:
            one = seen.setdefault(rule.name, _Seen(rule))
            one.add((region, chosen), len(found), missing)
        yield values, tuple(rule.name for rule, _ in found)


def _ask(region: Region, rule: FeasibilityRule) -> AskedOnce:
    """Asks by how much the rule is broken: None where it is met, the missing GiB where it counts
    memory, else 1."""

    def ask(values: Mapping[str, Any]) -> float | None:
        candidate = Candidate.from_settings({**region.fixed, **values})
        if rule.judge is memory_holds_model:
            short = shortfall(candidate, region.context)
            return None if short is None else short.missing_gib
        return 1.0 if rule.breaks(candidate, region.context) else None

    return asked_once(region.axes, rule.reads, ask)


def _exclusion(found: _Seen) -> RuleExclusion:
    rule = found.rule
    reason, missing, values = "", 0.0, dict[str, Any]()
    if found.nearest is not None:
        (_, missing), (region, places) = found.nearest
        values = region.values_at(places)
        candidate = Candidate.from_settings({**region.fixed, **values})
        reason = rule.judge(candidate, region.context) or ""
    return RuleExclusion(
        name=rule.name,
        of_engine=rule.of_engine,
        breaking=found.breaking,
        alone=len(found.alone),
        nearest={path: value for path, value in values.items() if path in rule.reads},
        reason=reason,
        missing_gib=missing if rule.judge is memory_holds_model else None,
        ways=ways(rule, found.alone),
    )
