"""One operating point, explained: its parts, what limits it, and what was learnt of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.config import Candidate, LoadLevel
from autotuner.predict import Scenario
from autotuner.predict.part_errors import PartErrors, unexplained_std
from autotuner.predict.predictor import STDS_80, interval80
from autotuner.predict.roofline.part_rates import (
    AssumedRate,
    assumed_rates,
    kind_of_part,
    part_text,
)
from autotuner.predict.time_parts import TimeParts
from autotuner.tuning.expected_changes import (
    QUANTITIES,
    PlacedPoint,
    changed_kinds,
    did_help,
    expected_changes,
    long_parts,
    shares,
    tried_changes,
)
from autotuner.tuning.part_learning import LearntParts, SeenLaunch, parts_learnt
from autotuner.tuning.performance_views import (
    LatencyView,
    LearntPartView,
    LearntRateView,
    PartView,
    PerformanceView,
)

_NO_SETTING_SHARE = 0.1
BEYOND = "more than the peak is doubtful: less is done than assumed, or another part is off"


@dataclass(frozen=True)
class Experience:
    """Experience with the machine and the task, from launches.

    Attributes:
        launches: to learn from.
        measured: candidate and level -> tokens/s, of the task.
        candidates: ids of the task's.
    """

    launches: Sequence[SeenLaunch]
    measured: Mapping[tuple[str, LoadLevel], float]
    candidates: Collection[str]


def explained(
    placed: PlacedPoint, experience: Experience, facts: Mapping[str, Any]
) -> PerformanceView:
    """Explains a point that the roofline knows.

    Args:
        facts: fields of the view that others know: `task`, `name`, `chosen`, `notes`.
    """
    scenario, candidate, parts = placed.scenario, placed.candidate, placed.parts
    tried = tried_changes(placed)
    names = {name for one in (parts, *(t.parts for t in tried)) for name in _names(one)}
    known = parts_learnt(experience.launches, names, on_cpu=scenario.gpu.is_cpu)
    errors = known.errors
    expected = [
        (one, view.model_copy(update={"in_task": view.candidate in experience.candidates}))
        for one, view in expected_changes(placed, tried, errors, experience.measured)
    ]
    changed = {
        kind for one, view in expected if did_help(view) for kind in changed_kinds(parts, one.parts)
    }
    left = [
        part_text(name)
        for name in long_parts(errors, parts, _NO_SETTING_SHARE)
        if name.partition(":")[0] not in changed
    ]
    note = placed.prediction.note
    waits = [f"{note}: TTFT holds parts of the answers before"] if note else []
    return PerformanceView(
        candidate=candidate.id,
        settings=candidate.settings(),
        load=placed.load,
        model=scenario.model,
        engine=scenario.engine,
        device=scenario.device,
        on_cpu=scenario.gpu.is_cpu,
        isl=scenario.isl,
        osl=scenario.osl,
        measured=placed.measured,
        launches=errors.launches,
        earlier_launches=known.earlier,
        points=errors.points,
        latencies=list(_latencies(placed, errors)),
        parts=list(_part_views(placed, errors)),
        helps=[view for _, view in expected if did_help(view)],
        did_not_help=[view for _, view in expected if not did_help(view)],
        no_setting=left,
        machine=list(_learnt_of_machine(placed, known)),
        **{**facts, "notes": [*facts["notes"], *waits]},
    )


def _names(parts: TimeParts) -> Iterable[str]:
    return dict.fromkeys((*parts.ttft_ms, *parts.tpot_ms))


def _part_views(placed: PlacedPoint, errors: PartErrors) -> Iterator[PartView]:
    parts = placed.parts
    ttft, tpot = errors.corrected(parts.ttft_ms), errors.corrected(parts.tpot_ms)
    of_both = shares(ttft), shares(tpot)
    assumed = assumed_rates(placed.scenario, placed.candidate, _names(parts))

    def longest(name: str) -> float:
        return -max(one.get(name, 0.0) for one in of_both)

    for name in sorted(assumed, key=longest):
        mean, std = errors.of(name)
        low, high = interval80(math.exp(mean), std)
        yield PartView(
            part=name,
            what=part_text(name),
            limit=kind_of_part(name).limit,
            ttft_ms=ttft.get(name, 0.0),
            ttft_share=of_both[0].get(name, 0.0),
            tpot_ms=tpot.get(name, 0.0),
            tpot_share=of_both[1].get(name, 0.0),
            assumed=assumed[name].text,
            factor=math.exp(mean),
            factor_low=low,
            factor_high=high,
            learnt=errors.is_learnt(name),
            confused_with=[part_text(other) for other in errors.confused_with(name)],
            rate=_rate(assumed[name], mean, std),
        )


def _rate(assumed: AssumedRate, mean: float, std: float) -> LearntRateView | None:
    """The rate reached, never above its peak; None where the part has none."""
    low, high = interval80(math.exp(mean), std)
    found = [assumed.where_it_takes(factor) for factor in (math.exp(mean), low, high)]
    reached = [one for one in found if one is not None]
    if not reached:
        return None
    peak = assumed.peak
    ends = [reached[0], min(reached), max(reached)]
    bounded = ends if peak is None else [min(one, peak) for one in ends]
    share = [None if peak is None else one / peak for one in bounded]
    return LearntRateView(
        value=bounded[0],
        low=bounded[1],
        high=bounded[2],
        unit=assumed.unit,
        peak=peak,
        share=share[0],
        share_low=share[1],
        share_high=share[2],
        beyond_peak=peak is not None and reached[0] > peak,
    )


def _latencies(placed: PlacedPoint, errors: PartErrors) -> Iterator[LatencyView]:
    for quantity in QUANTITIES:
        times, value = getattr(placed.parts, quantity), getattr(placed.point, quantity)
        if not times or value is None:
            continue
        corrected = errors.corrected(times)
        total_ms = sum(corrected.values())
        std = math.hypot(errors.log_std(times), unexplained_std(quantity))
        low, high = interval80(total_ms, std)
        limits: dict[str, float] = {}
        for name, share in shares(corrected).items():
            limit = kind_of_part(name).limit
            limits[limit] = limits.get(limit, 0.0) + share
        yield LatencyView(
            quantity=quantity,
            value_ms=value,
            roofline_ms=sum(times.values()),
            learnt_ms=total_ms,
            learnt_low_ms=low,
            learnt_high_ms=high,
            limits=dict(sorted(limits.items(), key=lambda one: -one[1])),
        )


def _learnt_of_machine(placed: PlacedPoint, known: LearntParts) -> Iterator[LearntPartView]:
    """Statements on each part that launches had, the surest first.

    Rates are those of the explained point where it has the part; else of the launch in which the
    part takes the largest share.
    """
    errors = known.errors
    largest: dict[str, tuple[float, Scenario, Candidate]] = {}
    for launch, points in known.of_launches:
        for parts in points:
            for quantity in QUANTITIES:
                for name, share in shares(getattr(parts, quantity)).items():
                    if name not in largest or share > largest[name][0]:
                        largest[name] = share, launch.scenario, launch.candidate
    own = set(_names(placed.parts))
    learnt = [name for name in largest if errors.is_learnt(name)]
    for name in sorted(learnt, key=lambda name: errors.of(name)[1]):
        _, scenario, candidate = largest[name]
        if name in own:
            scenario, candidate = placed.scenario, placed.candidate
        assumed = assumed_rates(scenario, candidate, [name])[name]
        mean, std = errors.of(name)
        rate = _rate(assumed, mean, std)
        yield LearntPartView(
            part=name,
            text=f"{part_text(name)}: {_learnt_text(assumed, mean, std)}",
            surprising=abs(mean) > STDS_80 * std,
            doubtful=rate is not None and rate.beyond_peak,
        )


def _learnt_text(assumed: AssumedRate, mean: float, std: float) -> str:
    low, high = interval80(math.exp(mean), std)
    rate = _rate(assumed, mean, std)
    if rate is None:
        ends = f"{low:.2g} to {high:.2g}"
        return f"{math.exp(mean):.2g} times as long as assumed ({ends}), with {assumed.text}"
    if rate.share is None or rate.share_low is None or rate.share_high is None:
        ends = f"{rate.low:.2g} to {rate.high:.2g}"
        return f"{rate.value:.2g} {rate.unit} ({ends}), {assumed.text} assumed"
    share, low, high = (100 * one for one in (rate.share, rate.share_low, rate.share_high))
    of = f"{rate.peak:.4g} {rate.unit}, {100 * (assumed.share or 0.0):.0f} % assumed"
    text = f"{share:.0f} % ({low:.0f} to {high:.0f}) of {of}"
    return f"{text}; {BEYOND}" if rate.beyond_peak else text
