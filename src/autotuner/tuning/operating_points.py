"""Operating points as events and the API show them: one shape, measured or predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from autotuner.config import LATENCIES, PERCENTILES, LoadLevel, TaskConfig
from autotuner.measure import Measurement
from autotuner.predict import Prediction
from autotuner.predict.predictor import (
    describe_percentile,
    limit_interval80,
    verdict,
)
from autotuner.search import OperatingPoint, as_point, has
from autotuner.search.slo import Verdict, verdicts, within
from autotuner.store import ExperimentRecord
from autotuner.tuning.point_figures import (
    PointFiguresView,
    Shape,
    measured_energy,
    measured_figures,
    predicted_figures,
)
from autotuner.tuning.points import (
    by_level,
    occupied_gpus,
    operating_points,
    pooled,
)
from autotuner.tuning.summary import ExperimentView, Scalar

NOT_LAUNCHED = 2**31 - 1
"""Place, among launches, of a predicted point that is none."""


class OperatingPointView(Shape):
    """A candidate at one load level: its figures as measured, or as predicted."""

    id: str
    """Stable: `3:concurrency:8` of experiment 3, `CANDIDATE:concurrency:8` where predicted."""
    kind: Literal["measured", "predicted"]
    experiment_index: int | None
    """Place of its launch; null where the candidate has not been launched."""
    candidate: str
    load: LoadLevel
    settings: dict[str, Scalar]
    """`group.field` -> value."""
    gpus: int
    """Number of occupied GPUs; 0 on a CPU."""
    figures: PointFiguresView
    verdicts: dict[str, Verdict]
    """Limited quantity -> `meets`, `unclear` where the limit lies inside the interval, `misses`."""
    meets_slo: bool | None
    """Whether its values are within all limits; null without limits, and where it is not steady."""
    on_frontier: bool
    is_steady: bool
    """False where requests failed or the engine did not keep up: no operating point."""
    is_disturbed: bool = False
    """Whether others loaded the machine, or the load generator was late: its figures can be far
    from what the engine does by itself."""
    source: str
    """Load generator that measured it, or kind of data that the prediction stands on."""
    note: str
    """Sentence about these figures; empty where there is nothing to say."""
    energy_note: str = ""
    """Counter and devices that energy is of, or why it was not measured; empty where nobody
    looked."""


@dataclass(frozen=True)
class Criteria:
    """Criteria by which the points of a task are compared.

    Attributes:
        slo: latency -> limit in ms.
        usd_per_gpu_hour: price of a device; None where it is not known.
        isl: mean input tokens of a request; None where they are not known.
    """

    objectives: tuple[str, ...]
    slo: Mapping[str, float]
    usd_per_gpu_hour: float | None = None
    isl: float | None = None

    @classmethod
    def of(cls, config: TaskConfig, usd_per_gpu_hour: float | None) -> Self:
        """The criteria of a task."""
        return cls(config.objectives, config.slo_limits(), usd_per_gpu_hour, config.mean_isl)

    @property
    def needs(self) -> tuple[str, ...]:
        """Quantities without which a point takes no part."""
        return (*self.objectives, *self.slo)

    def compares(self, point: OperatingPoint) -> bool:
        """Whether the point takes part."""
        return has(point, self.needs)


@dataclass(frozen=True)
class MeasuredLevel:
    """A load level of a launch, and all that was measured of it.

    Attributes:
        index: of its experiment.
        repeats: at least one.
    """

    index: int
    candidate: str
    settings: Mapping[str, Any]
    gpus: int
    repeats: tuple[Measurement, ...]
    usd_per_gpu_hour: float | None = None

    kind: ClassVar[Literal["measured"]] = "measured"

    @property
    def load(self) -> LoadLevel:
        """The load level."""
        return self.repeats[0].load

    @property
    def order(self) -> int:
        """Place of its launch."""
        return self.index

    @property
    def id(self) -> str:
        """Id of the point."""
        return point_id(self.index, self.load)

    @cached_property
    def point(self) -> OperatingPoint | None:
        """The operating point; None where a repeat failed or did not keep up."""
        found = operating_points(
            self.candidate,
            self.repeats,
            gpus=self.gpus,
            usd_per_gpu_hour=self.usd_per_gpu_hour,
        )
        return found[0] if found else None

    @cached_property
    def figures(self) -> PointFiguresView:
        """Its figures, whether it is an operating point or not."""
        return measured_figures(self.counting, max(self.gpus, 1), self.point)

    @cached_property
    def counting(self) -> tuple[Measurement, ...]:
        """The repeats that its figures are of."""
        return tuple(pooled(self.repeats))

    def view(self, criteria: Criteria, *, on_frontier: bool) -> OperatingPointView:
        """The level as it is shown."""
        slo, point = criteria.slo, self.point
        return OperatingPointView(
            id=self.id,
            kind="measured",
            experiment_index=self.index,
            candidate=self.candidate,
            load=self.load,
            settings=dict(self.settings),
            gpus=self.gpus,
            figures=self.figures,
            verdicts={} if point is None else verdicts(point, slo),
            meets_slo=within(point, slo) if slo and point is not None else None,
            on_frontier=on_frontier,
            is_steady=point is not None,
            is_disturbed=any(m.is_disturbed for m in self.counting),
            source=self.counting[0].tool,
            note=_note(self.repeats, self.counting),
            energy_note=measured_energy(self.counting).note,
        )


def measured_levels(
    experiment: ExperimentRecord | ExperimentView,
    candidate: str,
    gpus: int,
    usd_per_gpu_hour: float | None = None,
) -> list[MeasuredLevel]:
    """The levels that an experiment has measured, the lowest first."""
    return [
        MeasuredLevel(
            experiment.index, candidate, experiment.settings, gpus, tuple(found), usd_per_gpu_hour
        )
        for found in by_level(experiment.measurements).values()
    ]


@dataclass(frozen=True)
class PredictedLevel:
    """A load level of a candidate, and what is predicted of it.

    Attributes:
        index: of its experiment; None where it was not launched.
    """

    index: int | None
    prediction: Prediction
    settings: Mapping[str, Any]
    usd_per_gpu_hour: float | None = None

    kind: ClassVar[Literal["predicted"]] = "predicted"

    @property
    def order(self) -> int:
        """Place of its launch; behind all others where there is none."""
        return NOT_LAUNCHED if self.index is None else self.index

    @property
    def candidate(self) -> str:
        """Id of its candidate."""
        return self.prediction.candidate_id

    @property
    def load(self) -> LoadLevel:
        """The load level."""
        return self.prediction.load

    @property
    def id(self) -> str:
        """Id of the point."""
        return point_id(self.candidate, self.load)

    @cached_property
    def point(self) -> OperatingPoint:
        """The operating point."""
        return as_point(self.prediction, self.usd_per_gpu_hour)

    def view(self, criteria: Criteria, *, on_frontier: bool) -> OperatingPointView:
        """The level as it is shown; its verdicts are of the 80 % intervals."""
        slo = criteria.slo
        asked = [name for name in criteria.needs if name in PERCENTILES]
        return OperatingPointView(
            id=self.id,
            kind="predicted",
            experiment_index=self.index,
            candidate=self.candidate,
            load=self.load,
            settings=dict(self.settings),
            gpus=occupied_gpus(self.settings),
            figures=predicted_figures(self.point, self.prediction, asked, criteria.isl),
            verdicts={name: self._verdict(name, limit) for name, limit in slo.items()},
            meets_slo=within(self.point, slo) if slo else None,
            on_frontier=on_frontier,
            is_steady=True,
            source=self.prediction.kind,
            note="; ".join(filter(None, (self.prediction.note, self._basis(asked)))),
        )

    def _basis(self, percentiles: Sequence[str]) -> str:
        """Bases of the percentiles that are asked for."""
        return "; ".join(
            f"{LATENCIES[name].label}: {describe_percentile(self.prediction, name)}"
            for name in percentiles
            if has(self.point, (name,))
        )

    def _verdict(self, name: str, limit: float) -> Verdict:
        if not has(self.point, (name,)):
            return "misses"
        return verdict(limit_interval80(self.prediction, name), limit)


Level = MeasuredLevel | PredictedLevel


def point_id(owner: int | str, load: LoadLevel) -> str:
    """Id as in `3:rate:2.5`; a whole number has no decimals, as in every JSON writer's text."""
    return f"{owner}:{load.kind.value}:{str(load.value).removesuffix('.0')}"


def _note(repeats: Sequence[Measurement], counting: Sequence[Measurement]) -> str:
    """Sentence about what went wrong in a level or beside it, and what its tool says.

    Args:
        counting: those of which its figures are.
    """
    left_out = len(repeats) - len(counting)
    failed = sum(m.requests_failed for m in repeats)
    sent = failed + sum(m.requests_completed for m in repeats)
    parts = {
        f"{failed} of {sent} requests failed": failed > 0,
        "the level was not measured to its end": not failed and not all(m.valid for m in repeats),
        f"the engine does not keep up with {repeats[0].load.long}": any(
            m.saturated for m in repeats
        ),
        "other processes used the machine or the load generator was late": any(
            m.is_disturbed for m in counting
        ),
        "the engine compiled something while the level was measured": any(
            m.compiling for m in counting
        ),
        f"{left_out} of {len(repeats)} measurements left out, which were disturbed or of too few "
        "requests": left_out > 0,
    }
    notes = [part for part, is_so in parts.items() if is_so]
    return "; ".join([*notes, *dict.fromkeys(m.note for m in repeats if m.note)])
