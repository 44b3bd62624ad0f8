"""Engines that dead workers have left: ended by their handles, and none is forgotten before."""

from __future__ import annotations

import dataclasses
import logging
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from autotuner.errors import InUseError, LaunchError
from autotuner.launch import EngineHandle, Reaped
from autotuner.launch.processes import process_of, this_machine
from autotuner.store import Store, TaskRecord
from autotuner.store.workers import WorkerRecord
from autotuner.workers import watcher
from autotuner.workers.command_lease import CommandLease
from autotuner.workers.devices import ON_CPU
from autotuner.workers.watcher import CLI, Watcher, end_leftovers
from autotuner.workers.worker import this_worker


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def engine() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for an engine and leads a session, as a supervisor does."""
    child = subprocess.Popen(["/bin/sleep", "615"], start_new_session=True)
    yield child
    child.kill()
    child.wait()


def handle_of(child: subprocess.Popen[bytes]) -> EngineHandle:
    here = this_machine()
    return EngineHandle(
        "local", f"{child.pid}:{process_of(child.pid).started}:{here.boot}", here.host
    )


def of_another(host: str) -> EngineHandle:
    return EngineHandle("elsewhere", "abc", host)


def dead_worker(store: Store, kind: str = "worker") -> WorkerRecord:
    """A worker of this machine that has ended, as its process's start says."""
    me = this_worker("dead", kind, ON_CPU)
    dead = dataclasses.replace(me, pid_started=me.pid_started + 1)
    store.workers.add(dead)
    return dead


def task_of(store: Store, worker: WorkerRecord) -> TaskRecord:
    task = store.tasks.create(
        name="t",
        content_id="c",
        config={"version": 2},
        model="m",
        engine="llamacpp",
        requested_gpu="cpu",
        requested_gpus=0,
        origin="api",
        status="queued",
    )
    assert store.tasks.claim(worker.id, gpu="cpu", gpus=0) is not None
    return task


def me() -> WorkerRecord:
    return this_worker("me", "worker", ON_CPU)


def test_an_engine_of_a_dead_worker_is_ended_before_its_task_goes_on(
    store: Store, engine: subprocess.Popen[bytes]
) -> None:
    dead = dead_worker(store)
    task = task_of(store, dead)
    store.workers.engine_started(dead, task.id, handle_of(engine))
    Watcher(store, me()).look()
    assert engine.poll() is not None
    assert store.workers.engines() == ()
    after = store.tasks.get(task.id)
    assert after is not None
    assert after.status == "queued"


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (
            EngineHandle("elsewhere", "abc", "gpu-7"),
            "the launcher 'elsewhere' is not installed here",
        ),
        (
            EngineHandle("docker", "autotuner-vllm-1 ID unix:///nowhere/s", this_machine().host),
            "Unable to connect to Docker daemon at unix:///nowhere/s",
        ),
    ],
    ids=["launcher not installed", "daemon away"],
)
def test_an_engine_that_cannot_be_asked_after_keeps_its_handle_and_holds_up_no_task(
    left: EngineHandle, why: str, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    dead = dead_worker(store)
    task = task_of(store, dead)
    store.workers.engine_started(dead, task.id, left)
    looking = Watcher(store, me())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            looking.look()
    after = store.tasks.get(task.id)
    assert after is not None
    assert (after.status, after.worker) == ("queued", None)
    assert [kept.handle for kept in store.workers.engines()] == [left]
    warned = [line for line in caplog.messages if "its handle is kept" in line]
    assert f"the {left} cannot be ended: {why}" in warned[0]
    assert len(warned) == 1, "once, however often it is looked at"


def test_an_engine_that_lives_on_fails_its_task(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = dead_worker(store)
    task = task_of(store, dead)
    store.workers.engine_started(dead, task.id, of_another("gpu-7"))
    monkeypatch.setattr(watcher, "reap", lambda handle: Reaped.ALIVE)
    Watcher(store, me()).look()
    after = store.tasks.get(task.id)
    assert after is not None
    assert after.status == "failed"
    assert "elsewhere engine abc of gpu-7 of its dead worker cannot be ended" in after.stop_reason


@pytest.mark.parametrize(("host", "is_held"), [(this_machine().host, True), ("gpu-7", False)])
def test_devices_are_not_used_beside_an_engine_of_this_machine_that_cannot_be_ended(
    host: str, is_held: bool, store: Store
) -> None:
    store.workers.engine_started(dead_worker(store), 1, of_another(host))
    assert bool(end_leftovers(store)) is is_held
    assert len(store.workers.engines()) == 1


def test_leftovers_of_this_machine_are_ended_and_those_of_the_living_are_not(
    store: Store, engine: subprocess.Popen[bytes]
) -> None:
    living = me()
    store.workers.add(living)
    store.workers.engine_started(living, 1, handle_of(engine))
    assert end_leftovers(store) == ""
    assert engine.poll() is None
    store.workers.forget(living.id)
    assert end_leftovers(store) == ""
    assert engine.poll() is not None
    assert store.workers.engines() == ()


def test_a_command_that_cannot_end_what_a_killed_one_left_says_so_and_takes_nothing(
    store: Store,
) -> None:
    dead = dead_worker(store, CLI)
    task = task_of(store, dead)
    store.workers.engine_started(dead, task.id, of_another("gpu-7"))
    before = store.tasks.get(task.id)
    with ExitStack() as block, pytest.raises(LaunchError, match="elsewhere engine abc"):
        CommandLease(store, me(), block).hold(task.id)
    assert store.tasks.get(task.id) == before
    assert len(store.workers.engines()) == 1


def test_a_command_waits_for_nobody_who_lives(store: Store) -> None:
    living = me()
    store.workers.add(living)
    task = task_of(store, living)
    with ExitStack() as block, pytest.raises(InUseError, match="is being worked on by me"):
        CommandLease(store, this_worker("other", CLI, ON_CPU), block).hold(task.id)
