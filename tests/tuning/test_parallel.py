"""Several launches at once: engines on GPUs of their own, choices that know what is in flight."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import MadeUpClock, level

from autotuner.config import parse_task
from autotuner.engines import FailureKind, LaunchSpec
from autotuner.errors import ConfigError
from autotuner.launch import EngineHandle, Failure, StopsWhenLeft
from autotuner.launch.replay import SimulatedTimeLoop
from autotuner.measure import Endpoint, LevelPlan, Measurement
from autotuner.search import Proposal, SearchState, Stop, strategy_named
from autotuner.store import ExperimentRecord, Store
from autotuner.tuning.forecast import Forecast
from autotuner.tuning.loop import Tuner
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.search_state import SearchContext

TASK: dict[str, Any] = {
    "version": 2,
    "name": "on four GPUs",
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
    "runtime": {"isl": 512, "osl": 128},
    "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 4},
    "parallel": {"tensor_parallel": [1, 2, 4]},
    "scheduling": {"max_running_requests": [8, 16, 32]},
    "benchmark": {"concurrency": [1, 8]},
}
LAUNCHES = 9


class Machine:
    """Engines that share four GPUs, and the load on them: which were up at once, and on what."""

    def __init__(self) -> None:
        self.up: dict[str, tuple[str, ...]] = {}
        self.most = 0
        self.launched: list[tuple[str, ...]] = []
        self.fail: Callable[[int], None] = lambda number: None
        self._numbers = itertools.count(1)
        self.clock = MadeUpClock()

    async def launch(
        self,
        spec: LaunchSpec,
        devices: Sequence[str],
        *,
        log_path: Path,
        ready_timeout_s: float,
    ) -> Engine:
        number = next(self._numbers)
        gpus = tuple(devices)
        url = f"http://made-up:{number}"
        self.up[url] = gpus
        self.launched.append(gpus)
        held = [name for names in self.up.values() for name in names]
        assert len(held) == len(set(held)), "a GPU has two engines"
        self.most = max(self.most, len(self.up))
        return Engine(self, url, log_path)

    async def run(
        self,
        endpoint: Endpoint,
        plan: LevelPlan,
        *,
        engine_alive: Callable[[], bool],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Measurement:
        number = int(endpoint.base_url.rpartition(":")[2])
        # Those launched first are not the first to end.
        await asyncio.sleep(1 + number * 7 % 5)
        self.clock.now_s += 1.0
        self.fail(number)
        return level(int(plan.load.value), 100.0 * number, 5.0)


class Engine(StopsWhenLeft):
    startup_s = 0.25

    def __init__(self, machine: Machine, url: str, log_path: Path) -> None:
        self.base_url, self.log_path, self._machine = url, log_path, machine
        self.handle = EngineHandle("made-up", url, "nowhere")

    def exit_code(self) -> int | None:
        return None

    def diagnose(self) -> Failure:
        return Failure(FailureKind.LOAD_ERRORS, "as made up", "")

    async def stop(self) -> None:
        self._machine.up.pop(self.base_url, None)
        await asyncio.sleep(0)


class Watching:
    """A grid that keeps what it was told."""

    name = "grid"
    uses_knowledge = False

    def __init__(self) -> None:
        self.states: list[SearchState] = []

    def propose(self, state: SearchState) -> Proposal | Stop:
        self.states.append(state)
        return strategy_named("grid").propose(state)


class Hall:
    """A store and a machine; tunes the task with so many launches at once."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store
        self.machine, self.strategy = Machine(), Watching()

    def prepared(self, at_once: object, **optimization: Any) -> Prepared:
        message = {"strategy": "grid", "baseline": "none", "confirm": 0}
        message |= {"parallel_launches": at_once} | optimization
        return prepare(parse_task(TASK | {"optimization": message}), base=self.folder)

    def tune(
        self, at_once: object, devices: str | None = "0123", **optimization: Any
    ) -> tuple[ExperimentRecord, ...]:
        tuner = Tuner(
            self.prepared(at_once, **optimization),
            store=self.store,
            launcher=self.machine,
            generator=self.machine,
            strategy=self.strategy,
            forecast=Forecast((), (1, 8), silent="nobody is asked"),
            logs=self.folder / "logs",
            devices=devices,
            clock=self.machine.clock,
        )
        run = tuner.open_task()
        try:
            with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
                runner.run(tuner.run(run))
        finally:
            assert self.machine.up == {}, "an engine is left"
        return self.store.experiments(run.id)


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # it is not asked here
    with Store.open(tmp_path / "home") as store:
        yield Hall(tmp_path, store)


@pytest.mark.parametrize(("at_once", "most"), [(1, 1), (2, 2), (3, 3), (4, 3), ("auto", 3)])
def test_as_many_run_at_once_as_are_asked_for_and_fit(
    at_once: object, most: int, hall: Hall
) -> None:
    """In the order of the grid: three of one GPU, three of two, three of four."""
    experiments = hall.tune(at_once)
    assert [e.status for e in experiments] == ["completed"] * LAUNCHES
    assert [e.index for e in experiments] == list(range(1, LAUNCHES + 1))
    assert all(len(e.measurements) == 2 for e in experiments)
    assert hall.machine.most == most


def test_the_wall_time_that_a_launch_costs_is_shared(hall: Hall) -> None:
    assert [hall.prepared(1).share(gpus) for gpus in (1, 2, 4)] == [1, 1, 1]
    assert [hall.prepared(2).share(gpus) for gpus in (1, 2, 4)] == [1 / 2, 1 / 2, 1]
    assert [hall.prepared("auto").share(gpus) for gpus in (1, 2, 4)] == [1 / 4, 1 / 2, 1]


def test_one_at_a_time_gets_as_many_gpus_as_it_needs(hall: Hall) -> None:
    hall.tune(1, devices="4567")
    assert sorted(set(hall.machine.launched)) == [("4",), ("4", "5"), ("4", "5", "6", "7")]


def test_engines_share_out_the_gpus_that_are_given_and_use_no_other(hall: Hall) -> None:
    hall.tune("auto", devices="4567")
    assert hall.machine.launched[:3] == [("4",), ("5",), ("6",)]
    assert hall.machine.launched[-1] == ("4", "5", "6", "7")
    assert {name for gpus in hall.machine.launched for name in gpus} == set("4567")


def test_an_engine_larger_than_what_is_given_is_tried_alone_on_all_of_it(hall: Hall) -> None:
    hall.tune("auto", devices="23")
    assert hall.machine.launched[-1] == ("2", "3")
    assert hall.machine.most == 2


def test_engines_get_no_gpu_where_no_devices_are_given(hall: Hall) -> None:
    hall.tune(1, devices=None)
    assert set(hall.machine.launched) == {()}


def test_a_choice_knows_what_is_in_flight(hall: Hall) -> None:
    hall.tune(3)
    flying = [state for state in hall.strategy.states if state.in_flight]
    assert flying
    for state in flying:
        finished = {outcome.candidate_id for outcome in state.history}
        assert not finished & set(state.in_flight)
    assert max(len(state.in_flight) for state in flying) == 2


def test_what_has_an_outcome_is_not_in_flight_while_its_engine_ends(hall: Hall) -> None:
    finished = hall.tune(1, budget={"experiments": 1})
    ending, other = finished[0].candidate_id, "of another"
    state = SearchContext(hall.prepared(2)).state(finished, {ending: 0.0, other: 1.0}, now_s=2.0)
    assert state.in_flight == (other,)


def test_a_budget_counts_what_is_in_flight(hall: Hall) -> None:
    assert len(hall.tune(3, budget={"experiments": 4})) == 4


def test_time_in_which_several_run_counts_once(hall: Hall) -> None:
    experiments = hall.tune(2)
    lasting = sum((e.startup_s or 0) + (e.measure_s or 0) for e in experiments)
    spent_s = hall.strategy.states[-1].spent_minutes * 60
    assert spent_s < lasting
    assert spent_s == pytest.approx(hall.machine.clock.now_s)


def test_cancelling_stops_all_engines_and_the_run_goes_on(hall: Hall) -> None:
    def cancelled(number: int) -> None:
        if number == 3:
            raise asyncio.CancelledError

    hall.machine.fail = cancelled
    with pytest.raises(asyncio.CancelledError):
        hall.tune(3)
    left = [e.status for e in hall.store.experiments(1)]
    assert "running" not in left
    assert "interrupted" in left
    hall.machine.fail = lambda number: None
    experiments = hall.tune(3)
    assert [e.status for e in experiments] == ["completed"] * LAUNCHES
    assert [e.index for e in experiments] == list(range(1, LAUNCHES + 1))


def test_an_unexpected_error_in_one_ends_the_others_and_is_raised(hall: Hall) -> None:
    def broken(number: int) -> None:
        if number == 2:
            raise ZeroDivisionError

    hall.machine.fail = broken
    with pytest.raises(ZeroDivisionError):
        hall.tune(3)
    assert hall.store.tasks.all()[0].status == "failed"


def test_on_one_cpu_engines_do_not_share(tmp_path: Path) -> None:
    cpu = {"system": {"gpu_type": "cpu", "backend": "vllm"}, "parallel": {}}
    for message in (2, 8):
        task = parse_task(TASK | cpu | {"optimization": {"parallel_launches": message}})
        with pytest.raises(ConfigError, match=f"parallel_launches: {message} engines on one CPU"):
            prepare(task, base=tmp_path)
    automatic = parse_task(TASK | cpu | {"optimization": {"parallel_launches": "auto"}})
    assert prepare(automatic, base=tmp_path).side_by_side == 1
