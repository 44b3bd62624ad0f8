"""Settings that change what takes long, each with what is expected of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from autotuner.config import Candidate, LoadLevel
from autotuner.predict import Prediction, Scenario, e2e_ms, tok_s_under
from autotuner.predict.part_errors import PartErrors
from autotuner.predict.predictor import interval80
from autotuner.predict.roofline.part_rates import Move, changes_of_waiting, kind_of_part
from autotuner.predict.roofline.predictor import roofline_points
from autotuner.predict.time_parts import TimeParts
from autotuner.search import OperatingPoint
from autotuner.space import Region
from autotuner.space.memory import shortfall
from autotuner.tuning.part_learning import closed_level
from autotuner.tuning.performance_views import ChangeView, FigureChangeView
from autotuner.tuning.setting_changes import SettingChange, possible_changes

Quantity = Literal["ttft_ms", "tpot_ms"]
QUANTITIES: tuple[Quantity, ...] = ("ttft_ms", "tpot_ms")
_LONG_SHARE = 0.05
"""Of a latency: a part that takes less is no cause to change a setting."""
_LEAST_GAIN = 0.05
_UNEXPLAINED: Mapping[str, Mapping[Quantity, float]] = {
    "quantization": {"ttft_ms": 0.2, "tpot_ms": 0.15},
    "parallel": {"ttft_ms": 0.6, "tpot_ms": 0.18},
    "": {"ttft_ms": 0.9, "tpot_ms": 0.18},
}
"""Group of the setting that is changed -> standard deviation of ln(after / before) beside the
errors of parts; on recorded landscapes about four changes in five then lie within their interval
(docs/explain_performance.md)."""
_SHRUNK_SHARE = 0.05
_WAITING = "requests wait for "


@dataclass(frozen=True)
class PlacedPoint:
    """An operating point with all that the roofline needs to tell its parts.

    Attributes:
        measured: it was; otherwise it is predicted.
    """

    scenario: Scenario
    region: Region
    candidate: Candidate
    point: OperatingPoint
    measured: bool

    @property
    def load(self) -> LoadLevel:
        """The load level that it is of."""
        return self.point.load

    @cached_property
    def level(self) -> LoadLevel:
        """The closed loop with as many requests in flight."""
        point = self.point
        latency_ms = e2e_ms(point.ttft_ms, point.tpot_ms, self.scenario.osl)
        return closed_level(point.load, latency_ms)

    @cached_property
    def prediction(self) -> Prediction:
        """The roofline's prediction of it, before anything is learnt."""
        return roofline_points(self.scenario, self.candidate, [self.level])[self.level]

    @cached_property
    def parts(self) -> TimeParts:
        """Where its time goes, before anything is learnt."""
        return _parts(self.prediction)

    @property
    def figures(self) -> dict[str, float]:
        """TTFT, TPOT where there is one, and throughput."""
        names = (*QUANTITIES, "tok_s")
        return {n: value for n in names if (value := getattr(self.point, n)) is not None}


@dataclass(frozen=True)
class TriedChange:
    """A change that engine, device and memory allow, with its prediction by the roofline."""

    change: SettingChange
    prediction: Prediction

    @property
    def parts(self) -> TimeParts:
        """Where the time would go."""
        return _parts(self.prediction)


def tried_changes(placed: PlacedPoint) -> list[TriedChange]:
    """Changes of what takes long that can be made, the longest part's first."""
    found = []
    region = placed.region
    moves = _moves(placed.parts, placed.prediction)
    for change in possible_changes(placed.scenario, region, placed.candidate, moves):
        if shortfall(change.candidate, region.context) is not None:
            continue
        points = roofline_points(placed.scenario, change.candidate, [placed.level])
        if placed.level in points:
            found.append(TriedChange(change, points[placed.level]))
    return found


def expected_changes(
    placed: PlacedPoint,
    tried: Iterable[TriedChange],
    errors: PartErrors,
    measured: Mapping[tuple[str, LoadLevel], float],
) -> list[tuple[TriedChange, ChangeView]]:
    """Changes that are expected to help, of each field and number of GPUs the best.

    First those on as many GPUs, then those that are faster on more, then those that serve more per
    GPU on fewer.

    Args:
        measured: candidate and level -> tokens/s, of the task's launches.
    """
    found: dict[tuple[str, int], tuple[float, TriedChange, ChangeView]] = {}
    for one in tried:
        if not _is_comparable(placed, one):
            continue
        view = _change_view(placed, one, errors, measured)
        gain = _gain(view)
        key = one.change.path, one.prediction.devices
        if gain >= _LEAST_GAIN and (key not in found or gain > found[key][0]):
            found[key] = gain, one, view
    ranked = sorted(found.values(), key=lambda row: (_places(row[2]), -row[0]))
    return [(one, view) for _, one, view in ranked]


def unexplained_of(group: str) -> Mapping[Quantity, float]:
    """Standard deviations of ln(after / before) beside the errors of parts, of a group's change."""
    return _UNEXPLAINED.get(group, _UNEXPLAINED[""])


def did_help(view: ChangeView) -> bool:
    """Whether a change did what is expected of it, or was not measured yet."""
    if view.measured_tok_s is None:
        return True
    before = view.tok_s.before * (min(view.gpus / view.gpus_now, 1.0))
    return view.measured_tok_s >= before * math.exp(_LEAST_GAIN)


def changed_kinds(before: TimeParts, after: TimeParts) -> list[str]:
    """Parts, without their formats, that shrink by a twentieth of the whole; the most first."""
    found: dict[str, None] = {}
    for quantity in QUANTITIES:
        old, new = by_kind(getattr(before, quantity)), by_kind(getattr(after, quantity))
        total_ms = sum(old.values())
        for kind in sorted(old, key=lambda name: new.get(name, 0.0) - old[name]):
            if old[kind] - new.get(kind, 0.0) > _SHRUNK_SHARE * total_ms:
                found[kind] = None
    return list(found)


def by_kind(times_ms: Mapping[str, float]) -> dict[str, float]:
    """Times of parts, whatever their number format."""
    found: dict[str, float] = {}
    for name, ms in times_ms.items():
        kind = name.partition(":")[0]
        found[kind] = found.get(kind, 0.0) + ms
    return found


def shares(times_ms: Mapping[str, float]) -> dict[str, float]:
    """Shares of the whole."""
    total_ms = sum(times_ms.values())
    return {name: ms / total_ms for name, ms in times_ms.items()} if total_ms else {}


def _parts(point: Prediction) -> TimeParts:
    if point.parts is None:
        raise ValueError(f"{point.source} tells no parts")
    return point.parts


def _moves(parts: TimeParts, point: Prediction) -> Iterator[tuple[str, Move]]:
    """Settings that change what takes long, each with its direction."""
    if point.note.startswith(_WAITING):
        yield from changes_of_waiting(point.note.removeprefix(_WAITING)).items()
    longest: dict[str, float] = {}
    for quantity in QUANTITIES:
        for name, share in shares(getattr(parts, quantity)).items():
            longest[name] = max(longest.get(name, 0.0), share)
    for name in sorted(longest, key=longest.__getitem__, reverse=True):
        if longest[name] >= _LONG_SHARE:
            yield from kind_of_part(name).changes.items()


def _is_comparable(placed: PlacedPoint, one: TriedChange) -> bool:
    """Whether ratios of before and after exist: no figure of the point, and no latency that the
    roofline tells of both, is zero or missing."""
    figures = placed.figures
    are_long = (
        sum(getattr(parts, quantity).values()) > 0
        for quantity in QUANTITIES
        if quantity in figures
        for parts in (placed.parts, one.parts)
    )
    return "ttft_ms" in figures and all(value > 0 for value in figures.values()) and all(are_long)


def _change_view(
    placed: PlacedPoint,
    one: TriedChange,
    errors: PartErrors,
    measured: Mapping[tuple[str, LoadLevel], float],
) -> ChangeView:
    before = placed.figures
    unexplained = unexplained_of(one.change.path.partition(".")[0])
    after: dict[str, float] = {}
    log_stds: dict[str, float] = {}
    for quantity in QUANTITIES:
        if quantity in before:
            times = getattr(one.parts, quantity), getattr(placed.parts, quantity)
            ratio, std = errors.log_ratio(*times)
            after[quantity] = before[quantity] * math.exp(ratio)
            log_stds[quantity] = math.hypot(std, unexplained[quantity])
    load, osl = placed.load, placed.scenario.osl
    after["tok_s"] = before["tok_s"] * _tok_s(load, after, osl) / _tok_s(load, before, osl)
    first = after["ttft_ms"] / e2e_ms(after["ttft_ms"], after.get("tpot_ms"), osl)
    log_stds["tok_s"] = first * log_stds["ttft_ms"] + (1 - first) * log_stds.get("tpot_ms", 0.0)
    devices = placed.prediction.devices, one.prediction.devices
    view = {name: _figure_change(before[name], after[name], log_stds[name]) for name in after}
    per_gpu = before["tok_s"] / devices[0], after["tok_s"] / devices[1]
    changes = one.change.changes
    return ChangeView(
        changes=dict(changes),
        now={path: placed.scenario.value(placed.candidate, path) for path in changes},
        parts=[kind_of_part(kind).what for kind in changed_kinds(placed.parts, one.parts)],
        candidate=one.change.candidate.id,
        gpus=devices[1],
        gpus_now=devices[0],
        clear=view["tok_s"].low > before["tok_s"],
        in_task=False,
        ttft_ms=view["ttft_ms"],
        tpot_ms=view.get("tpot_ms"),
        tok_s=view["tok_s"],
        tok_s_per_gpu=_figure_change(*per_gpu, log_stds["tok_s"]),
        measured_tok_s=measured.get((one.change.candidate.id, load)),
        note=one.prediction.note,
    )


def _tok_s(load: LoadLevel, figures: Mapping[str, float], osl: float) -> float:
    return tok_s_under(load, figures["ttft_ms"], figures.get("tpot_ms"), osl)


def _figure_change(before: float, after: float, log_std: float) -> FigureChangeView:
    low, high = interval80(after, log_std)
    return FigureChangeView(before=before, after=after, low=low, high=high)


def _places(view: ChangeView) -> int:
    """As many devices, more, fewer."""
    return 0 if view.gpus == view.gpus_now else 1 if view.gpus > view.gpus_now else 2


def _gain(view: ChangeView) -> float:
    """ln of the throughput gained: of the whole, or per device where there are fewer."""
    fewer = view.gpus < view.gpus_now
    change = view.tok_s_per_gpu if fewer else view.tok_s
    return math.log(change.after / change.before)


def long_parts(errors: PartErrors, parts: TimeParts, least: float) -> Sequence[str]:
    """Parts with so large a share of a latency, the errors learnt."""
    found: dict[str, None] = {}
    for quantity in QUANTITIES:
        for name, share in shares(errors.corrected(getattr(parts, quantity))).items():
            if share >= least:
                found[name] = None
    return list(found)
