"""Operating points of a stored task: measured, dominated ones included, and predicted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any, Literal, NamedTuple, Self

from autotuner.config import parse_stored_task
from autotuner.search import OperatingPoint, is_usable
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.store.predicted_frontiers import PredictedFrontier
from autotuner.tuning.baseline import PLANNED
from autotuner.tuning.history import FINISHED
from autotuner.tuning.operating_points import (
    Criteria,
    Level,
    MeasuredLevel,
    OperatingPointView,
    PredictedLevel,
    measured_levels,
    point_id,
)
from autotuner.tuning.points import occupied_gpus
from autotuner.tuning.recommendation import recommendation_of
from autotuner.tuning.representative import expectations, frontier, recommended

_COUNTED = ("completed", "running")
"""Experiments whose levels are points: what a failed one measured before it failed is none."""
_MOST_TASKS = 4
"""Tasks of which a reader keeps points: about 2 KB each."""


@dataclass(frozen=True)
class ListedPoint:
    """An operating point of a task: as it is shown, and by what it is compared.

    Attributes:
        order: place of its launch; behind all others where there is none.
        point: None where the level is no operating point.
        json: its `OperatingPointView`, off the frontier.
    """

    id: str
    kind: Literal["measured", "predicted"]
    order: int
    point: OperatingPoint | None
    json: bytes

    @classmethod
    def of(cls, level: Level, criteria: Criteria) -> Self:
        """A level, by the criteria of its task."""
        json = level.view(criteria, on_frontier=False).model_dump_json().encode()
        return cls(level.id, level.kind, level.order, level.point, json)

    def view(self, *, on_frontier: bool) -> OperatingPointView:
        """The point as it is shown."""
        off = OperatingPointView.model_validate_json(self.json)
        return off.model_copy(update={"on_frontier": on_frontier})


@dataclass(frozen=True)
class TaskPoints:
    """The operating points of a task.

    Attributes:
        points: launch by launch, what was measured before what was predicted of it; at the end
            predicted points that have not been launched.
        on_frontier: ids of those that no other of their kind beats: of what is measured until now,
            and of what was predicted of the whole space when the task was planned (in tasks of
            before that was kept, of its launches).
        recommended: the measured point to serve with; None while there is none.
    """

    points: tuple[ListedPoint, ...]
    on_frontier: frozenset[str]
    recommended: ListedPoint | None
    criteria: Criteria

    def view(self, point: ListedPoint) -> OperatingPointView:
        """One of the points as it is shown."""
        return point.view(on_frontier=point.id in self.on_frontier)

    def json(self, point: ListedPoint) -> bytes:
        """The same as JSON."""
        if point.id not in self.on_frontier:
            return point.json
        return self.view(point).model_dump_json().encode()


class PointReader:
    """Reads the operating points of tasks; what is finished of one is read and made once.

    Any number of threads may share it.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[int, _KnownTask] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, store: Store, task: TaskRecord) -> TaskPoints:
        """Every operating point of a task, those of the launch under way included."""
        config = parse_stored_task(task.config, source=f"task {task.id}")
        criteria = Criteria.of(config, task.plan.get("usd_per_gpu_hour"))
        # A task that was restarted begins anew, with numbers that its experiments had before; and
        # a further launch changes an experiment that is finished.
        begun = (task.created_at, task.started_at, store.ended_relaunches(task.id))
        with self._lock:
            known = self._known.pop(task.id, None)
            if known is None or (known.begun, known.criteria) != (begun, criteria):
                known = _KnownTask(begun, criteria)
            self._known[task.id] = known
            while len(self._known) > _MOST_TASKS:
                self._known.popitem(last=False)
        with known.lock:
            return known.read(store, task)


class _KnownTask:
    """Points of a task's finished experiments, which stay what they are."""

    def __init__(self, begun: Hashable, criteria: Criteria) -> None:
        self.begun, self.criteria = begun, criteria
        self.lock = threading.Lock()
        self._newest = 0
        self._unfinished: tuple[int, ...] = ()
        self._indices: dict[str, int] = {}
        self._points: list[ListedPoint] = []
        self._recommended: ListedPoint | None = None
        self._predicted: set[str] = set()
        self._contenders: dict[str, list[ListedPoint]] = {"measured": [], "predicted": []}
        """Of the finished ones those that may be on the frontier or recommended."""

    def read(self, store: Store, task: TaskRecord) -> TaskPoints:
        task_id = task.id
        later = store.later_experiments(task_id, self._newest, self._unfinished)
        finished = [e for e in later if e.status in FINISHED]
        self._keep(finished)
        if finished and task.plan.get(PLANNED) is not None:
            self._recommend(store.experiments(task_id), task.plan)
        unfinished = [e for e in later if e.status not in FINISHED]
        self._newest = max([self._newest, *(e.id for e in later)])
        self._unfinished = tuple(e.id for e in unfinished)
        points = _listed(unfinished, self.criteria)
        measured = self._best("measured", points)
        planned = store.predicted_frontiers.of_task(task_id)
        if planned is None:
            foreseen = {point.id for point in self._best("predicted", points).front}
        else:
            foreseen = {point_id(p.candidate_id, p.load) for p in planned.points}
            points += self._unlaunched(planned, unfinished, points)
        return TaskPoints(
            points=tuple(sorted([*self._points, *points], key=attrgetter("order"))),
            on_frontier=frozenset({point.id for point in measured.front} | foreseen),
            recommended=self._instead_of(measured.recommended, unfinished),
            criteria=self.criteria,
        )

    def _recommend(self, experiments: Sequence[ExperimentRecord], plan: Mapping[str, Any]) -> None:
        """Keeps which of the finished points is recommended beside a baseline."""
        found = recommendation_of(experiments, plan, self.criteria)
        point = None if found is None else found.point
        self._recommended = next((p for p in self._points if p.point == point), None)

    def _instead_of(
        self, best: ListedPoint | None, unfinished: Sequence[ExperimentRecord]
    ) -> ListedPoint | None:
        """The recommended point: a launch under way counts by its figures alone."""
        under_way = {experiment.index for experiment in unfinished}
        if best is None or best.order in under_way:
            return best
        return self._recommended or best

    def _keep(self, finished: Sequence[ExperimentRecord]) -> None:
        points = _listed(finished, self.criteria)
        self._points += points
        self._points.sort(key=attrgetter("order"))
        self._predicted |= {point.id for point in points if point.kind == "predicted"}
        self._indices |= {e.candidate_id: e.index for e in finished}
        for kind, contenders in self._contenders.items():
            contenders += [point for point in points if point.kind == kind]

    def _best(self, kind: str, under_way: Iterable[ListedPoint]) -> _Best:
        """The best points of a kind. What another one beat is never looked at again."""
        known = _Best.of(self._contenders[kind], self.criteria)
        self._contenders[kind] = list(known.contenders)
        new = [point for point in under_way if point.kind == kind]
        return _Best.of([*known.contenders, *new], self.criteria) if new else known

    def _unlaunched(
        self,
        planned: PredictedFrontier,
        unfinished: Iterable[ExperimentRecord],
        points: Iterable[ListedPoint],
    ) -> list[ListedPoint]:
        """Points of the planned frontier, besides those of which a launch has a prediction."""
        known = self._predicted.union(point.id for point in points)
        indices = self._indices | {e.candidate_id: e.index for e in unfinished}
        levels = (
            PredictedLevel(
                indices.get(prediction.candidate_id),
                prediction,
                planned.settings[prediction.candidate_id],
                self.criteria.usd_per_gpu_hour,
            )
            for prediction in planned.points
        )
        return [ListedPoint.of(one, self.criteria) for one in levels if one.id not in known]


class _Best(NamedTuple):
    """The points that no other of their kind beats, and the one to serve with."""

    front: tuple[ListedPoint, ...]
    recommended: ListedPoint | None

    @classmethod
    def of(cls, points: Iterable[ListedPoint], criteria: Criteria) -> Self:
        steady = [(one.order, one.point.load, one) for one in points if one.point is not None]
        compared = {
            one.point: one
            for *_, one in sorted(steady, key=itemgetter(0, 1))
            if one.point is not None and criteria.compares(one.point)
        }
        front = frontier(list(compared), criteria.objectives, criteria.slo)
        chosen = recommended(list(compared), front, criteria.objectives, criteria.slo)
        best = compared[chosen[0]] if chosen else None
        return cls(tuple(compared[point] for point in front), best)

    @property
    def contenders(self) -> tuple[ListedPoint, ...]:
        """Enough to find the best of these points and of any others: whatever has been beaten
        stays so, and so does what another one was recommended before."""
        return self.front if self.recommended is None else (*self.front, self.recommended)


def _listed(experiments: Iterable[ExperimentRecord], criteria: Criteria) -> list[ListedPoint]:
    found: list[ListedPoint] = []
    for experiment in experiments:
        measured = _measured_levels(experiment, criteria)
        found += [ListedPoint.of(level, criteria) for level in measured]
        predicted = _predicted_levels(experiment, criteria)
        found += [ListedPoint.of(level, criteria) for level in predicted]
    return found


def _measured_levels(experiment: ExperimentRecord, criteria: Criteria) -> list[MeasuredLevel]:
    """The levels that an experiment has measured; none where it failed."""
    if experiment.status not in _COUNTED:
        return []
    gpus, price = occupied_gpus(experiment.settings), criteria.usd_per_gpu_hour
    return measured_levels(experiment, experiment.candidate_id, gpus, price)


def _predicted_levels(experiment: ExperimentRecord, criteria: Criteria) -> Iterator[PredictedLevel]:
    """Predictions of an experiment, made just before its launch."""
    price = criteria.usd_per_gpu_hour
    for prediction in sorted(expectations(experiment), key=lambda p: p.load):
        if is_usable(prediction, price):
            yield PredictedLevel(experiment.index, prediction, experiment.settings, price)
