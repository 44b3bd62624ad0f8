"""Operating points and observations of what was measured: for search, readers and calibration."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from autotuner.config import LATENCIES, PERCENTILES, Candidate, LoadLevel
from autotuner.measure import Distribution, Measurement
from autotuner.predict import Observation, Scenario, tok_s_per_user
from autotuner.search import OperatingPoint, Outcome, has
from autotuner.store import ExperimentRecord
from autotuner.tuning.forecast import Expected


def operating_points(
    candidate_id: str,
    measurements: Iterable[Measurement],
    *,
    gpus: int,
    usd_per_gpu_hour: float | None = None,
    needs: Collection[str] = (),
) -> tuple[OperatingPoint, ...]:
    """One point a load level; the median of each quantity where a level was repeated, over the
    measurements that `pooled_levels` keeps.

    A level takes part only where every repeat of it was valid and none was saturated: latencies
    that grow for as long as a level lasts are no operating point. A CPU deployment counts as one
    device. Where every answer had one token there is no TPOT.

    Args:
        needs: quantities, as objectives name them, without which a point takes no part.
    """
    points = (
        _point(candidate_id, load, pooled(repeats), max(gpus, 1), usd_per_gpu_hour)
        for load, repeats in by_level(measurements).items()
        if all(_complete(repeat) for repeat in repeats)
    )
    return tuple(point for point in points if has(point, needs))


def by_level(measurements: Iterable[Measurement]) -> dict[LoadLevel, list[Measurement]]:
    """Load level, the lowest first -> all that was measured of it."""
    levels: dict[LoadLevel, list[Measurement]] = defaultdict(list)
    for measurement in measurements:
        levels[measurement.load].append(measurement)
    return dict(sorted(levels.items()))


def pooled(repeats: Sequence[Measurement]) -> list[Measurement]:
    """Measurements of one load level that its figures are of: those in peace and of enough
    requests; where there are none, those of enough requests; else all.

    One that others on the machine disturbed says how loaded the machine was: it takes no part
    beside one of the engine alone.
    """
    if len(repeats) < 2:
        return list(repeats)
    return (
        informative_levels(repeats) or informative_levels(repeats, when_busy=True) or list(repeats)
    )


def pooled_levels(measurements: Iterable[Measurement]) -> dict[LoadLevel, list[Measurement]]:
    """Load level, the lowest first -> the measurements that its figures are of."""
    return {load: pooled(repeats) for load, repeats in by_level(measurements).items()}


def occupied_gpus(settings: Mapping[str, Any]) -> int:
    """GPUs that a candidate occupies, from its settings; 0 on a CPU."""
    return Candidate.from_settings(dict(settings)).gpus


def outcome(
    experiment: ExperimentRecord,
    usd_per_gpu_hour: float | None = None,
    needs: Collection[str] = (),
) -> Outcome:
    """A finished experiment as search sees it; `needs` as in `operating_points`."""
    failed = experiment.status == "failed"
    gpus = occupied_gpus(experiment.settings)
    points = operating_points(
        experiment.candidate_id,
        experiment.measurements,
        gpus=gpus,
        usd_per_gpu_hour=usd_per_gpu_hour,
        needs=needs,
    )
    return Outcome(
        candidate_id=experiment.candidate_id,
        status="failed" if failed else "completed",
        points=() if failed else points,
        failure_kind=experiment.failure_kind if failed else None,
        failed_levels=lost_levels(points, experiment.measurements),
    )


def lost_levels(
    points: Iterable[OperatingPoint], measurements: Iterable[Measurement]
) -> tuple[LoadLevel, ...]:
    """Levels that were tried and brought no point; a level that was not reached is none."""
    shown = {point.load for point in points}
    return tuple(dict.fromkeys(m.load for m in measurements if m.load not in shown))


def _complete(measurement: Measurement) -> bool:
    if not measurement.is_steady or measurement.ttft_ms is None or measurement.e2e_ms is None:
        return False
    one_token = measurement.output_tokens <= measurement.requests_completed
    return measurement.tpot_ms is not None or one_token


def _point(
    candidate_id: str,
    load: LoadLevel,
    repeats: list[Measurement],
    devices: int,
    usd_per_gpu_hour: float | None,
) -> OperatingPoint:
    def median(read: Callable[[Measurement], float]) -> float:
        return statistics.median(map(read, repeats))

    tok_s = median(lambda m: m.tok_s)
    tpots_ms = [m.tpot_ms.mean for m in repeats if m.tpot_ms]
    tpot_ms = statistics.median(tpots_ms) if tpots_ms else None
    return OperatingPoint(
        candidate_id=candidate_id,
        load=load,
        tok_s=tok_s,
        tok_s_per_gpu=tok_s / devices,
        tok_s_per_user=tok_s_per_user(tpot_ms),
        ttft_ms=median(lambda m: m.ttft_ms.mean if m.ttft_ms else 0.0),
        tpot_ms=tpot_ms,
        usd_per_gpu_hour=usd_per_gpu_hour,
        requests_per_s=median(lambda m: m.requests_s),
        intervals95=tuple(_intervals95(repeats)),
        **{name: latency_ms(repeats, name) for name in PERCENTILES},  # type: ignore[arg-type]
    )


def latency_ms(repeats: Iterable[Measurement], name: str) -> float | None:
    """A latency of a level, the median over its repeats; None where no request tells it.

    Args:
        name: one of `SHOWN_LATENCIES`.
    """
    samples = _samples(repeats, name)
    return statistics.median(sample.quantity(name) for sample in samples) if samples else None


def interval95(repeats: Iterable[Measurement], name: str) -> tuple[float, float] | None:
    """The 95 % interval of a latency, in ms; the medians of its ends where a level was repeated.

    An end is infinite where a sample is too small for one. None where a sample has no spread, as
    one of a replayed table of means.

    Args:
        name: one of `SHOWN_LATENCIES`.
    """
    samples = _samples(repeats, name)
    if not samples or any(sample.ci95 is None for sample in samples):
        return None
    ends = [sample.interval95(name) for sample in samples]
    lows = [-math.inf if low is None else low for low, _ in ends]
    highs = [math.inf if high is None else high for _, high in ends]
    return statistics.median_low(lows), statistics.median_high(highs)


def _intervals95(repeats: list[Measurement]) -> Iterator[tuple[str, float, float]]:
    for name in LATENCIES:
        if (found := interval95(repeats, name)) is not None:
            yield name, *found


def _samples(repeats: Iterable[Measurement], name: str) -> list[Distribution]:
    field = SHOWN_LATENCIES[name]
    return [sample for repeat in repeats if (sample := getattr(repeat, field)) is not None]


SHOWN_LATENCIES = {
    **{name: latency.mean for name, latency in LATENCIES.items()},
    **{f"{sample}_p50_ms": f"{sample}_ms" for sample in ("ttft", "tpot", "e2e")},
}
"""Latency of an operating point -> the field of a measurement whose sample it is of."""


class _Launched(Protocol):
    """An experiment, in whichever form."""

    @property
    def status(self) -> str: ...

    @property
    def measurements(self) -> Sequence[Measurement]: ...


def levels_that_count(experiments: Iterable[_Launched]) -> list[Measurement]:
    """Levels of experiments that succeeded, each repeat of its own: figures are shown of these
    alone."""
    return [level for one in experiments if one.status == "completed" for level in one.measurements]


FEWEST_REQUESTS = 3
"""A level of fewer completed requests says little; nothing is learnt from it."""


def informative_levels(
    measured: Iterable[Measurement], *, when_busy: bool = False
) -> list[Measurement]:
    """Levels that say something of the engine on the device that the task names: enough requests,
    and nothing was compiled meanwhile; and unless `when_busy`, the load generator kept up, and
    others left the machine to it."""
    return [
        level
        for level in measured
        if level.requests_completed >= FEWEST_REQUESTS
        and not level.compiling
        and (level.node is None or level.node.is_as_described)
        and (when_busy or not level.is_disturbed)
    ]


def fewest_requests(measured: Iterable[Measurement]) -> dict[LoadLevel, int]:
    """Completed requests of each level, of its shortest repeat; without those whose spread is not
    known, as of recorded means."""
    found: dict[LoadLevel, int] = {}
    for level in measured:
        if level.is_steady and level.e2e_ms is not None and level.e2e_ms.ci95 is not None:
            count = level.requests_completed
            found[level.load] = min(count, found.get(level.load, count))
    return found


def _percentiles(point: OperatingPoint, requests: int) -> dict[str, float]:
    return {
        name: value
        for name, latency in PERCENTILES.items()
        if requests >= latency.fewest_requests and (value := getattr(point, name))
    }


def observations(
    scenario: Scenario,
    candidate: Candidate,
    expected: Expected,
    measured: Iterable[OperatingPoint],
    *,
    requests: Mapping[LoadLevel, int] | None = None,
    launch: str,
    tool: str,
    source: str,
    at: datetime,
) -> tuple[Observation, ...]:
    """One for each measured level that the base predictor spoke of.

    Args:
        requests: completed at each level; an observation has percentiles where they are enough.
        launch: a name that no other engine start has, here or elsewhere.
    """
    base = {point.load: point for point in expected.base}
    return tuple(
        Observation(
            model=scenario.model,
            family=scenario.facts.architecture,
            engine=scenario.engine,
            engine_version=scenario.engine_version,
            device=scenario.device,
            devices=predicted.devices,
            settings=candidate.settings(),
            isl=scenario.isl,
            osl=scenario.osl,
            load=point.load,
            ttft_ms=point.ttft_ms,
            tpot_ms=point.tpot_ms,
            tok_s=point.tok_s,
            base=expected.predictor,
            base_ttft_ms=predicted.ttft_ms,
            base_tpot_ms=predicted.tpot_ms,
            members=predicted.other_members,
            percentiles=_percentiles(point, (requests or {}).get(point.load, 0)),
            launch=launch,
            tool=tool,
            source=source,
            at=at,
        )
        for point in measured
        if (predicted := base.get(point.load)) is not None
    )
