"""Where the time of a configuration goes: of a task's point, measured or predicted.

The roofline tells the parts of TTFT and TPOT, launches how far each part is off, and what is
expected of a changed setting follows from both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autotuner.config import Candidate, LoadLevel
from autotuner.errors import NoResultError
from autotuner.predict import Observation, Prediction, RooflinePredictor, Scenario
from autotuner.predict.roofline.predictor import refusal
from autotuner.search import OperatingPoint, as_point, is_usable
from autotuner.space import Region
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.tuning.estimate import MOST_CANDIDATES, estimate_plan
from autotuner.tuning.expected_changes import PlacedPoint
from autotuner.tuning.forecast import Forecast, forecast_of
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.part_learning import SeenLaunch, launches_before
from autotuner.tuning.performance_views import PerformanceView
from autotuner.tuning.point_explanation import Experience, explained
from autotuner.tuning.points import informative_levels, operating_points
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.recommendation import recommendation_of
from autotuner.tuning.representative import frontier, recommended
from autotuner.tuning.scenarios import scenarios


@dataclass(frozen=True)
class PointChoice:
    """The point that is asked about; the recommended one where nothing is given.

    Attributes:
        candidate: its whole id. point: number of a row of the frontier, from 1.
        load: load level.
    """

    candidate: str | None = None
    point: int | None = None
    load: LoadLevel | None = None


class PerformanceOf:
    """Explains the points of a task; what launches teach is gathered once.

    Args:
        task: where it is stored; None of a task file that has no task.
        experiments: of the task. earlier: what other tasks measured on engines.
        forecast: predictions of what was not launched.
    """

    def __init__(
        self,
        prepared: Prepared,
        scenarios_: Sequence[tuple[Scenario, Sequence[Candidate]]],
        *,
        task: TaskRecord | None = None,
        experiments: Sequence[ExperimentRecord] = (),
        earlier: Sequence[Observation] = (),
        forecast: Forecast | None = None,
    ) -> None:
        self._prepared, self._task, self._forecast = prepared, task, forecast
        self._experiments, self._earlier = experiments, earlier
        regions = prepared.launchable.by_region()
        self._places: dict[str, tuple[Scenario, Region, Candidate]] = {
            candidate.id: (scenario, region, candidate)
            for (scenario, candidates), (region, _) in zip(scenarios_, regions, strict=True)
            for candidate in candidates
        }

    def explained(self, choice: PointChoice = PointChoice()) -> PerformanceView:
        """The chosen point.

        Raises:
            NoResultError: there is no such point, or nothing is known of it.
        """
        point, chosen, is_measured = self._chosen(choice)
        scenario, region, candidate = self._places[point.candidate_id]
        support = RooflinePredictor().supports(scenario)
        why = None if support else support.why
        if (why := why or refusal(candidate)) is not None:
            raise NoResultError(
                f"where the time of candidate {candidate.id} goes is unknown: {why}",
                remedy="it follows from sizes of the model and speeds of the device",
            )
        experience = Experience(
            self._seen,
            {(one.candidate_id, one.load): one.tok_s for one in self._measured},
            {candidate.id for candidate in self._prepared.launchable.candidates},
        )
        return explained(
            PlacedPoint(scenario, region, candidate, point, is_measured),
            experience,
            {
                "task": None if self._task is None else self._task.id,
                "name": self._prepared.task.name,
                "chosen": chosen,
                "notes": self._notes(is_measured),
            },
        )

    def of_recommended(self) -> PerformanceView | None:
        """The recommended point, where one was measured and its parts are known."""
        if not self._measured:
            return None
        try:
            return self.explained()
        except NoResultError:
            return None

    @cached_property
    def _completed(self) -> list[ExperimentRecord]:
        return [
            one
            for one in self._experiments
            if one.status == "completed" and one.candidate_id in self._places
        ]

    @cached_property
    def _measured(self) -> list[OperatingPoint]:
        """Every operating point that was measured."""
        price, needs = self._prepared.usd_per_gpu_hour, self._prepared.task.compared
        return [
            point
            for one in self._completed
            for point in operating_points(
                one.candidate_id,
                one.measurements,
                gpus=self._places[one.candidate_id][2].gpus,
                usd_per_gpu_hour=price,
                needs=needs,
            )
        ]

    @cached_property
    def _seen(self) -> list[SeenLaunch]:
        """Launches that are learnt from: this task's first."""
        when_busy = self._prepared.task.benchmark.learn_when_busy
        own = []
        for one in self._completed:
            scenario, _, candidate = self._places[one.candidate_id]
            levels = informative_levels(one.measurements, when_busy=when_busy)
            points = operating_points(candidate.id, levels, gpus=candidate.gpus)
            if points:
                own.append(SeenLaunch(f"own {one.id}", scenario, candidate, points))
        known = list({id(place[0]): place[0] for place in self._places.values()}.values())
        return [*own, *launches_before(self._earlier, known)]

    def _notes(self, is_measured: bool) -> list[str]:
        failed = [one for one in self._experiments if one.status == "failed"]
        notes = []
        if not is_measured and failed and not self._completed:
            kinds = ", ".join(dict.fromkeys(str(one.failure_kind) for one in failed))
            notes.append(f"all {len(failed)} launches failed ({kinds}): the figures are predicted")
        own = sum(not launch.earlier for launch in self._seen)
        if self._completed and own < len(self._completed):
            notes.append(
                f"{len(self._completed) - own} of {len(self._completed)} launches taught nothing: "
                "others loaded the machine meanwhile, or too few requests were answered"
            )
        return notes

    def _chosen(self, choice: PointChoice) -> tuple[OperatingPoint, str, bool]:
        """The point, why it is this one, and whether it was measured."""
        if choice == PointChoice() and self._task is not None:
            criteria = Criteria.of(self._prepared.task, self._prepared.usd_per_gpu_hour)
            found = recommendation_of(self._completed, self._task.plan, criteria)
            if found is not None:
                return found.point, found.reason, True
        measured = self._asked(self._measured, choice)
        if measured:
            return (*self._best(measured, choice), True)
        if choice.point is not None and self._measured:
            raise self._out_of_range(choice.point, self._measured, "measured")
        known = self._predicted(choice)
        predicted = self._asked(known, choice)
        if not predicted:
            if choice.point is not None and known:
                raise self._out_of_range(choice.point, known, "predicted")
            raise self._nothing(choice)
        return (*self._best(predicted, choice), False)

    def _out_of_range(
        self, asked: int, points: Sequence[OperatingPoint], how: str
    ) -> NoResultError:
        """The number is of no row of the frontier; names those that there are."""
        count = len(self._front(points))
        return NoResultError(
            f"--point: {asked} is out of range",
            remedy=f"the {how} frontier has 1 to {count}",
        )

    def _asked(self, points: Sequence[OperatingPoint], choice: PointChoice) -> list[OperatingPoint]:
        if choice.point is not None:
            front = self._front(points)
            points = front[choice.point - 1 : choice.point] if choice.point > 0 else []
        return [
            point
            for point in points
            if choice.candidate in (None, point.candidate_id) and choice.load in (None, point.load)
        ]

    def _front(self, points: Sequence[OperatingPoint]) -> list[OperatingPoint]:
        task = self._prepared.task
        return frontier(points, task.objectives, task.slo_limits())

    def _best(
        self, points: Sequence[OperatingPoint], choice: PointChoice
    ) -> tuple[OperatingPoint, str]:
        task = self._prepared.task
        found = recommended(points, self._front(points), task.objectives, task.slo_limits())
        if found is None:
            return points[0], "the first of those asked for"
        point, reason, _ = found
        if choice.point is not None:
            return point, f"point {choice.point} of the frontier"
        if len(points) == 1:
            return point, "as asked for"
        whose = "of this candidate, " if choice.candidate is not None else ""
        return point, f"{whose}{reason}"

    def _predicted(self, choice: PointChoice) -> list[OperatingPoint]:
        """Predicted points of the candidate, or of the task."""
        if self._forecast is None:
            return []
        price = self._prepared.usd_per_gpu_hour
        known = self._earlier
        points: Iterable[Prediction]
        if choice.candidate is not None:
            points = self._forecast.expected([choice.candidate], known)[choice.candidate].points
        else:
            points = estimate_plan(
                self._prepared, self._forecast, known, most=MOST_CANDIDATES
            ).points
        return [as_point(point, price) for point in points if is_usable(point, price)]

    def _nothing(self, choice: PointChoice) -> NoResultError:
        """Why there is no such point."""
        if choice.candidate is not None and choice.candidate not in self._places:
            return NoResultError(
                f"candidate: {choice.candidate!r} is none of the task's",
                remedy="`autotuner predict TASK` and `autotuner show NUMBER` list them",
            )
        levels = sorted({point.load for point in self._measured}) or sorted(
            self._prepared.task.benchmark.levels
        )
        if choice.load is not None and choice.load not in levels:
            return NoResultError(
                f"load: {choice.load.named} is no load level of the task",
                remedy=f"its levels: {', '.join(map(str, levels))}",
            )
        why = self._silence(choice)
        return NoResultError(
            f"there is no operating point to explain: nothing was measured, and {why}",
            remedy="`autotuner predict TASK` says what cannot be predicted, and why",
        )

    def _silence(self, choice: PointChoice) -> str:
        if self._forecast is None:
            return "nothing is predicted"
        ids = [choice.candidate] if choice.candidate else list(self._places)[:MOST_CANDIDATES]
        expected = self._forecast.expected(ids).values()
        reasons = dict.fromkeys(one.absent for one in expected if one.absent)
        return "; ".join(list(reasons)[:2]) or "nothing is predicted"


def performance_of(
    prepared: Prepared,
    home: Path,
    store: Store | None,
    task: TaskRecord | None = None,
    *,
    measure: bool = True,
) -> PerformanceOf:
    """Explains a task from its stored launches and those of earlier tasks.

    Args:
        store: None where nothing is stored.
        measure: whether a CPU whose speed is not known yet is measured now, which takes seconds.
    """
    forecast = forecast_of(prepared, home, measure=measure)
    besides = None if task is None else task.id
    earlier: Sequence[Observation] = ()
    if store is not None:
        earlier = forecast.remembered(store, besides_task=besides)
    return PerformanceOf(
        prepared,
        scenarios(prepared, home, measure=measure),
        task=task,
        experiments=() if store is None or task is None else store.experiments(task.id),
        earlier=earlier,
        forecast=forecast,
    )
