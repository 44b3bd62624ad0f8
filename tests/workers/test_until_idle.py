"""A worker that ends by itself: once nothing has been waiting for so long, and not before. One
that cannot say whether a task waits, or cannot take it, is not idle."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from shop import ONE, Shop, shop_at, wait_for

from autotuner.cli import exit_codes
from autotuner.cli.commands import worker as command
from autotuner.errors import StoreUnavailableError
from autotuner.launch import EngineHandle
from autotuner.launch.processes import this_machine
from autotuner.profiles import builtin_registry
from autotuner.store import device_locks
from autotuner.store.tasks import Tasks
from autotuner.workers.devices import ON_CPU
from autotuner.workers.heartbeat import WorkerTimes
from autotuner.workers.policy import Policy
from autotuner.workers.run_task import WorkerSetup
from autotuner.workers.worker import Worker, WorkerEnd, this_worker

IDLE_S, TICK_S, BLOCKED_S = 60.0, 10.0, 200.0


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with shop_at(tmp_path, None) as made:
        yield made


class Ticking:
    """A clock that goes on by a tick whenever it is asked, and then does what is due."""

    def __init__(self, due: dict[float, Callable[[], object]]) -> None:
        self.now_s = 0.0
        self.due = due

    def __call__(self) -> float:
        self.now_s += TICK_S
        self.due.pop(self.now_s, lambda: None)()
        return self.now_s


def worker_at(shop: Shop, clock: Ticking, until_idle_s: float | None = IDLE_S) -> Worker:
    me = this_worker("me", "worker", ON_CPU)
    # By default no program of a task's may be started: what is taken ends at once.
    setup = WorkerSetup(shop.home, ON_CPU, Policy(), builtin_registry, locks=shop.folder / "locks")
    times = WorkerTimes(poll_s=0.001, blocked_s=BLOCKED_S)
    return Worker(shop.store, me, setup, times=times, until_idle_s=until_idle_s, clock=clock)


def test_it_ends_once_the_queue_was_empty_for_so_long(shop: Shop) -> None:
    clock = Ticking({})
    assert worker_at(shop, clock).run() is WorkerEnd.IDLE
    assert clock.now_s == TICK_S + IDLE_S


def test_a_task_that_comes_meanwhile_is_taken_and_the_time_begins_anew(shop: Shop) -> None:
    came_s = TICK_S + IDLE_S - TICK_S
    clock = Ticking({came_s: lambda: shop.task(**ONE)})
    assert worker_at(shop, clock).run() is WorkerEnd.IDLE
    (task,) = shop.store.tasks.all()
    assert (task.status, task.worker) == ("failed", None)
    assert clock.now_s > came_s + IDLE_S


def test_one_that_is_stopped_says_so(shop: Shop) -> None:
    clock = Ticking({})
    worker = worker_at(shop, clock)
    clock.due[20.0] = worker.stop
    assert worker.run() is WorkerEnd.STOPPED


def devices_held(shop: Shop, _: pytest.MonkeyPatch) -> Callable[[], object]:
    held = ExitStack()
    held.enter_context(device_locks(ON_CPU.names, "other", folder=shop.folder / "locks"))
    return held.close


def database_away(_: Shop, patch: pytest.MonkeyPatch) -> Callable[[], object]:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailableError("the database is away")

    patch.setattr(Tasks, "next_for", away)
    return patch.undo


def engine_left(shop: Shop, _: pytest.MonkeyPatch) -> Callable[[], object]:
    me = this_worker("dead", "worker", ON_CPU)
    dead = replace(me, pid_started=me.pid_started + 1)
    handle = EngineHandle("elsewhere", "abc", this_machine().host)
    shop.store.workers.add(dead)
    shop.store.workers.engine_started(dead, 1, handle)
    return lambda: shop.store.workers.engine_gone(dead.id, handle)


BLOCKS = [devices_held, database_away, engine_left]


@pytest.mark.parametrize("block", BLOCKS)
def test_one_that_is_blocked_works_on_as_soon_as_it_can(
    block: Callable[[Shop, pytest.MonkeyPatch], Callable[[], object]],
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.task(**ONE)
    clock = Ticking({IDLE_S * 3: block(shop, monkeypatch)})
    assert worker_at(shop, clock, until_idle_s=0.0).run() is WorkerEnd.IDLE
    assert clock.now_s > IDLE_S * 3
    (task,) = shop.store.tasks.all()
    assert (task.status, task.worker) == ("failed", None)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(("until_idle_s", "waited_s"), [(0.0, BLOCKED_S), (300.0, 300.0)])
def test_one_that_is_blocked_for_too_long_ends_and_says_so(
    block: Callable[[Shop, pytest.MonkeyPatch], Callable[[], object]],
    until_idle_s: float,
    waited_s: float,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.task(**ONE)
    free = block(shop, monkeypatch)
    clock = Ticking({})
    assert worker_at(shop, clock, until_idle_s).run() is WorkerEnd.BLOCKED
    free()
    assert clock.now_s == TICK_S + waited_s
    assert [task.status for task in shop.store.tasks.all()] == ["queued"]


@pytest.mark.parametrize("block", BLOCKS)
def test_one_that_is_not_to_end_by_itself_is_blocked_for_as_long_as_it_takes(
    block: Callable[[Shop, pytest.MonkeyPatch], Callable[[], object]],
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.task(**ONE)
    free = block(shop, monkeypatch)
    clock = Ticking({})
    worker = worker_at(shop, clock, until_idle_s=None)
    clock.due[BLOCKED_S * 2] = worker.stop
    assert worker.run() is WorkerEnd.STOPPED
    free()


@pytest.mark.parametrize(
    ("end", "until_idle_s", "code"),
    [
        (WorkerEnd.IDLE, 0.0, 0),
        (WorkerEnd.STOPPED, 0.0, exit_codes.INTERRUPTED),
        (WorkerEnd.BLOCKED, 0.0, exit_codes.NOTHING),
        (WorkerEnd.STOPPED, None, 0),
    ],
)
def test_how_it_ended_is_its_exit_code(
    end: WorkerEnd, until_idle_s: float | None, code: int
) -> None:
    assert command.exit_code(end, until_idle_s) == code


@pytest.mark.parametrize(
    "number", [signal.SIGUSR1, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_job_that_is_stopped_early_ends_with_a_code_of_its_own(
    number: signal.Signals, shop: Shop
) -> None:
    worker = shop.worker("--until-idle", "600")
    wait_for(shop.store.workers.all, "the worker")
    worker.send_signal(number)
    assert worker.wait(timeout=60) == exit_codes.INTERRUPTED, shop.logs()
    assert shop.store.workers.all() == ()
