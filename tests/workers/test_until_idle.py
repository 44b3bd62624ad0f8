"""A worker that ends by itself: once nothing has been waiting for so long, and not before."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shop import ONE, Shop, shop_at, wait_for

from autotuner.cli import exit_codes
from autotuner.profiles import builtin_registry
from autotuner.workers.devices import ON_CPU
from autotuner.workers.heartbeat import WorkerTimes
from autotuner.workers.policy import Policy
from autotuner.workers.run_task import WorkerSetup
from autotuner.workers.worker import Worker, this_worker

IDLE_S, TICK_S = 60.0, 10.0


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


def worker_at(shop: Shop, clock: Ticking) -> Worker:
    me = this_worker("me", "worker", ON_CPU)
    # By default no program of a task's may be started: what is taken ends at once.
    setup = WorkerSetup(shop.home, ON_CPU, Policy(), builtin_registry, locks=shop.folder / "locks")
    times = WorkerTimes(poll_s=0.001)
    return Worker(shop.store, me, setup, times=times, until_idle_s=IDLE_S, clock=clock)


def test_it_ends_once_the_queue_was_empty_for_so_long(shop: Shop) -> None:
    clock = Ticking({})
    assert worker_at(shop, clock).run()
    assert clock.now_s == TICK_S + IDLE_S


def test_a_task_that_comes_meanwhile_is_taken_and_the_time_begins_anew(shop: Shop) -> None:
    came_s = TICK_S + IDLE_S - TICK_S
    clock = Ticking({came_s: lambda: shop.task(**ONE)})
    assert worker_at(shop, clock).run()
    (task,) = shop.store.tasks.all()
    assert (task.status, task.worker) == ("failed", None)
    assert clock.now_s > came_s + IDLE_S


def test_one_that_is_stopped_says_so(shop: Shop) -> None:
    clock = Ticking({})
    worker = worker_at(shop, clock)
    clock.due[20.0] = worker.stop
    assert not worker.run()


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
