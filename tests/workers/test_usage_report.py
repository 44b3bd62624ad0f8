"""How busy a worker's machine is, beside its heartbeats: never in their way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from autotuner.store import Store
from autotuner.store.maintenance import known_workers
from autotuner.workers.devices import ON_CPU
from autotuner.workers.heartbeat import WORKER_TIMES
from autotuner.workers.machine import GpuUsage, MachineUsage
from autotuner.workers.usage_report import UsageReport, reported_usage
from autotuner.workers.worker import Registration, this_worker

USAGE = MachineUsage(12.5, 64.0, 8.0, (GpuUsage(0, "NVIDIA H100", 80.0, 70.5, 93.0, None, 55.0),))


class WatchedReport(UsageReport):
    """Event once two heartbeats were given with what is expected of it."""

    def __init__(self, read: Callable[[], MachineUsage], expected: MachineUsage | None) -> None:
        super().__init__(read)
        self._expected = expected and asdict(expected)
        self._asked = 0
        self.given_twice = threading.Event()

    def to_json(self) -> dict[str, Any] | None:
        found = super().to_json()
        self._asked += found == self._expected
        # Whoever asks a third time has given the second heartbeat.
        if self._asked > 2:
            self.given_twice.set()
        return found


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


def test_what_is_stored_is_read_as_it_was() -> None:
    report = UsageReport(lambda: USAGE)
    assert report.to_json() is None
    report.take()
    assert reported_usage(report.to_json()) == USAGE
    assert reported_usage(None) is None
    assert reported_usage({"cpu_percent": "much"}) is None


def test_a_reading_that_fails_is_logged_once_and_an_old_one_is_not_passed_off_as_new(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_s, works = [0.0], [True]

    def read() -> MachineUsage:
        if not works[0]:
            raise RuntimeError("the driver went away")
        return USAGE

    report = UsageReport(read, clock=lambda: now_s[0])
    report.take()
    works[0] = False
    report.take()
    report.take()
    assert report.to_json() == asdict(USAGE)
    now_s[0] = 31.0
    assert report.to_json() is None
    assert len(caplog.records) == 1 and "the driver went away" in caplog.text


def test_a_registered_worker_says_how_busy_its_machine_is(store: Store) -> None:
    report = WatchedReport(lambda: USAGE, USAGE)
    times = replace(WORKER_TIMES, registration_s=0.01)
    with Registration(
        store, this_worker("one", "worker", ON_CPU), times=times, watch=False, usage=report
    ):
        assert report.given_twice.wait(30)
        (worker,) = known_workers(store.sessions)
        assert reported_usage(worker.usage) == USAGE


def test_a_driver_that_hangs_delays_no_heartbeat(store: Store) -> None:
    released = threading.Event()

    def hangs() -> MachineUsage:
        released.wait(60)
        return USAGE

    report = WatchedReport(hangs, None)
    times = replace(WORKER_TIMES, registration_s=0.01)
    with Registration(
        store, this_worker("one", "worker", ON_CPU), times=times, watch=False, usage=report
    ):
        assert report.given_twice.wait(30)
        (worker,) = known_workers(store.sessions)
        assert worker.heartbeat >= 2 and worker.usage is None
        released.set()
