"""A machine that others load, from what Linux counts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from autotuner.launch import cpu_time
from autotuner.launch.cpu_time import count_as_ours, keep_as_it_is
from autotuner.launch.processes import process_of
from autotuner.measure.disturbance import Counters, machine_load, read_counters

BEFORE = Counters(
    at_s=100.0, cpus=2, busy_s=50.0, idle_s=50.0, stolen_s=0.0, ours_s=10.0, held_back_s=0.0
)


def after(**grown_s: float) -> Counters:
    """Ten seconds later, on two CPUs."""
    grown = {name: getattr(BEFORE, name) + seconds for name, seconds in grown_s.items()}
    return replace(BEFORE, at_s=110.0, **grown)


@pytest.mark.parametrize(
    ("grown_s", "busy", "description"),
    [
        ({"busy_s": 20.0, "ours_s": 20.0}, False, ""),
        ({"busy_s": 20.0, "ours_s": 10.0}, True, "other processes used 50 %"),
        ({"busy_s": 10.0, "idle_s": 10.0, "ours_s": 1.0}, False, ""),
        ({"busy_s": 10.0, "idle_s": 8.0, "stolen_s": 2.0, "ours_s": 10.0}, True, "hypervisor"),
        ({"busy_s": 10.0, "idle_s": 10.0, "ours_s": 10.0, "held_back_s": 3.0}, True, "quota"),
    ],
    ids=["ours_alone", "shared", "room_for_all", "stolen", "held_back"],
)
def test_what_counts_as_busy(grown_s: dict[str, float], busy: bool, description: str) -> None:
    load = machine_load(BEFORE, after(**grown_s))
    assert load is not None
    assert load.busy == busy
    if busy:
        assert description in load.describe()


def test_without_counters_nothing_is_reported() -> None:
    assert machine_load(None, BEFORE) is None
    assert machine_load(BEFORE, BEFORE) is None


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is read in place of /proc, by a process that never had an engine elsewhere."""
    monkeypatch.setattr("psutil.PROCFS_PATH", str(tmp_path))
    monkeypatch.setattr(cpu_time, "_by_others", {})
    monkeypatch.setattr(cpu_time, "_ended_s", 0.0)
    return tmp_path


def fill(proc: Path, *, stat: str, processes: dict[int, tuple[int, int]]) -> None:
    """These processes: pid -> (parent, clock ticks); each was started after the one before."""
    (proc / "stat").write_text(stat)
    for pid, (parent, ticks) in processes.items():
        (proc / str(pid)).mkdir()
        line = f"{pid} (a (odd) name) S {parent} 1 1 0 -1 0 0 0 0 0 {ticks} 1 2 3 20 0 1 0 {pid} "
        (proc / str(pid) / "stat").write_text(line + "0 " * 30)


def test_the_counters_are_those_of_our_cpus_and_processes(proc: Path) -> None:
    mine = min(os.sched_getaffinity(0))
    cpus = f"cpu 9 9 9 9 9 9 9 9 9 9\ncpu{mine} 100 200 300 400 500 1 2 600 0 0\n"
    me = os.getpid()
    processes = {me: (1, 100), me + 1: (me, 50), me + 2: (me + 1, 25), me + 3: (1, 9999)}
    fill(proc, stat=f"{cpus}intr 1 2\nbtime 1700000000\n", processes=processes)
    (proc / "cpu.stat").write_text("usage_usec 1\nnr_throttled 3\nthrottled_usec 2500000\n")
    found = read_counters(proc)
    assert found is not None
    hertz = os.sysconf("SC_CLK_TCK")
    assert found.busy_s * hertz == pytest.approx(603)
    assert found.idle_s * hertz == pytest.approx(900)
    assert found.stolen_s * hertz == pytest.approx(600)
    assert found.ours_s * hertz == pytest.approx(175 + 3 * 6)
    assert found.held_back_s == 2.5


@pytest.mark.parametrize("stat", ["", "cpu0 0 0 0 0 0 0 0 0\n", "nonsense\n"])
def test_a_system_that_does_not_count_is_named(stat: str, proc: Path) -> None:
    fill(proc, stat=stat, processes={})
    assert read_counters(proc) is None
    (proc / "stat").unlink()
    assert read_counters(proc) is None


def test_the_cpu_time_of_what_a_daemon_started_for_us_is_ours_to_its_end(proc: Path) -> None:
    me, mine = os.getpid(), min(os.sched_getaffinity(0))
    container, below = me + 1, me + 2
    cpus = f"cpu{mine} 1 0 0 1 0 0 0 0 0 0\nbtime 1700000000\n"
    fill(proc, stat=cpus, processes={me: (1, 0), container: (1, 100), below: (container, 50)})
    engine = process_of(container)
    at_first = ticks_of_ours()
    count_as_ours(engine)
    assert ticks_of_ours() - at_first == pytest.approx(150 + 2 * 6)
    keep_as_it_is(engine)
    shutil.rmtree(proc / str(container))
    assert ticks_of_ours() - at_first == pytest.approx(150 + 2 * 6), "what ends is not forgotten"


def ticks_of_ours() -> float:
    found = read_counters()
    assert found is not None
    return found.ours_s * os.sysconf("SC_CLK_TCK")


def test_the_cpu_time_of_what_we_started_is_ours() -> None:
    """What runs under a shell of ours, and what has ended and was waited for."""
    spin = "import time\nwhile time.process_time() < 0.5: pass"
    before = read_counters()
    subprocess.run(["/bin/sh", "-c", '"$@"; true', "sh", sys.executable, "-c", spin], check=True)
    after = read_counters()
    if before is None or after is None:
        pytest.skip("this system does not count")
    assert after.ours_s - before.ours_s > 0.4
