"""Kernel of calibration: the covariance of what a base predictor gets wrong at operating points.

ln(measured / predicted) is taken for a sum of functions: one that all share who run on the same
engine, one for the same engine and device, … down to one launch. Each is a constant plus a
Matern-3/2 function: a table of components (`gaussian_process`). Across models only what has the
same meaning for every model is compared: load and lengths; within a model also layout, formats,
settings and the base prediction itself; within a task there is a function of either kind. So a
point teaches another the more, the more levels both share and the nearer they lie. Where the base
is a blend, the weights of its members are not quite what they are taken for: what is to be added to
each is a normal number for an engine and one for a task, and where members disagree, measurements
tell. The hyperparameters stand in `calibration.yaml`, with what they were fitted on.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autotuner.config.tables import packaged_table

if TYPE_CHECKING:
    import numpy as np

    from autotuner.predict.gaussian_process import Component

    Array = np.ndarray[Any, np.dtype[np.float64]]

LEVELS: dict[str, tuple[str, ...]] = {
    "engine": ("engine",),
    "engine_device": ("engine", "device"),
    "family_engine": ("family", "engine"),
    "model": ("model",),
    "model_engine": ("model", "engine"),
    "task": ("model", "engine", "device"),
    "task_workload": ("model", "engine", "device"),
    "launch": ("launch",),
}
"""Level -> tags that two points have to share to be alike on it."""
TAGS = tuple(dict.fromkeys(tag for tags in LEVELS.values() for tag in tags))

BY_WORKLOAD = ("engine", "engine_device", "task_workload")
"""Levels on which only `WORKLOAD` is compared: across models nothing else means the same, and
within a task what the load and the lengths do is much alike for all its layouts."""

WORKLOAD = ("load", "isl", "osl", "prefill_share")
FEATURES = (
    *("load", "isl", "osl", "prefill_share"),
    *("tensor_parallel", "data_parallel", "expert_parallel", "base_ttft", "base_tpot"),
)
"""Natural logarithms. `load`: requests in flight for each data-parallel rank; `prefill_share`: of
those, by the base prediction, how many wait for their first token."""

_NO_TPOT_MS = 1.0
"""A feature has to be a number, also where TPOT does not exist; then it is the same one."""

DIFFERENCES = ("formats", "other")
"""Counts of differing settings: number formats; all settings besides (numbers count by the square
of their logarithms' difference)."""

_WIDTHS = {
    "tensor_parallel": ("parallel.tensor_parallel",),
    "data_parallel": ("parallel.data_parallel",),
    "expert_parallel": ("parallel.moe_expert_parallel", "parallel.expert_parallel"),
}
_NOT_COMPARED = ("runtime.", "system.", "parallel.", "quantization.")
_FORMATS = "quantization."


@dataclass(frozen=True)
class Place:
    """An operating point as calibration sees it. None is unknown, and like nothing.

    Attributes:
        launch: what one engine start shares; None for a point that is not launched.
        settings: `group.field` -> value.
        in_flight: mean requests in flight.
        base_ttft_ms, base_tpot_ms: the base prediction; no TPOT where every answer has one token.
        members: as in `Observation`.
    """

    model: str
    family: str | None
    engine: str
    device: str
    launch: str | None
    settings: Mapping[str, Any]
    isl: float
    osl: float
    in_flight: float
    base_ttft_ms: float
    base_tpot_ms: float | None
    members: Mapping[str, tuple[float, float | None]] = field(default_factory=dict)

    def deviations(self, quantity: str) -> dict[str, float]:
        """Member -> ln(its prediction / the base's) of `ttft` or `tpot`, where both exist."""
        column, base = {"ttft": (0, self.base_ttft_ms), "tpot": (1, self.base_tpot_ms)}[quantity]
        values = ((name, means[column]) for name, means in self.members.items())
        return {name: math.log(value / base) for name, value in values if value and base}

    @functools.cached_property
    def features(self) -> tuple[float, ...]:
        """In the order of `FEATURES`."""
        tensor, data, expert = (self._width(paths) for paths in _WIDTHS.values())
        load = max(self.in_flight / data, 1.0)
        ttft, tpot = self.base_ttft_ms, self.base_tpot_ms or _NO_TPOT_MS
        waiting = load * ttft / (ttft + self.osl * (self.base_tpot_ms or 0.0))
        values = (load, self.isl, self.osl, waiting, tensor, data, expert, ttft, tpot)
        return tuple(math.log(value) for value in values)

    def _width(self, paths: Sequence[str]) -> float:
        return float(next((self.settings[p] for p in paths if self.settings.get(p)), 1))


@dataclass(frozen=True)
class Hyperparameters:
    """How far one measured point teaches another, for one quantity.

    Variances are of ln(measured / predicted).

    Attributes:
        offset, smooth: level -> variance of its constant and of its smooth function.
        workload_lengths: feature of `WORKLOAD` -> length scale across models.
        lengths: feature or difference -> length scale within a model. Both in units of the natural
            logarithm.
        noise: variance of one measurement.
        quantity: `ttft`, `tpot` or `tok_s`.
        members: level -> variance of what is added to the weight of a blend's member.
    """

    offset: Mapping[str, float]
    smooth: Mapping[str, float]
    workload_lengths: Mapping[str, float]
    lengths: Mapping[str, float]
    noise: float
    quantity: str
    members: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CalibrationHyperparameters:
    """A set: hyperparameters per quantity (`ttft`, `tpot`, `tok_s`), and models of the fit."""

    by_quantity: Mapping[str, Hyperparameters]
    fitted_on: frozenset[str] = field(default_factory=frozenset)


@functools.cache
def calibration_hyperparameters() -> Mapping[str, CalibrationHyperparameters]:
    """The sets of `calibration.yaml` by name; `all` is the one to use."""
    document = packaged_table("autotuner.predict", "calibration")
    return {
        name: CalibrationHyperparameters(
            {
                quantity: Hyperparameters(**row, quantity=quantity)
                for quantity, row in chosen["hyperparameters"].items()
            },
            frozenset(chosen["fitted_on"]),
        )
        for name, chosen in document["sets"].items()
    }


def covariance(
    left: Sequence[Place], right: Sequence[Place], hyperparameters: Hyperparameters
) -> Array:
    """Covariance of the residuals at two lists of places, without noise: `left x right`."""
    from autotuner.predict.gaussian_process import (
        equal_tags,
        kernel_sum,
        matern32,
    )

    similarities: dict[str, Any] = {
        tag: equal_tags([getattr(p, tag) for p in left], [getattr(p, tag) for p in right])
        for tag in TAGS
    }
    lengths = hyperparameters.lengths
    formats, other = differences(left, right)
    settings = formats / lengths["formats"] ** 2 + other / lengths["other"] ** 2
    similarities["within"] = matern32(_between(left, right, lengths) + settings)
    similarities["across"] = matern32(_between(left, right, hyperparameters.workload_lengths))
    if hyperparameters.members:
        similarities["members"] = _members_alike(left, right, hyperparameters.quantity)
    return kernel_sum(components_of(hyperparameters), similarities, (len(left), len(right)))


def components_of(hyperparameters: Hyperparameters) -> tuple[Component, ...]:
    """The kernel's table: for each level a constant and a smooth component."""
    from autotuner.predict.gaussian_process import Component

    return (
        *(Component(variance, LEVELS[level]) for level, variance in hyperparameters.offset.items()),
        *(
            Component(variance, ("across" if level in BY_WORKLOAD else "within", *LEVELS[level]))
            for level, variance in hyperparameters.smooth.items()
        ),
        *(
            Component(variance, ("members", *LEVELS[level]))
            for level, variance in hyperparameters.members.items()
        ),
    )


def weight_covariance(
    places: Sequence[Place], at: Place, member: str, hyperparameters: Hyperparameters
) -> Array:
    """Covariance of the residuals at `places` with what is added to a member's weight: `n x 1`.

    Args:
        at: where the weight is asked for.
    """
    import numpy as np

    from autotuner.predict.gaussian_process import equal_tags

    found = np.zeros((len(places), 1))
    deviations = [place.deviations(hyperparameters.quantity).get(member, 0.0) for place in places]
    for level, variance in hyperparameters.members.items():
        shared = np.ones((len(places), 1), bool)
        for tag in LEVELS[level]:
            shared &= equal_tags([getattr(p, tag) for p in places], [getattr(at, tag)])
        found += variance * shared
    return np.asarray(found * np.array(deviations)[:, None])


def _members_alike(left: Sequence[Place], right: Sequence[Place], quantity: str) -> Array:
    """Sum over members of the product of their deviations: `left x right`.

    With what is added to each member's weight normal and independent, ln(measured / predicted) has
    this covariance, times its variance (Bayesian linear regression as a process: Rasmussen and
    Williams, 2006, section 2.1).
    """
    import numpy as np

    one, two = ([place.deviations(quantity) for place in side] for side in (left, right))
    names = sorted({name for found in (*one, *two) for name in found})
    columns = (np.array([[f.get(n, 0.0) for n in names] for f in side]) for side in (one, two))
    left_deviations, right_deviations = columns
    return np.asarray(left_deviations @ right_deviations.T)


def _between(left: Sequence[Place], right: Sequence[Place], lengths: Mapping[str, float]) -> Array:
    """Squared distance in the features that have a length scale."""
    import numpy as np

    from autotuner.predict.gaussian_process import squared_distances

    chosen = [place for place, name in enumerate(FEATURES) if name in lengths]
    scales = np.array([lengths[FEATURES[place]] for place in chosen])
    one, two = (
        np.array([place.features for place in side]).reshape(-1, len(FEATURES))[:, chosen] / scales
        for side in (left, right)
    )
    return squared_distances(one, two)


def differences(left: Sequence[Place], right: Sequence[Place]) -> tuple[Array, Array]:
    """Squared distances in number formats, and in settings that no feature holds.

    Each `left x right`, in differing settings; see `DIFFERENCES`.
    """
    import numpy as np

    formats, other = (np.zeros((len(left), len(right))) for _ in DIFFERENCES)
    for path in sorted({path for place in (*left, *right) for path in place.settings}):
        if path.startswith(_FORMATS):
            formats += _difference(left, right, path)
        elif not path.startswith(_NOT_COMPARED):
            other += _difference(left, right, path)
    return formats, other


def _difference(left: Sequence[Place], right: Sequence[Place], path: str) -> Any:
    """(ln a - ln b)^2 of two positive numbers, otherwise 0 where equal and 1 where not."""
    import numpy as np

    codes: dict[str, int] = {}

    def of(places: Sequence[Place]) -> tuple[Any, Any]:
        values = [place.settings.get(path) for place in places]
        numbers = [_logarithm(value) for value in values]
        return np.array(numbers), np.array([codes.setdefault(repr(v), len(codes)) for v in values])

    (one, one_code), (two, two_code) = of(left), of(right)
    if len(codes) < 2:
        return 0.0
    apart = (one[:, None] - two[None, :]) ** 2
    return np.where(np.isnan(apart), one_code[:, None] != two_code[None, :], apart)


def _logarithm(value: Any) -> float:
    """Of a positive number; NaN of everything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return math.log(value) if is_number and value > 0 else math.nan
