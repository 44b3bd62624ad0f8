"""Whether what others measured agrees with what is known here, and how much it may count.

Of each group (an origin's points of one model, engine and device) it is asked how far it lies from
the posterior that the user's own launches give, by the same Gaussian process that corrects
predictions: the median of ln(measured / expected) over the standard deviation of that median. The
median, because a few wrong points must not move it (P. J. Huber, "Robust Estimation of a Location
Parameter", 1964). A group too far off, or spread too widely around its own median, is left out,
and so are single points far from their group. What is left may still be off as a whole (another
tool, another firmware, other prompts), by an error that all its points share: that error has a
variance of its own, at least `LEAST_OFFSET` squared and more where the group lies off. So a
thousand points of one origin never count as a thousand independent ones.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autotuner.predict.calibration_kernel import (
    CalibrationHyperparameters,
    Hyperparameters,
    calibration_hyperparameters,
)
from autotuner.predict.closed_loop import tok_s_under
from autotuner.predict.observations import Observation
from autotuner.predict.residual_process import ResidualProcess, place_of, residual

GroupKey = tuple[str, str, str, str, str]
"""Base predictor, origin, model, engine, device."""

FARTHEST = 3.0
"""Standard deviations at which a group is left out: 1 in 370 that is right."""
FARTHEST_POINT = 5.0
"""The same of a point within its group."""
WIDEST_SPREAD = 2.5
"""Times the spread that is expected of a group's points, at which they contradict each other."""
MOST_OUTLIERS = 1 / 3
"""Share of a group's points; where more lie off, none is believed."""
LEAST_OFFSET = 0.1
"""Standard deviation of the error that all points of a group share, where nothing speaks of one:
two laboratories that measure the same differ by about a tenth."""
MOST_COMPARED = 150
"""Points of a group that are compared: what is more is thinned out evenly."""
MOST_OWN = 1500
"""The same of the user's own."""
LITTLES_LAW = 1.6
"""Throughput that differs from Little's law by more than this factor is of something else: of one
GPU, or of input and output together."""
_MAD = 1.4826
"""Times the median absolute deviation is the standard deviation of a normal distribution."""
_JUDGED = {"ttft": "TTFT", "tpot": "TPOT"}


@dataclass(frozen=True)
class Agreement:
    """How a group of foreign observations stands to what is known here.

    Attributes:
        points, outliers: how many there are, and how many of them lie off their group.
        factor: quantity -> median of measured / expected; no entry where there is none.
        distance: the largest over the quantities, in standard deviations.
        offset_std: quantity -> standard deviation of the error that the points share.
        excluded: why none of them counts; None where they do.
    """

    base: str
    origin: str
    model: str
    engine: str
    device: str
    points: int
    outliers: int
    factor: Mapping[str, float]
    distance: float
    offset_std: Mapping[str, float]
    excluded: str | None

    @property
    def key(self) -> GroupKey:
        """The group, as `group_of` has it."""
        return self.base, self.origin, self.model, self.engine, self.device


@dataclass(frozen=True)
class Weighed:
    """Observations that count, and what was found of those of others.

    Attributes:
        kept: in their order; all of the user's own are among them.
    """

    kept: tuple[Observation, ...]
    agreements: tuple[Agreement, ...] = ()

    def shared_errors(self, quantity: str) -> list[tuple[GroupKey | None, float]]:
        """For each that is kept, its group and the variance of the error that the group shares."""
        variances = {
            found.key: found.offset_std.get(quantity, LEAST_OFFSET) ** 2
            for found in self.agreements
        }
        keys = (group_of(seen) if seen.is_foreign else None for seen in self.kept)
        return [(key, 0.0 if key is None else variances[key]) for key in keys]


def contradiction(seen: Observation) -> str | None:
    """Why an observation cannot be what its fields say; None where it can."""
    law_tok_s = tok_s_under(seen.load, seen.ttft_ms, seen.tpot_ms, seen.osl)
    factor = seen.tok_s / law_tok_s
    if 1 / LITTLES_LAW <= factor <= LITTLES_LAW:
        return None
    return (
        f"mixed definitions: throughput is not what load and latencies make by Little's law, "
        f"{'above' if factor > 1 else 'below'} by more than a factor of {LITTLES_LAW:g}"
    )


def weighed(
    observations: Sequence[Observation],
    hyperparameters: CalibrationHyperparameters | None = None,
) -> Weighed:
    """The observations without those of others that disagree with what is known.

    Foreign groups are compared with the user's own observations of the same base predictor, and
    not with each other: several may be wrong in the same way.
    """
    groups: dict[GroupKey, list[int]] = defaultdict(list)
    for place, seen in enumerate(observations):
        if seen.is_foreign:
            groups[group_of(seen)].append(place)
    if not groups:
        return Weighed(tuple(observations))
    constants = (hyperparameters or calibration_hyperparameters()["all"]).by_quantity
    processes = {
        base: _processes(observations, base, constants) for base in {key[0] for key in groups}
    }
    dropped: set[int] = set()
    found = []
    for key, places in groups.items():
        points = [observations[place] for place in places]
        agreement, outliers = _compared(key, points, processes[key[0]])
        found.append(agreement)
        dropped |= set(places) if agreement.excluded else {places[one] for one in outliers}
    kept = (seen for place, seen in enumerate(observations) if place not in dropped)
    return Weighed(tuple(kept), tuple(found))


def group_of(seen: Observation) -> GroupKey:
    """The group of an observation."""
    return seen.base, seen.origin, seen.model, seen.engine, seen.device


def _processes(
    observations: Sequence[Observation], base: str, constants: Mapping[str, Hyperparameters]
) -> dict[str, ResidualProcess]:
    """Quantity -> what the user's own observations say of it, the newest of many."""
    own = [seen for seen in observations if not seen.is_foreign and seen.base == base]
    own = own[-MOST_OWN:]
    found = {}
    for quantity in _JUDGED:
        known = [(place_of(o), r) for o in own if (r := residual(o, quantity)) is not None]
        places, residuals = zip(*known, strict=True) if known else ((), ())
        found[quantity] = ResidualProcess(places, residuals, constants[quantity])
    return found


def _compared(
    key: GroupKey, points: Sequence[Observation], processes: Mapping[str, ResidualProcess]
) -> tuple[Agreement, set[int]]:
    """How a group stands, and the positions of the points that lie off it."""
    factor, distance, offset_std = {}, 0.0, {}
    outliers: set[int] = set()
    why: list[str] = []
    for quantity, name in _JUDGED.items():
        chosen = [
            (place, found)
            for place, seen in enumerate(points)
            if (found := residual(seen, quantity)) is not None
        ]
        if not chosen:
            continue
        surprise, std = _surprises(points, chosen, processes[quantity])
        middle = statistics.median(surprise.values())
        off_std = std.of_median
        away = abs(middle) / off_std
        factor[quantity] = math.exp(middle)
        distance = max(distance, away)
        offset_std[quantity] = math.sqrt(max(middle**2 - off_std**2, 0.0) + LEAST_OFFSET**2)
        if away > FARTHEST:
            why.append(
                f"{name} is {math.exp(middle):.2g} times what is expected, "
                f"{away:.1f} standard deviations off"
            )
        spread = _MAD * statistics.median(abs(one - middle) for one in surprise.values())
        if spread > WIDEST_SPREAD * std.of_point:
            why.append(f"its points contradict each other in {name}: mixed definitions")
        limit = FARTHEST_POINT * std.of_point
        outliers |= {place for place, one in surprise.items() if abs(one - middle) > limit}
    if not why and len(outliers) > MOST_OUTLIERS * len(points):
        why.append(f"{len(outliers)} of its {len(points)} points lie off the others")
    return (
        Agreement(
            *key,
            points=len(points),
            outliers=len(outliers),
            factor=factor,
            distance=distance,
            offset_std=offset_std,
            excluded="; ".join(why) or None,
        ),
        outliers,
    )


@dataclass(frozen=True)
class _Expected:
    """Standard deviations: of a point, and of the median of its group."""

    of_point: float
    of_median: float


def _surprises(
    points: Sequence[Observation], chosen: Sequence[tuple[int, float]], process: ResidualProcess
) -> tuple[dict[int, float], _Expected]:
    """Position -> residual less the posterior's mean, and how far that is expected to be off."""
    import numpy as np

    thinned = chosen[:: max(-(-len(chosen) // MOST_COMPARED), 1)]
    posterior = process.at([place_of(points[place]) for place, _ in thinned])
    count = len(thinned)
    shared = float(posterior.covariance.sum()) / count**2
    std = _Expected(
        of_point=float(np.median(posterior.log_std)),
        of_median=math.sqrt(max(shared, 0.0) + posterior.noise / count),
    )
    means = process.means([place_of(points[place]) for place, _ in chosen])
    return {p: found - float(m) for (p, found), m in zip(chosen, means, strict=True)}, std
