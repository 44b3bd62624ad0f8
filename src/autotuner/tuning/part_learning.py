"""Errors of the parts of the time, learnt from launches of a task and of earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from autotuner.catalog import known_model
from autotuner.config import Candidate, LoadKind, LoadLevel
from autotuner.predict import Observation, Scenario, e2e_ms, requests_in_flight
from autotuner.predict.part_errors import CPU_ERROR_STD, ERROR_STD, MeasuredTime, PartErrors, learnt
from autotuner.predict.roofline.predictor import time_parts_of
from autotuner.predict.time_parts import TimeParts
from autotuner.search import OperatingPoint

MOST_POINTS = 150
"""Points that are learnt from: what is more is thinned out evenly, over all launches."""


@dataclass(frozen=True)
class SeenLaunch:
    """A launch that was measured.

    Attributes:
        name: no other has it. earlier: of another task.
    """

    name: str
    scenario: Scenario
    candidate: Candidate
    points: Sequence[OperatingPoint | Observation]
    earlier: bool = False


@dataclass(frozen=True)
class LearntParts:
    """The posterior, and which launches it is of.

    Attributes:
        of_launches: each launch with the parts of its points.
    """

    errors: PartErrors
    of_launches: Sequence[tuple[SeenLaunch, Sequence[TimeParts]]]

    @property
    def earlier(self) -> int:
        """Launches of other tasks."""
        return sum(launch.earlier for launch, _ in self.of_launches)


def closed_level(load: LoadLevel, latency_ms: float) -> LoadLevel:
    """The closed loop with as many requests in flight, by Little's law."""
    if load.kind is LoadKind.CONCURRENCY:
        return load
    return LoadLevel.concurrency(max(round(requests_in_flight(load, latency_ms)), 1))


def parts_learnt(
    launches: Sequence[SeenLaunch], names: Iterable[str], *, on_cpu: bool
) -> LearntParts:
    """Learns from launches; with none of them the posterior is the prior.

    Args:
        names: parts that are asked about, whether or not any launch had them.
        on_cpu: the roofline knows less of a CPU's kernels.
    """
    measured: list[tuple[SeenLaunch, MeasuredTime]] = [
        (launch, point) for launch in launches for point in _measured(launch)
    ]
    thinned = measured[:: max(-(-len(measured) // MOST_POINTS), 1)]
    errors = learnt(
        [point for _, point in thinned],
        tuple(names),
        error_std=CPU_ERROR_STD if on_cpu else ERROR_STD,
    )
    parts: dict[str, tuple[SeenLaunch, list[TimeParts]]] = {}
    for launch, point in thinned:
        parts.setdefault(launch.name, (launch, []))[1].append(point.parts)
    return LearntParts(errors, tuple(parts.values()))


def _measured(launch: SeenLaunch) -> Iterator[MeasuredTime]:
    osl = launch.scenario.osl
    levels = {
        point.load: closed_level(point.load, e2e_ms(point.ttft_ms, point.tpot_ms, osl))
        for point in launch.points
    }
    parts = time_parts_of(launch.scenario, launch.candidate, list(levels.values()))
    for point in launch.points:
        level = levels[point.load]
        if level in parts:
            yield MeasuredTime(
                parts[level], point.ttft_ms, point.tpot_ms, launch.name, float(level.value)
            )


def launches_before(
    observations: Iterable[Observation], scenarios: Sequence[Scenario]
) -> list[SeenLaunch]:
    """Launches of other tasks on the same device with the same engine, of models that are known."""
    here = {(one.engine, one.device): one for one in scenarios}
    groups: dict[str, list[Observation]] = {}
    for seen in observations:
        if (seen.engine, seen.device) in here:
            groups.setdefault(seen.launch, []).append(seen)
    found = []
    for name, points in groups.items():
        first = points[0]
        scenario = _scenario_of(first, here[first.engine, first.device])
        if scenario is not None:
            candidate = Candidate.from_settings(dict(first.settings))
            found.append(SeenLaunch(name, scenario, candidate, points, earlier=True))
    return found


def _scenario_of(seen: Observation, here: Scenario) -> Scenario | None:
    """The scenario of an observation, on the device of `here`."""
    facts = here.facts
    if seen.model != here.model:
        known = known_model(seen.model)
        if known is None:
            return None
        facts = known.facts
    version = seen.engine_version or here.engine_version
    return replace(
        here, model=seen.model, facts=facts, engine_version=version, isl=seen.isl, osl=seen.osl
    )
