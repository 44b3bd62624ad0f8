"""Points as they are measured: what an event says of the frontier, and what the task's list does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up_bench import Bench, level, opened, smooth

from autotuner.measure import Measurement
from autotuner.tuning.events import LevelMeasured, to_event
from autotuner.tuning.operating_points import OperatingPointView
from autotuner.tuning.task_points import TaskPoints, task_points


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


def measured(bench: Bench) -> list[LevelMeasured]:
    return [event for event in bench.events if isinstance(event, LevelMeasured)]


def listed(bench: Bench, task_id: int = 1) -> TaskPoints:
    task = bench.store.tasks.get(task_id)
    assert task is not None
    return task_points(bench.store, task)


def shown(points: TaskPoints, kind: str) -> dict[str, OperatingPointView]:
    return {level.id: points.view(level) for level in points.levels if level.kind == kind}


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


def test_a_task_without_predictions_has_measured_points_alone(bench: Bench) -> None:
    bench.tune()
    points = listed(bench)
    assert {level.kind for level in points.levels} == {"measured"}
    assert points.recommended_id == "2:concurrency:4"
