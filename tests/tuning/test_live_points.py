"""Points as they are measured: what an event says of the frontier, and what the task lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up_bench import Bench, level, opened, smooth
from made_up_predictor import MadeUpPredictor

from autotuner.measure import Measurement
from autotuner.store.schema import PredictedFrontierRow
from autotuner.tuning.events import LevelMeasured, to_event
from autotuner.tuning.operating_points import OperatingPointView
from autotuner.tuning.task_points import PointReader, TaskPoints


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


def measured(bench: Bench) -> list[LevelMeasured]:
    return [event for event in bench.events if isinstance(event, LevelMeasured)]


def listed(bench: Bench, task_id: int = 1) -> TaskPoints:
    task = bench.store.tasks.get(task_id)
    assert task is not None
    return PointReader().read(bench.store, task)


def shown(points: TaskPoints, kind: str) -> dict[str, OperatingPointView]:
    return {one.id: points.view(one) for one in points.points if one.kind == kind}


def test_each_level_says_whether_it_changed_the_frontier(bench: Bench) -> None:
    bench.tune()
    assert [(event.frontier_changed, event.point.on_frontier) for event in measured(bench)] == [
        *((True, True), (False, False)),  # one slot: four users wait, and nothing is gained
        *((False, False), (True, True)),  # two slots: the first as before, four users gain
        *((False, False), (True, True)),
    ]


def test_an_event_has_the_point_that_the_task_lists(bench: Bench) -> None:
    bench.tune()
    points = shown(listed(bench), "measured")
    events = {event.point.id: event.point for event in measured(bench)}
    assert list(events) == list(points)
    for key, point in points.items():
        assert events[key] == point
    kind, payload = to_event(measured(bench)[3])
    assert (kind, payload["candidate_id"]) == ("level_measured", payload["point"]["candidate"])
    assert payload["point"]["figures"]["tok_s"]["value"] == payload["measured"]["tok_s"] == 200.0


def test_a_repeated_level_counts_with_all_its_repeats(bench: Bench) -> None:
    speeds = iter((100.0, 300.0))
    changes = {
        "scheduling": {"max_running_requests": 1},
        "benchmark": {"concurrency": [1], "repeats": 2},
    }
    bench.tune(lambda slots, users: level(users, next(speeds), 5.0), changes=changes)
    first, second = (event.point.figures.tok_s for event in measured(bench))
    assert first and second
    assert (first.value, second.value) == (100.0, 200.0)
    assert measured(bench)[1].frontier_changed


def test_a_launch_that_fails_takes_its_points_from_the_frontier(bench: Bench) -> None:
    def mortal(slots: int, users: int) -> Measurement | None:
        if slots != 2:
            return smooth(slots, users)
        return level(1, 900.0, 1.0) if users == 1 else None

    bench.tune(mortal)
    best = next(event for event in measured(bench) if event.point.figures.tok_s.value == 900.0)  # type: ignore[union-attr]
    assert best.point.on_frontier
    assert measured(bench)[-1].point.on_frontier, "900 tok/s count no more"
    assert best.point.id not in shown(listed(bench), "measured")


def test_the_frontier_of_the_whole_space_is_kept_before_anything_is_launched(bench: Bench) -> None:
    changes = {"optimization": {"strategy": "grid", "budget": {"experiments": 1}}}
    bench.tune(changes=changes, predictor=MadeUpPredictor())
    points = shown(listed(bench), "predicted")
    front = [point for point in points.values() if point.on_frontier]
    speeds = [point.figures.tok_s.value for point in front if point.figures.tok_s]
    assert speeds == [50.0, 100.0, 200.0], "of one, two and four slots"
    assert [point.experiment_index for point in front] == [1, None, None]
    assert [point.settings["scheduling.max_running_requests"] for point in front] == [1, 2, 4]
    assert all(point.figures.tok_s.low for point in front)  # type: ignore[union-attr]


def test_what_earlier_tasks_measured_corrects_the_frontier_of_the_space(bench: Bench) -> None:
    bench.tune(predictor=MadeUpPredictor())
    bench.tune(predictor=MadeUpPredictor(), again=True)
    kept = bench.store.predicted_frontiers.of_task(2)
    assert kept is not None
    assert [round(point.tok_s) for point in kept.points] == [100, 200, 400]


def test_a_task_of_before_has_the_frontier_of_its_launches(bench: Bench) -> None:
    changes = {"optimization": {"strategy": "grid", "budget": {"experiments": 2}}}
    bench.tune(changes=changes, predictor=MadeUpPredictor())
    with bench.store.sessions.writing() as session:
        session.delete(session.get_one(PredictedFrontierRow, 1))
    points = shown(listed(bench), "predicted")
    assert {point.experiment_index for point in points.values()} == {1, 2}
    assert [point.on_frontier for point in points.values()] == [False, False, True, True], (
        "the first launch has corrected what is predicted of the second"
    )


def test_a_task_without_predictions_has_measured_points_alone(bench: Bench) -> None:
    bench.tune()
    points = listed(bench)
    assert {point.kind for point in points.points} == {"measured"}
    assert points.recommended is not None
    assert points.recommended.id == "2:concurrency:4"
