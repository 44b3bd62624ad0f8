"""Which prediction belongs to which measurement, and how the two may differ.

aiconfigurator predicts a *steady* state: `concurrency` requests are always in flight, decode
batches stay full, TTFT holds no waiting. A *closed* loop, which is what load generators drive, has
so many users who each wait for their answer: it fills and empties, and users queue where the engine
has fewer slots. aiconfigurator's `bs` is the batch of one attention replica, `concurrency` that
times the replicas: here both sides' concurrency is of the whole deployment.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotuner.catalog import gpu_named
from autotuner.config import LoadLevel
from autotuner.errors import CatalogError, VerifyError
from autotuner.verify.points import Excluded, Point
from autotuner.verify.prediction_index import PredictionIndex, setting_key

_OUR_TOOL = "autotuner"
_LENGTH_SHARE = 0.01
"""Mean lengths that differ by less are the same workload: a tokenizer's rounding."""
MOST_REASONS = 200
"""Measurements without a prediction of which it is said why."""
MOST_COMPARED = 1_000_000
"""Pairs of points looked at, for matching and once more for reasons: a few seconds."""
_NOT_LOOKED_AT = "no prediction agrees with it; reasons are given for the first ones"


def model_name(name: str) -> str:
    """A model's name without its owner and case, by which files are matched."""
    return name.rpartition("/")[2].lower()


def _same(one: Any, two: Any) -> bool:
    return bool(one == two or str(one).lower() == str(two).lower())


def _same_model(one: str, two: str) -> bool:
    return model_name(one) == model_name(two)


def _same_system(one: str, two: str) -> bool:
    return _catalogued(one) == _catalogued(two)


@functools.lru_cache(maxsize=1024)
def _catalogued(name: str) -> str:
    """The catalog's name of a device; the name itself where the catalog does not have it."""
    try:
        return gpu_named(name).name
    except CatalogError:
        return name.lower()


def _same_length(one: float, two: float) -> bool:
    return abs(one - two) <= _LENGTH_SHARE * max(one, two)


CRITERIA: tuple[tuple[str, Callable[[Any, Any], bool]], ...] = (
    ("model", _same_model),
    ("engine", _same),
    ("system", _same_system),
    ("isl", _same_length),
    ("osl", _same_length),
    ("layout", _same),
    ("gpus", _same),
    ("load", _same),
)
"""Field of `Point` -> whether two values are the same; what is not stated rules nothing out."""


KEYS: Mapping[str, Callable[[Any], str | None]] = {
    "model": model_name,
    "engine": setting_key,
    "system": _catalogued,
    "layout": setting_key,
    "gpus": setting_key,
}
"""Field of `Point` -> key of its value, by which predictions are indexed: that of `CRITERIA`."""


def contradiction(predicted: Point, actual: Point) -> tuple[int, str]:
    """How far two points agree, and the first thing they contradict each other in.

    Returns:
        The number of criteria passed, and "" where they agree in all. The load comes last, so
        that the prediction that agrees furthest says why a measurement found none.
    """
    conditions = CRITERIA[:-1]
    for passed, (name, same) in enumerate(conditions):
        one, two = getattr(predicted, name), getattr(actual, name)
        if one is not None and two is not None and not same(one, two):
            return passed, f"{name} is {_text(two)}, predicted is {_text(one)}"
    theirs = actual.identity
    for path, value in predicted.identity.items():
        other = theirs.get(path)
        if value is not None and other is not None and not _same(value, other):
            return len(conditions), f"{path} is {_text(other)}, predicted is {_text(value)}"
    if predicted.load != actual.load:
        passed = len(conditions) + 1
        return passed, _other_load(predicted.load, actual.load)
    return len(conditions) + 2, ""


def _other_load(predicted: LoadLevel, actual: LoadLevel) -> str:
    if predicted.kind is actual.kind:
        return f"{actual.kind} is {actual}, predicted is {predicted}"
    return f"{actual.named} was measured, {predicted.named} is predicted"


def _apart(one: LoadLevel, other: LoadLevel) -> tuple[bool, float]:
    """How far two loads are from each other; of two kinds, farther than any of one."""
    return one.kind is not other.kind, abs(one.value - other.value)


def differences(predicted: Point, actual: Point) -> tuple[str, ...]:
    """Why a pair is not like for like; empty where it is."""
    reasons = [why.format(p=predicted, a=actual) for so, why in _RULES if so(predicted, actual)]
    return (*reasons, *predicted.remarks, *actual.remarks)


def _versions_differ(predicted: Point, actual: Point) -> bool:
    one, two = predicted.engine_version, actual.engine_version
    return one is not None and two is not None and one != two


_RULES: tuple[tuple[Callable[[Point, Point], bool], str], ...] = (
    (
        lambda p, a: p.loop != a.loop,
        "a {p.loop} load was predicted, and a {a.loop} one measured",
    ),
    (
        lambda p, a: a.tool is not None and a.tool != _OUR_TOOL,
        "measured by {a.tool}: its figures contain its own delays",
    ),
    (
        _versions_differ,
        "engine version {p.engine_version} was predicted, and {a.engine_version} measured",
    ),
    (
        lambda p, a: a.lengths is not None and p.lengths != a.lengths,
        "lengths {a.lengths} were measured, and their means predicted",
    ),
    (
        lambda p, a: p.tpot_as != a.tpot_as,
        "one side states TPOT with the first token; both are compared without it and with it",
    ),
)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


_MEDIANS = ("ttft_ms", "tpot_ms", "tok_s")


@dataclass(frozen=True)
class Pair:
    """A prediction beside its measurement.

    Attributes:
        unlike: why they are not like for like; empty where they are.
    """

    predicted: Point
    actual: Point
    unlike: tuple[str, ...] = ()

    @property
    def like_for_like(self) -> bool:
        """Whether nothing but the prediction's error sets the two apart."""
        return not self.unlike

    @property
    def label(self) -> str:
        """The layout, from the side that states one."""
        side = self.actual if self.actual.has_layout else self.predicted
        return side.label

    def known(self, name: str) -> Any:
        """A field of the measurement; of the prediction where the measurement does not state it."""
        found = getattr(self.actual, name)
        return getattr(self.predicted, name) if found is None else found


def pair_of(predicted: Point, actual: Point, *remarks: str) -> Pair:
    """The two as a pair, with why they are not like for like."""
    return Pair(predicted, actual, (*differences(predicted, actual), *remarks))


@dataclass(frozen=True)
class Matching:
    """Every measurement and every prediction stands in exactly one of the three."""

    pairs: tuple[Pair, ...]
    unmatched_actual: tuple[Excluded, ...]
    unmatched_predicted: tuple[Excluded, ...]


def match(predicted: Sequence[Point], actual: Sequence[Point]) -> Matching:
    """Pairs of points that contradict each other in nothing, at the same load.

    What a file does not state (a layout, a number format) rules nothing out. Where several
    predictions fit, one that states just the measurement's settings wins; several of the same
    settings are one prediction made more than once, of which the first counts; several of
    different settings leave the measurement unmatched, since no one could say which is meant.
    Measurements of the same point are repeats: their medians count.

    Raises:
        VerifyError: so many predictions state so little that matching would take minutes.
    """
    index = PredictionIndex(predicted, KEYS)
    reasons = _Reasons(predicted)
    compared = 0
    pairs: list[Pair] = []
    lonely: list[Excluded] = []
    taken: set[str] = set()
    second: dict[str, str] = {}
    for measured in _repeats_joined(actual):
        near = index.near(measured)
        compared += len(near)
        if compared > MOST_COMPARED:
            raise VerifyError(
                f"matching {len(actual)} measurements with {len(predicted)} predictions would "
                f"compare more than {MOST_COMPARED:,} pairs",
                remedy="state engine, system, layout and gpus on both sides, or compare the "
                "files in parts",
            )
        fitting = [point for point in near if not contradiction(point, measured)[1]]
        if not fitting:
            lonely.append(Excluded(measured.source, reasons.why_none(measured)))
            continue
        same = [point for point in fitting if point.identity == measured.identity]
        first, *others = same or fitting
        distinct = [point for point in others if not _one_configuration(point, first)]
        if distinct:
            why = f"{len(distinct) + 1} predictions fit: {_difference(first, distinct[0])}"
            lonely.append(Excluded(measured.source, why))
            continue
        pairs.append(pair_of(first, measured))
        taken.add(first.source)
        second |= {point.source: measured.source for point in others}
    unused = [point for point in predicted if point.source not in taken]
    return Matching(
        tuple(pairs),
        tuple(lonely),
        tuple(Excluded(point.source, _why_unused(point, second)) for point in unused),
    )


def _why_unused(point: Point, second: Mapping[str, str]) -> str:
    if point.source in second:
        return f"another prediction of {second[point.source]}; the first in the file counts"
    return "not measured"


class _Reasons:
    """Says of measurements why they found no prediction, as long as that takes little time."""

    def __init__(self, predicted: Sequence[Point]) -> None:
        self._predicted = predicted
        self._left = min(MOST_REASONS, MOST_COMPARED // max(1, len(predicted)))

    def why_none(self, measured: Point) -> str:
        """The contradiction of the prediction that agrees furthest; of several the nearest load."""
        if not self._predicted:
            return "nothing is predicted"
        if self._left == 0:
            return _NOT_LOOKED_AT
        self._left -= 1
        contradictions = [(contradiction(point, measured), point) for point in self._predicted]
        furthest = max(passed for (passed, _), _ in contradictions)
        nearest = min(
            (entry for entry in contradictions if entry[0][0] == furthest),
            key=lambda entry: _apart(entry[1].load, measured.load),
        )
        return nearest[0][1]


def _one_configuration(one: Point, two: Point) -> bool:
    return one.identity == two.identity and one.layout == two.layout


def _difference(one: Point, two: Point) -> str:
    """Which setting distinguishes two predictions and is not stated by the measurement."""
    for path in {**one.identity, **two.identity}:
        first, second = one.identity.get(path), two.identity.get(path)
        if first != second:
            return f"say whether {path} was {first} or {second}"
    return f"say whether layout was {one.layout} or {two.layout}"


def _repeats_joined(actual: Sequence[Point]) -> list[Point]:
    """Measurements of one point as one, with the medians of their figures."""
    groups: dict[str, list[Point]] = {}
    for point in actual:
        blank: dict[str, Any] = dict.fromkeys(_MEDIANS)
        bare = replace(point, source="", originals={}, remarks=(), **blank)
        groups.setdefault(repr(bare), []).append(point)
    return [_median(group) if len(group) > 1 else group[0] for group in groups.values()]


def _median(group: Sequence[Point]) -> Point:
    first = group[0]
    medians: dict[str, Any] = {}
    for name in _MEDIANS:
        values = [value for point in group if (value := getattr(point, name)) is not None]
        medians[name] = statistics.median(values) if values else None
    remarks = dict.fromkeys(remark for point in group for remark in point.remarks)
    source = f"{first.source} and {len(group) - 1} repeats (medians)"
    return replace(first, source=source, remarks=tuple(remarks), **medians)
