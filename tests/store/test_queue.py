"""Tasks on their way to workers, on both databases: states, leases, fencing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autotuner.errors import (
    LeaseLostError,
    StaleRevisionError,
    StoreError,
    StoreUnavailableError,
    WrongTransitionError,
)
from autotuner.store import Lease, Store, TaskRecord, Tasks
from autotuner.store.transitions import ASKED_OF_WORKERS, STATUSES, TRANSITIONS, allowed_actions

TASK: dict[str, Any] = {
    "name": "first",
    "description": "",
    "content_id": "c0ffee",
    "config": {"version": 2},
    "model": "smollm2-135m",
    "engine": "llamacpp",
    "requested_gpu": "cpu",
    "requested_gpus": 0,
    "origin": "api",
}
LAUNCH: dict[str, Any] = {
    "settings": {"misc.threads": 2},
    "command": "llama-server",
    "selection_reason": "first",
    "phase": "grid",
    "log_path": "logs/1.log",
}


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


@pytest.fixture
def queue(store: Store) -> Tasks:
    return store.tasks


def queued(queue: Tasks, **given: Any) -> TaskRecord:
    return queue.create(**{**TASK, **given}, status="queued")


def claimed(queue: Tasks, worker: str = "one") -> Lease:
    lease = queue.claim(worker, gpu="cpu", gpus=1)
    assert lease is not None
    return lease


def brought_to(queue: Tasks, status: str) -> TaskRecord:
    """A task in that state."""
    task = queue.create(**TASK, status="pending")
    if status == "pending":
        return task
    queue.act(task.id, "start")
    if status != "queued":
        lease = claimed(queue)
        if status != "running":
            queue.release(lease, status=status, reason="for a test")
    found = queue.get(task.id)
    assert found is not None
    assert found.status == status
    return found


def test_a_task_comes_back_as_it_was_created(queue: Tasks) -> None:
    task = queue.create(**TASK, base="/models", v1_task_id=7)
    assert queue.get(task.id) == task
    assert {name: getattr(task, name) for name in TASK} == TASK
    assert (task.status, task.base, task.v1_task_id, task.revision) == ("pending", "/models", 7, 1)
    assert queue.get(task.id + 1) is None


@pytest.mark.parametrize("action", list(TRANSITIONS))
@pytest.mark.parametrize("status", STATUSES)
def test_every_action_in_every_state_does_what_the_table_says_or_is_refused(
    status: str, action: str, queue: Tasks
) -> None:
    task = brought_to(queue, status)
    if action not in allowed_actions(status):
        with pytest.raises(WrongTransitionError, match=f"is {status}") as refused:
            queue.act(task.id, action)
        assert refused.value.allowed == allowed_actions(status)
        assert queue.get(task.id) == task
        return
    after = queue.act(task.id, action)
    assert after.revision == task.revision + 1
    if status == "running":
        assert (after.status, after.requested_action) == ("running", action)
        assert action in ASKED_OF_WORKERS
    else:
        assert (after.status, after.worker) == (TRANSITIONS[action][status], None)


def test_the_oldest_task_that_a_worker_can_run_is_claimed(queue: Tasks) -> None:
    large = queued(queue, requested_gpu="h100", requested_gpus=8)
    small = queued(queue, requested_gpu="h100", requested_gpus=2)
    any_ = queued(queue, requested_gpu="")
    cpu = queued(queue)

    def next_for(gpu: str, gpus: int) -> int | None:
        lease = queue.claim("w", gpu=gpu, gpus=gpus)
        return lease and lease.task.id

    assert next_for("h100", 4) == small.id
    assert next_for("cpu", 1) == any_.id
    assert next_for("cpu", 1) == cpu.id
    assert next_for("cpu", 1) is None
    assert next_for("h100", 8) == large.id


def test_of_many_workers_one_gets_each_task(queue: Tasks) -> None:
    requested_action = {queued(queue, name=str(number)).id for number in range(8)}
    got: list[int] = []
    starting = threading.Barrier(6)

    def work(name: str) -> None:
        starting.wait()
        while (lease := queue.claim(name, gpu="cpu", gpus=1)) is not None:
            got.append(lease.task.id)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted(requested_action)


def test_a_heartbeat_shows_the_requested_action(queue: Tasks) -> None:
    task = queued(queue)
    lease = claimed(queue)
    assert queue.heartbeat(lease) == ""
    queue.act(task.id, "pause")
    assert queue.heartbeat(lease) == "pause"
    queue.act(task.id, "cancel")
    assert queue.heartbeat(lease) == "cancel"
    (running,) = queue.running()
    assert running.heartbeat == 3
    queue.release(lease, status="cancelled", reason="asked for")
    found = queue.get(task.id)
    assert found is not None
    assert (found.status, found.requested_action, found.worker) == ("cancelled", "", None)


def test_a_task_whose_worker_moved_on_is_not_taken_over(queue: Tasks) -> None:
    queued(queue)
    lease = claimed(queue)
    (seen,) = queue.running()
    queue.heartbeat(lease)
    assert queue.take_over(seen, "two") is None
    (seen,) = queue.running()
    taken = queue.take_over(seen, "two")
    assert taken is not None
    assert taken.number == lease.number + 1
    assert queue.take_over(seen, "three") is None
    with pytest.raises(LeaseLostError):
        queue.heartbeat(lease)
    assert queue.heartbeat(taken) == ""


def test_whoever_lost_a_task_writes_nothing_more_of_it(store: Store, queue: Tasks) -> None:
    queued(queue)
    lease = claimed(queue)
    mine = store.fenced(lease.task.id, lease.number)
    begun = mine.begin_experiment(lease.task.id, candidate_id="a", **LAUNCH)
    (seen,) = queue.running()
    assert queue.take_over(seen, "two")
    writes = [
        lambda: mine.add_event(lease.task.id, "shown", {}),
        lambda: mine.begin_experiment(lease.task.id, candidate_id="b", **LAUNCH),
        lambda: mine.finish_experiment(
            begun.id, status="completed", failure=None, startup_s=1.0, measure_s=1.0
        ),
        lambda: mine.tasks.set_status(
            lease.task.id, status="completed", stop_reason="", add_wall_s=1.0
        ),
        lambda: mine.interrupt_running(lease.task.id),
    ]
    for write in writes:
        with pytest.raises(LeaseLostError, match="no longer this worker's"):
            write()
    queue.release(lease, status="completed", reason="")
    (kept,) = mine.experiments(lease.task.id)
    assert kept.status == "running"
    assert [task.worker for task in queue.running()] == ["two"]


def test_a_run_that_ends_belongs_to_nobody(store: Store, queue: Tasks) -> None:
    task = queued(queue)
    lease = claimed(queue)
    store.fenced(task.id, lease.number).tasks.set_status(
        task.id, status="completed", stop_reason="all launched", add_wall_s=2.5
    )
    found = queue.get(task.id)
    assert found is not None
    assert (found.status, found.worker, found.wall_s) == ("completed", None, 2.5)


def test_restart_forgets_what_was_measured_and_resume_keeps_it(store: Store, queue: Tasks) -> None:
    task = queued(queue)
    lease = claimed(queue)
    begun = store.begin_experiment(task.id, candidate_id="a", **LAUNCH)
    store.finish_experiment(
        begun.id, status="completed", failure=None, startup_s=1.0, measure_s=1.0
    )
    queue.release(lease, status="failed", reason="the disk was full")
    queue.act(task.id, "resume")
    assert len(store.experiments(task.id)) == 1
    queue.release(claimed(queue), status="failed", reason="again")
    queue.act(task.id, "restart")
    assert store.experiments(task.id) == ()


def test_an_older_revision_changes_nothing(queue: Tasks) -> None:
    task = queue.create(**TASK)
    newer = queue.change(task.id, {"description": "now"}, revision=task.revision)
    assert newer.revision == task.revision + 1
    changes = [
        lambda: queue.change(task.id, {"description": "then"}, revision=task.revision),
        lambda: queue.act(task.id, "start", revision=task.revision),
        lambda: queue.delete(task.id, revision=task.revision),
    ]
    for change in changes:
        with pytest.raises(StaleRevisionError, match="revision 2, not 1"):
            change()
    assert queue.get(task.id) == newer


def test_what_a_task_does_changes_only_before_it_is_started(queue: Tasks) -> None:
    task = queue.create(**TASK)
    queue.change(task.id, {"config": {"version": 2, "name": "other"}})
    queue.act(task.id, "start")
    with pytest.raises(WrongTransitionError, match="while pending"):
        queue.change(task.id, {"config": {"version": 2}})
    assert queue.change(task.id, {"name": "words"}).name == "words"


def test_a_running_task_is_not_deleted(store: Store, queue: Tasks) -> None:
    task = queued(queue)
    lease = claimed(queue)
    store.begin_experiment(task.id, candidate_id="a", **LAUNCH)
    with pytest.raises(WrongTransitionError, match="is running"):
        queue.delete(task.id)
    queue.release(lease, status="completed", reason="")
    queue.delete(task.id)
    assert queue.get(task.id) is None
    assert [event.kind for event in store.events(task.id)] == ["task_deleted"]
    with pytest.raises(StoreError, match=f"no task {task.id}"):
        queue.act(task.id, "start")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mysql://secret@host/x", "mysql"),
        ("not an address: secret", "cannot be read"),
        ("sqlite://", "not supported"),
    ],
)
def test_an_address_that_cannot_be_used_is_shown_without_its_secret(
    url: str, shown: str, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=shown) as refused:
        Store.open(tmp_path, url)
    assert "secret" not in str(refused.value)


def test_a_database_that_is_away_is_shown_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="cannot be reached") as refused:
        Store.open(tmp_path, "postgresql://me:secret@127.0.0.1:9/none")
    assert "secret" not in str(refused.value)
