"""Levels of a task, with what is seen of the machine and of the engine while they run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up_bench import Bench, opened

from autotuner.measure.energy import EnergyCounters, NotCounted
from autotuner.measure.energy_counters import Occupied
from autotuner.measure.level_watch import LevelWatcher


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as found:
        yield found


def test_the_energy_of_a_level_is_that_of_what_its_launch_occupies(bench: Bench) -> None:
    asked: list[Occupied] = []

    def counters(occupied: Occupied) -> EnergyCounters:
        asked.append(occupied)
        raise NotCounted("as made up")

    summary, _ = bench.tune(watcher=LevelWatcher(energy=counters))
    assert set(asked) == {Occupied(gpus=0, is_here=False)}
    assert summary.recommended is not None
    assert summary.recommended.joules_per_output_token is None
    assert summary.recommended.energy_note == "not measured: as made up"
    levels = [level for one in summary.experiments for level in one.measurements]
    assert len(asked) == len(levels)
