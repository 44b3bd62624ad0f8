"""Who is taken for dead: by the observer's own clock, and only for time in which it looked."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import wait_for

from autotuner.launch.processes import (
    Process,
    is_gone,
    is_stopped,
    process_of,
    session_members,
    this_machine,
)
from autotuner.workers.heartbeat import WORKER_TIMES
from autotuner.workers.watcher import Watch

LOOK_S = 2.0


def looks(watch: Watch, moments: list[float], heartbeats: list[int]) -> Watch:
    for now_s, heartbeat in zip(moments, heartbeats, strict=True):
        watch = watch.looked({"task": (1, heartbeat)}, now_s)
    return watch


def test_quiet_is_counted_from_the_first_look_at_a_mark() -> None:
    watch = looks(Watch(LOOK_S), [100.0, 102.0, 104.0, 106.0], [7, 7, 7, 7])
    assert watch.quiet_s("task") == 6.0
    assert watch.looked({"task": (1, 8)}, 108.0).quiet_s("task") == 0.0
    assert watch.looked({"task": (2, 7)}, 108.0).quiet_s("task") == 0.0
    assert watch.quiet_s("never seen") == 0.0
    assert watch.looked({}, 108.0).looked({"task": (1, 7)}, 110.0).quiet_s("task") == 0.0


def test_time_in_which_the_database_was_away_counts_for_nobody() -> None:
    watch = looks(Watch(LOOK_S), [0.0, 2.0], [1, 1]).blinded().blinded()
    assert watch.looked({"task": (1, 1)}, 90.0).quiet_s("task") == 2.0


def test_an_observer_that_slept_accuses_nobody_on_waking() -> None:
    watch = looks(Watch(LOOK_S), [0.0, 3600.0], [1, 1])
    assert watch.quiet_s("task") == 2 * LOOK_S


@given(
    jumps=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20),
    heartbeats=st.lists(st.booleans(), min_size=1, max_size=20),
)
def test_however_its_clock_jumps_nobody_is_accused_after_fewer_looks_than_that_takes(
    jumps: list[float], heartbeats: list[bool]
) -> None:
    watch, now_s, heartbeat, since = Watch(LOOK_S), 0.0, 0, 0
    for jump, beats_now in zip(jumps, heartbeats, strict=False):
        now_s, before = now_s + jump, watch
        heartbeat += beats_now
        watch = watch.looked({"task": (1, heartbeat)}, now_s)
        fresh = beats_now or before == Watch(LOOK_S)
        since = 0 if fresh else since + 1
        assert 0 <= watch.quiet_s("task") <= since * 2 * LOOK_S


def test_whoever_holds_a_task_gives_up_before_others_take_over_and_that_within_a_minute() -> None:
    assert WORKER_TIMES.give_up_s + 2 * WORKER_TIMES.heartbeat_s < WORKER_TIMES.overdue_s
    assert WORKER_TIMES.overdue_s + 2 * WORKER_TIMES.look_s + WORKER_TIMES.poll_s < 60


def test_a_process_is_gone_when_its_id_is_another_ones() -> None:
    me = process_of(os.getpid())
    assert not is_gone(me)
    assert is_gone(replace(me, started=me.started + 1))
    assert is_gone(Process(2**22 + 1, 1)), "no such id"
    assert this_machine() == this_machine()
    assert this_machine().boot


def test_a_process_keeps_its_start_when_the_wall_clock_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its start is the kernel's own count, which earlier versions have stored too."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    me = process_of(os.getpid())
    assert me.started == int(fields[19]), "proc(5) counts it 22, in clock ticks"
    (tmp_path / str(me.pid)).symlink_to(Path(f"/proc/{me.pid}").resolve())
    monkeypatch.setattr("psutil.PROCFS_PATH", str(tmp_path))
    for boot_s in (0, 1_000_000_007, 1_800_000_000):
        (tmp_path / "stat").write_text(f"btime {boot_s}\n")
        assert process_of(me.pid) == me
        assert not is_gone(me)


def test_a_process_of_unknown_start_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = itertools.count(1_000_000_000, 60)
    me = process_of(os.getpid())
    monkeypatch.setattr("psutil.boot_time", lambda: float(next(moments)))
    assert process_of(me.pid).started == 0, "the clock is set while it is asked for"
    assert not is_gone(me)
    assert not is_gone(replace(me, started=me.started + 1))


def test_the_state_of_a_process_is_seen() -> None:
    child = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
    try:
        process = process_of(child.pid)
        assert session_members(child.pid) == (child.pid,)
        assert (is_stopped(process), is_gone(process)) == (False, False)
        child.send_signal(signal.SIGSTOP)
        wait_for(lambda: is_stopped(process), "the child to be stopped")
        assert not is_stopped(replace(process, started=process.started + 1)), "another one"
        assert session_members(child.pid) == (child.pid,)
    finally:
        child.kill()
    # Nobody has waited for it yet.
    wait_for(lambda: is_gone(process), "the child to end")
    assert (is_stopped(process), session_members(child.pid)) == (False, ())
    child.wait()
    assert is_gone(process)


def test_no_wall_clock_decides_anything_of_workers() -> None:
    rooms = Path(__file__).parents[2] / "src" / "autotuner" / "workers"
    for path in rooms.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "time.time(" not in text, path
        assert "datetime" not in text, path
