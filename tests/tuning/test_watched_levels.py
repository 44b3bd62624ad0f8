"""Levels of a task, with what is seen of the machine and of the engine while they run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from made_up_bench import Bench, MadeUpEngine, level, opened

from autotuner.config import LoadLevel
from autotuner.measure import Endpoint, LevelPlan, Measurement
from autotuner.measure.energy import EnergyCounters, NotCounted
from autotuner.measure.energy_counters import Occupied
from autotuner.measure.level_watch import LevelWatcher
from autotuner.tuning.level_meter import LevelMeter
from autotuner.tuning.points import informative_levels
from autotuner.tuning.running_launch import Launch


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


class CompilingLoad:
    """Measures levels while its engine writes these lines to its log, one for each level."""

    def __init__(self, log: Path, *lines: str) -> None:
        self.log, self.lines = log, list(lines)
        self.plans: list[LevelPlan] = []

    async def run(
        self,
        endpoint: Endpoint,
        plan: LevelPlan,
        *,
        engine_alive: Callable[[], bool],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Measurement:
        self.plans.append(plan)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{self.lines.pop(0)}\n")
        return level(2, 100.0 * len(self.plans), 5.0)


SERVING, COMPILING = "200 OK", "JIT compilation of a kernel"


@pytest.mark.parametrize(
    ("lines", "tok_s", "is_marked"),
    [
        ((SERVING,), 100.0, False),
        ((COMPILING, SERVING), 200.0, False),
        ((COMPILING, COMPILING), 200.0, True),
    ],
)
def test_a_level_in_which_something_was_compiled_is_measured_again_once(
    lines: tuple[str, ...], tok_s: float, is_marked: bool, bench: Bench, tmp_path: Path
) -> None:
    prepared, engine = bench.prepared(), MadeUpEngine(2, tmp_path / "engine.log")
    engine.log_path.write_text(f"{COMPILING} at the start\n")
    engine.caches = {"A_DIR": "/kept/a"}
    candidate = prepared.launchable.candidates[0]
    spec = replace(prepared.launchable.specs[candidate.id], compiling=("JIT compilation",))
    launch = Launch(Mock(index=1), candidate, spec, Mock())
    load = CompilingLoad(engine.log_path, *lines)
    meter = LevelMeter(prepared, load, listen=lambda event: None)
    found = asyncio.run(meter.measure(engine, launch, LoadLevel.concurrency(2), 0))
    assert (found.tok_s, found.compiling) == (tok_s, is_marked)
    assert found.caches == {"A_DIR": "/kept/a"}
    assert len({plan.seed for plan in load.plans}) == len(lines), "no prompt is known already"
    assert ("measured again" in found.note) == (len(lines) > 1)
    assert bool(informative_levels([found])) is not is_marked


def test_an_engine_that_died_is_not_measured_again(bench: Bench, tmp_path: Path) -> None:
    prepared, engine = bench.prepared(), MadeUpEngine(2, tmp_path / "engine.log")
    candidate = prepared.launchable.candidates[0]
    spec = replace(prepared.launchable.specs[candidate.id], compiling=("JIT compilation",))
    load = CompilingLoad(engine.log_path, COMPILING)
    engine.dead = True
    meter = LevelMeter(prepared, load, listen=lambda event: None)
    launch = Launch(Mock(index=1), candidate, spec, Mock())
    found = asyncio.run(meter.measure(engine, launch, LoadLevel.concurrency(2), 0))
    assert found.compiling
    assert len(load.plans) == 1
