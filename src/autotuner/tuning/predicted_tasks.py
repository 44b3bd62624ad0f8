"""Tasks that exist in memory alone: drafted for each engine, predicted, never launched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autotuner.catalog import refuse_unknown
from autotuner.config import LoadLevel, PredictionMode, PredictorName, closed_loops
from autotuner.errors import AutotunerError
from autotuner.predict import Observation
from autotuner.profiles import ProfileRegistry
from autotuner.search import has
from autotuner.search.predictions import as_point, is_usable
from autotuner.tuning.estimate import PlanEstimate, estimate_plan, tuning_costs
from autotuner.tuning.first_task import draft
from autotuner.tuning.first_task_asked import Asked
from autotuner.tuning.forecast import Expected, Forecast, forecast_of
from autotuner.tuning.predicted_choice import Kind, PointOfKind
from autotuner.tuning.prepare import Prepared

Known = Callable[[Forecast], Sequence[Observation]]
"""Looks up the earlier measurements that count for a forecast."""


MEASURED: PredictionMode = "SILICON"
"""Mode of aiconfigurator that has measured kernels alone."""


@dataclass(frozen=True)
class PredictedTask:
    """A drafted task of one engine, and what is predicted of it.

    Attributes:
        prepared: at the load levels that are predicted.
        measured: at the load levels that the task measures when it is launched.
        minutes, usd: of launching it, as in `PlanEstimate`.
    """

    asked: Asked
    prepared: Prepared
    found: PlanEstimate
    measured: Prepared
    minutes: float | None
    usd: float | None

    @property
    def engine(self) -> str:
        """Name of its engine."""
        return self.asked.engine

    @property
    def unmeasured(self) -> tuple[LoadLevel, ...]:
        """The load that was asked about, where the task does not measure it when it is launched."""
        predicted = self.prepared.task.benchmark.levels
        measured = self.measured.task.benchmark.levels
        return predicted if len(predicted) == 1 and predicted[0] not in measured else ()

    def points(self) -> list[PointOfKind]:
        """The usable points that have all that the task compares."""
        price = self.prepared.usd_per_gpu_hour
        needs = self.prepared.task.compared
        settings = {c.id: c.settings() for c in self.prepared.space.candidates}
        moe = bool(self.prepared.model.facts.is_moe)
        kinds = {key: Kind.of(self.engine, found, moe=moe) for key, found in settings.items()}
        return [
            PointOfKind(kinds[p.candidate_id], settings[p.candidate_id], p, point)
            for p in self.found.points
            if is_usable(p, price) and has(point := as_point(p, price), needs)
        ]


@dataclass(frozen=True)
class PredictedTasks:
    """The drafted tasks of several engines.

    Attributes:
        refused: engine -> why it cannot serve the model there.
        warnings: what went wrong in predictors.
    """

    tasks: tuple[PredictedTask, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def of(self, engine: str) -> PredictedTask:
        """The task of an engine."""
        return next(task for task in self.tasks if task.engine == engine)

    def points(self) -> list[PointOfKind]:
        """The points of all engines."""
        return [point for task in self.tasks for point in task.points()]


@dataclass(frozen=True)
class PredictionWishes:
    """How drafted tasks are predicted.

    Attributes:
        mode: the data that aiconfigurator answers from; where it is left out, several engines are
            answered from measured kernels or by the roofline alone: bounds of what a device can do,
            which it falls back to, would favour the engine of which less is measured.
        load: the only load level; a ladder of closed loops where left out.
        usd_per_gpu_hour: in place of the catalog's price.
    """

    predictor: PredictorName = "auto"
    mode: PredictionMode | None = None
    load: LoadLevel | None = None
    usd_per_gpu_hour: float | None = None


def predicted_tasks(
    asked: Sequence[Asked],
    wishes: PredictionWishes,
    *,
    base: Path,
    home: Path,
    registry: ProfileRegistry,
    known: Known,
    tell: Callable[[int, int], None] = lambda asked, wanted: None,
) -> PredictedTasks:
    """Drafts and predicts the task of each engine.

    Args:
        asked: the same for several engines.
        base: folder from which relative paths count.
        tell: called with how many candidates of an engine were asked for, of how many.

    Raises:
        AutotunerError: the model, the GPU or a limit is unknown, or nothing is known of the model
            but its name and nothing predicts it.
    """
    mode = wishes.mode or (MEASURED if len(asked) > 1 else "auto")
    tasks: list[PredictedTask] = []
    refused: dict[str, str] = {}
    warnings: list[str] = []
    for one in asked:
        drafted = draft(one, base=base, registry=registry)
        if drafted.prepared is None:
            refused[one.engine] = drafted.problem
            continue
        measured = _with_wishes(drafted.prepared, wishes, mode)
        prepared = _at_asked_levels(measured, wishes)
        forecast = forecast_of(prepared, home)
        found = estimate_plan(prepared, forecast, known(forecast), tell=tell)
        warnings += forecast.warnings
        expected, own = found.expected, frozenset(measured.task.benchmark.levels)
        if not own <= frozenset(prepared.task.benchmark.levels):
            forecast = forecast_of(measured, home)
            expected = estimate_plan(measured, forecast, known(forecast), tell=tell).expected
        launched = [_at_levels(one_found, own) for one_found in expected.values()]
        minutes, usd = tuning_costs(measured, launched)
        tasks.append(PredictedTask(one, prepared, found, measured, minutes, usd))
    made = PredictedTasks(tuple(tasks), refused, tuple(dict.fromkeys(warnings)))
    blank = [task for task in tasks if task.prepared.model.facts.is_blank]
    if blank and len(blank) == len(tasks) and not made.points():
        refuse_unknown(blank[0].asked.model)
    return made


def _with_wishes(prepared: Prepared, wishes: PredictionWishes, mode: PredictionMode) -> Prepared:
    task = prepared.task
    prediction = task.prediction.model_copy(update={"predictor": wishes.predictor, "mode": mode})
    made = replace(prepared, task=task.model_copy(update={"prediction": prediction}))
    price = wishes.usd_per_gpu_hour
    if price is None:
        return made
    return replace(made, price_usd_hour=price * max(prepared.variants[0].context.gpus, 1))


def _at_asked_levels(prepared: Prepared, wishes: PredictionWishes) -> Prepared:
    task = prepared.task
    levels = (wishes.load,) if wishes.load is not None else ladder(task.benchmark.levels)
    return replace(prepared, task=task.at_levels(levels))


def _at_levels(expected: Expected, levels: frozenset[LoadLevel]) -> Expected:
    base = tuple(point for point in expected.base if point.load in levels)
    calibrated = tuple(point for point in expected.calibrated if point.load in levels)
    return replace(expected, base=base, calibrated=calibrated)


def ladder(levels: Sequence[LoadLevel]) -> tuple[LoadLevel, ...]:
    """Closed loops up to the highest of `levels`, by powers of two.

    Predictions cost no launches: the highest load within a limit is looked for more finely than a
    measurement would.
    """
    top = int(max(level.value for level in levels))
    return closed_loops(*sorted({*(1 << n for n in range(top.bit_length())), top}))


def refused_text(refused: Mapping[str, str]) -> str:
    """Engines that cannot serve the model, each with the reason."""
    return "; ".join(f"{engine}: {why}" for engine, why in refused.items())


def require_some(found: PredictedTasks, engine_named: bool) -> None:
    """Refuses where the only engine that was named cannot serve the model.

    Raises:
        AutotunerError: with the reason.
    """
    if not found.tasks and engine_named and len(found.refused) == 1:
        raise AutotunerError(
            f"--engine: {refused_text(found.refused)}",
            remedy="take another model or engine, other GPUs or more of them",
        )
