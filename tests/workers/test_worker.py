"""What a worker does with tasks, as the real process on both databases."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import CANDIDATES, ONE, Shop, complete, shop_at, wait_for

from autotuner.store.transitions import ASKED_OF_WORKERS
from autotuner.tuning.events import KINDS

SLOW_TO_LOAD = "--load-delay-s=600"


@pytest.fixture
def shop(tmp_path: Path, database: str | None) -> Iterator[Shop]:
    with shop_at(tmp_path, database) as made:
        yield made


def test_a_queued_task_is_run_to_its_end_and_reported_in_order(shop: Shop) -> None:
    task = shop.task()
    worker = shop.worker("--once")
    done = shop.wait_until(task, "completed", "failed")
    assert (done.status, done.worker, done.requested_action) == ("completed", None, ""), (
        done.stop_reason
    )
    assert done.engine_version
    assert done.device
    assert done.plan["candidates"] == CANDIDATES
    assert done.wall_s > 0
    assert done.config == task.config, "what the user wrote stays"
    experiments = shop.store.experiments(task.id)
    assert complete(experiments)
    assert any(e.standing.is_on_actual_frontier for e in experiments)
    assert all(e.standing.actual_throughput_tok_s for e in experiments), experiments
    kinds = [event.kind for event in shop.store.events(task.id)]
    assert kinds[:4] == ["created", "claimed", "task_started", "strategy"]
    assert kinds[-2:] == ["experiment_ended", "task_ended"]
    assert {kind for kind in kinds if kind in KINDS} <= set(KINDS)
    one = [k for k in kinds if k in ("experiment_started", "engine_ready", "experiment_ended")]
    assert one == ["experiment_started", "engine_ready", "experiment_ended"] * CANDIDATES
    assert worker.wait(timeout=60) == 0
    assert shop.left() == {}
    assert shop.store.workers.all() == ()
    assert shop.store.workers.engines() == ()


@pytest.mark.parametrize("action", list(ASKED_OF_WORKERS))
@pytest.mark.slow
def test_what_is_asked_of_a_running_task_is_done_while_its_engine_loads(
    action: str, shop: Shop
) -> None:
    task = shop.task(SLOW_TO_LOAD)
    shop.worker()
    shop.wait_for_event(task, "experiment_started")
    shop.store.tasks.act(task.id, action)
    after = shop.wait_until(task, ASKED_OF_WORKERS[action])
    assert (after.worker, after.requested_action) == (None, "")
    assert shop.left() == {}
    assert shop.finished(task) == {}
    assert "by the user" in after.stop_reason


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_asked_to_stop_gives_its_task_back(
    number: signal.Signals, shop: Shop
) -> None:
    task = shop.task()
    worker = shop.worker()
    shop.wait_for_event(task, "experiment_ended")
    worker.send_signal(number)
    assert worker.wait(timeout=60) == 0, shop.logs()
    back = shop.now(task)
    kept = shop.finished(task)
    assert (back.status, back.worker) == ("queued", None)
    assert back.queued_at == task.queued_at, "it keeps its place"
    assert shop.left() == {}
    assert 1 <= len(kept) < CANDIDATES
    shop.worker("--once")
    shop.wait_until(task, "completed")
    assert complete(shop.store.experiments(task.id))
    assert {name: shop.finished(task)[name] for name in kept} == kept


@pytest.mark.slow
def test_a_paused_task_goes_on_where_it_was(shop: Shop) -> None:
    task = shop.task("--load-delay-s=1")
    shop.worker()
    shop.wait_for_event(task, "experiment_ended")
    shop.store.tasks.act(task.id, "pause")
    shop.wait_until(task, "paused")
    kept = shop.finished(task)
    shop.store.tasks.act(task.id, "resume")
    shop.wait_until(task, "completed")
    assert complete(shop.store.experiments(task.id))
    assert {name: shop.finished(task)[name] for name in kept} == kept


@pytest.mark.slow
def test_two_workers_never_work_on_one_task(shop: Shop) -> None:
    tasks = [shop.task(), shop.task()]
    for name in ("one", "two"):
        shop.timed(name)
    for task in tasks:
        shop.wait_until(task, "completed")
        assert complete(shop.store.experiments(task.id))
        kinds = [event.kind for event in shop.store.events(task.id)]
        assert kinds.count("claimed") == 1
        assert kinds.count("experiment_started") == CANDIDATES


@pytest.mark.slow
def test_a_task_that_cannot_be_run_fails_with_the_reason_and_the_worker_goes_on(
    shop: Shop,
) -> None:
    odd = shop.task(model={"path": "/nowhere/model.gguf"})
    good = shop.task(**ONE)
    worker = shop.worker("--once")
    failed = shop.wait_until(odd, "failed")
    assert "model.path" in failed.stop_reason
    shop.wait_until(good, "completed")
    assert worker.wait(timeout=60) == 0


@pytest.mark.slow
def test_a_second_worker_of_the_same_devices_stands_by(shop: Shop) -> None:
    tasks = [shop.task("--load-delay-s=1"), shop.task()]
    first = shop.worker("--name", "first")
    shop.wait_for_event(tasks[0], "experiment_started")
    second = shop.worker("--name", "second")
    wait_for(lambda: "in use by worker 'first'" in shop.logs(), "that the second waits")
    first.kill()
    for task in tasks:
        shop.wait_until(task, "completed")
    assert second.poll() is None
    assert shop.left() == {}


@pytest.mark.slow
def test_a_run_of_the_command_line_is_cancelled_as_any_other(shop: Shop) -> None:
    command, run = shop.tuned_by_hand(SLOW_TO_LOAD)
    shop.store.tasks.act(run.id, "cancel")
    assert command.wait(timeout=60) == 130
    assert shop.now(run).status == "cancelled"
    assert "cancelled by the user" in shop.logs()
    assert shop.left() == {}
