"""Axes -> candidates, with every exclusion counted.

A rule, and what a field contributes to the command line, depend on few fields: each is asked once
for every distinct combination of the values it reads, not once for every combination of all axes.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.catalog import ResolvedModel
from autotuner.config import GROUPS, Candidate
from autotuner.engines import NOTHING, Engine, Installation, LaunchFragment, LaunchSpec
from autotuner.errors import ConfigError, EngineError, Problem
from autotuner.space.asked_once import asked_once
from autotuner.space.context import SpaceContext
from autotuner.space.rules import rules_of

MAX_COMBINATIONS = 5_000_000
SAME_LAUNCH = "the same command line as another candidate"


@dataclass(frozen=True)
class Region:
    """A part of a space: a grid on one engine.

    Attributes:
        settings: `group.field` -> value; a list is an axis.
        user: fields that the user set; one that is fixed and cannot be is an error.
    """

    settings: Mapping[str, Any]
    user: frozenset[str]
    context: SpaceContext
    engine: Engine
    model: ResolvedModel
    installation: Installation

    @functools.cached_property
    def axes(self) -> dict[str, list[Any]]:
        """The fields that are searched."""
        return {path: value for path, value in self.settings.items() if isinstance(value, list)}

    @functools.cached_property
    def fixed(self) -> dict[str, Any]:
        """The fields that are not."""
        return {path: value for path, value in self.settings.items() if path not in self.axes}

    def values_at(self, places: Sequence[int]) -> dict[str, Any]:
        """The values of a combination, by the place of each in its axis."""
        axes = self.axes
        return {path: axes[path][place] for path, place in zip(axes, places, strict=True)}

    def combinations(self) -> int:
        """Size of the raw grid."""
        return math.prod(len(values) for values in self.axes.values())

    def render(self, candidate: Candidate) -> LaunchSpec:
        """How a candidate of this region is launched."""
        return self.engine.render(candidate, self.model, self.installation)


class Specs(Mapping[str, LaunchSpec]):
    """Candidate id -> how it is launched; rendered when asked for."""

    def __init__(self, places: Sequence[tuple[Candidate, Region]]) -> None:
        self._places = places

    @functools.cached_property
    def _by_id(self) -> dict[str, tuple[Candidate, Region]]:
        return {candidate.id: (candidate, region) for candidate, region in self._places}

    def __getitem__(self, candidate_id: str) -> LaunchSpec:
        candidate, region = self._by_id[candidate_id]
        return region.render(candidate)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._places)


@dataclass(frozen=True)
class Space:
    """The feasible candidates in grid order (the last axis turns fastest).

    Attributes:
        places: every candidate with its region.
        combinations: size of the raw grid.
        excluded: reason -> number of combinations.
        regions: all that it was built from, those without candidates too; none of a replay.
    """

    places: tuple[tuple[Candidate, Region], ...]
    combinations: int
    excluded: dict[str, int]
    regions: tuple[Region, ...] = ()

    @functools.cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """All candidates, each once."""
        return tuple(candidate for candidate, _ in self.places)

    @functools.cached_property
    def specs(self) -> Mapping[str, LaunchSpec]:
        """Candidate id -> how it is launched."""
        return Specs(self.places)

    def by_region(self) -> tuple[tuple[Region, tuple[Candidate, ...]], ...]:
        """The regions that have candidates, each with its own, in order."""
        found: dict[int, tuple[Region, list[Candidate]]] = {}
        for candidate, region in self.places:
            found.setdefault(id(region), (region, []))[1].append(candidate)
        return tuple((region, tuple(candidates)) for region, candidates in found.values())


class NoCandidateError(ConfigError):
    """A task of which no combination is feasible; `space` has what excludes them."""

    def __init__(self, source: str, space: Space) -> None:
        reasons = (f"{reason} ({count} x)" for reason, count in space.excluded.items())
        super().__init__(
            source,
            tuple(Problem("", reason) for reason in reasons),
            remedy="no combination of the settings is feasible; change the fields named",
        )
        self.space = space


def build_space(
    regions: Sequence[Region], *, source: str = "task", most: int = MAX_COMBINATIONS
) -> Space:
    """All candidates of the regions that can work, each once.

    Combinations that render to the same launch are one candidate.

    Args:
        most: combinations of a grid that is not too large.

    Raises:
        ConfigError: the grid is too large.
        NoCandidateError: no combination is feasible.
        EngineError: a setting fixed by the user that the engine cannot express.
    """
    combinations = sum(region.combinations() for region in regions)
    if combinations > most:
        raise ConfigError(
            source,
            (Problem("", f"the axes span {combinations:,} combinations"),),
            remedy=f"take values out until there are {most:,} or fewer",
        )
    excluded: Counter[str] = Counter()
    places: list[tuple[Candidate, Region]] = []
    seen: set[object] = set()
    numbers = _Numbers()
    for region in regions:
        for candidate, launch, reason in _judged(region, numbers):
            if candidate is None:
                excluded[reason] += 1
            elif launch in seen:
                excluded[SAME_LAUNCH] += 1
            else:
                seen.add(launch)
                places.append((candidate, region))
    if not places:
        raise NoCandidateError(source, Space((), combinations, dict(excluded), tuple(regions)))
    return Space(tuple(places), combinations, dict(excluded), tuple(regions))


def _judged(region: Region, numbers: _Numbers) -> Iterator[tuple[Candidate | None, object, str]]:
    """Every combination: a candidate and what makes its launch, or why it cannot work."""
    axes = region.axes
    rules = rules_of(region.context)
    judges = [asked_once(axes, rule.reads, _judge(region, rule.judge)) for rule in rules]
    contributions = _Contributions(region, numbers)
    contributors = [
        asked_once(axes, reads, contributions.numbered(fragment))
        for reads, fragment in _contributors(region)
    ]
    groups = [(name, asked_once(axes, reads, make)) for name, reads, make in _groups(region)]
    fixed_reasons = [reason for ask in judges if not ask.reads and (reason := ask.always)]
    judging = [ask.answer for ask in judges if ask.reads and not ask.is_always_none()]
    contributing = [ask.answer for ask in contributors]
    always = _always(region)
    places = [range(len(values)) for values in axes.values()] or [range(1)]
    for chosen in itertools.product(*places):
        reason = fixed_reasons[0] if fixed_reasons else None
        if reason is None:
            for judge in judging:
                reason = judge(chosen)
                if reason is not None:
                    break
        if reason is None:
            launch = tuple([contribution(chosen) for contribution in contributing])
            reason = contributions.refusal(launch, chosen)
        if reason is not None:
            yield None, None, reason
            continue
        made = {name: ask.answer(chosen) for name, ask in groups}
        yield Candidate.model_construct(**made), (always, contributions.all_of(launch)), ""


class _Numbers:
    """Gives everything that fields contribute to launches a number, one for all regions.

    So launches compare quickly, within a region and between regions.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.contributions: list[LaunchFragment | str] = []
        self.nothing = self.of(NOTHING)

    def of(self, fragments: LaunchFragment | str) -> int:
        """The number of a contribution, or of the reason why there is none."""
        number = self._numbers.setdefault(repr(fragments), len(self.contributions))
        if number == len(self.contributions):
            self.contributions.append(fragments)
        return number


class _Contributions:
    """The contributions of a region's fields to launches, as numbers, and which of them clash."""

    def __init__(self, region: Region, numbers: _Numbers) -> None:
        self._region = region
        self._all = numbers
        self._owner: dict[str, int] = {}
        self._contributors = 0
        self._refuse = False
        self._clash = False

    def numbered(
        self, fragment: Callable[[dict[str, Any]], LaunchFragment | str]
    ) -> Callable[[dict[str, Any]], int]:
        """`fragment`, answering with numbers."""
        owner = self._contributors
        self._contributors += 1

        def number_of(chosen: dict[str, Any]) -> int:
            fragments = fragment(chosen)
            if isinstance(fragments, str):
                self._refuse = True
            else:
                for name in fragments.names:
                    self._clash = self._clash or self._owner.setdefault(name, owner) != owner
            return self._all.of(fragments)

        return number_of

    def all_of(self, launch: tuple[int, ...]) -> frozenset[int]:
        """The identity of a launch, whichever fields set it; others take no part."""
        return frozenset((self._all.nothing, *launch))

    def refusal(self, launch: tuple[int, ...], chosen: tuple[int, ...]) -> str | None:
        """Why the engine cannot express this launch."""
        if not (self._refuse or self._clash):
            return None
        fragments = [self._all.contributions[number] for number in launch]
        for fragment in fragments:
            if isinstance(fragment, str):
                return fragment
        names = [name for found in fragments if not isinstance(found, str) for name in found.names]
        if len(set(names)) == len(names):
            return None
        region = self._region
        values = {p: v[n] for (p, v), n in zip(region.axes.items(), chosen, strict=False)}
        try:
            region.render(Candidate.from_settings(region.fixed | values))
        except EngineError as error:
            if not region.axes:
                raise
            return error.message
        return None


def _judge(
    region: Region, judge: Callable[[Candidate, SpaceContext], str | None]
) -> Callable[[dict[str, Any]], str | None]:
    return lambda chosen: judge(Candidate.from_settings(region.fixed | chosen), region.context)


def _contributors(
    region: Region,
) -> Iterator[tuple[tuple[str, ...], Callable[[dict[str, Any]], LaunchFragment | str]]]:
    """For every field: what it reads, and what it contributes to a launch, or why it cannot."""
    engine, model, version = region.engine, region.model, region.installation.version
    for path in dict.fromkeys((*region.settings, *engine.table.defaults)):
        reads = engine.reads(path, region.settings, model, version)
        searched = any(read in region.axes for read in reads)

        def fragment(
            chosen: dict[str, Any], path: str = path, searched: bool = searched
        ) -> LaunchFragment | str:
            try:
                return engine.fragment(region.fixed | chosen, path, model, version)
            except EngineError as error:
                if path in region.user and not searched:
                    raise
                return error.message

        yield reads, fragment


def _groups(
    region: Region,
) -> Iterator[tuple[str, tuple[str, ...], Callable[[dict[str, Any]], Any]]]:
    """For every group: its fields, and the validated group that values of its axes make."""
    for name, model in GROUPS.items():
        paths = tuple(path for path in region.settings if path.startswith(f"{name}."))

        def made(chosen: dict[str, Any], model: Any = model, paths: Any = paths) -> Any:
            values = region.fixed | chosen
            return model.model_validate({p.partition(".")[2]: values[p] for p in paths})

        yield name, paths, made


def _always(region: Region) -> tuple[Any, ...]:
    """The values that distinguish the launches of this region from those of another one."""
    device = (region.fixed.get("system.gpu_type"), region.engine.name)
    return (*device, region.installation.command, region.installation.version)
