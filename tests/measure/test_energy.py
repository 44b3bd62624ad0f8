"""Energy of a level, from the counters of GPUs and of CPU packages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autotuner.measure.energy import Energy, EnergyCounters, EnergyMeter, NotCounted, Sample, taken
from autotuner.measure.energy_counters import (
    Occupied,
    energy_counters,
    nvml_counters,
    rapl_counters,
)
from autotuner.measure.level_watch import LevelWatcher

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def samples(*rows: tuple[float, ...]) -> list[Sample]:
    return [Sample(at_s, counters_j) for at_s, *counters_j in rows]  # type: ignore[arg-type]


def test_the_gain_of_all_counters_is_interpolated_between_samples() -> None:
    found = taken(samples((0, 0, 5), (2, 200, 5), (4, 600, 25)), (None, None), 1, 3)
    assert found == (100 + 210, 2)


def test_a_counter_that_reached_its_range_goes_on_counting() -> None:
    found = taken(samples((0, 90.0), (1, 10.0), (2, 30.0)), (100.0,), 0, 2)
    assert found == (40, 2)


def test_a_window_beyond_the_last_sample_is_seen_in_part() -> None:
    found = taken(samples((0, 0.0), (2, 20.0)), (None,), 1, 5)
    assert found == (10, 1)


@pytest.mark.parametrize(
    ("rows", "began_s"),
    [
        (((0, 5.0), (1, 1.0)), 0),
        (((1, 1.0), (2, 2.0)), 0),
        (((0, 1.0),), 0),
        (((0, 1.0), (1, 2.0)), 3),
    ],
    ids=["set_back", "begins_too_late", "one_sample", "ends_too_early"],
)
def test_what_was_not_seen_is_not_guessed(rows: Any, began_s: float) -> None:
    assert taken(samples(*rows), (None,), began_s, 9) is None


class Moments:
    """A clock that its test sets, with the time of day that belongs to it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.now_s)


def metered(read_j: Callable[[], float], moments: Moments, period_s: float = 60) -> EnergyMeter:
    counters = EnergyCounters("nvml", "GPU 0", lambda: (read_j(),), (None,))
    return EnergyMeter(lambda: counters, period_s=period_s, clock=moments.clock, wall=moments.wall)


def test_the_measured_window_is_metered_not_the_warm_up() -> None:
    moments = Moments()
    with metered(lambda: 300 * moments.now_s, moments) as meter:
        moments.now_s = 10.0
    found = meter.energy(NOON + timedelta(seconds=4), 5.0)
    assert found.energy_j == pytest.approx(1500)
    assert found.window_s == pytest.approx(5)
    assert found.power_w == pytest.approx(300)
    assert (found.source, found.counted, found.not_measured) == ("nvml", "GPU 0", "")


@pytest.mark.parametrize(
    ("began_at", "duration_s", "why"),
    [
        (None, 5.0, "the load generator does not say"),
        (NOON + timedelta(seconds=1), 0.4, "shorter than 1 s"),
        (NOON - timedelta(seconds=1), 5.0, "do not cover"),
    ],
)
def test_a_window_that_cannot_be_metered_says_why(
    began_at: datetime | None, duration_s: float, why: str
) -> None:
    moments = Moments()
    with metered(lambda: moments.now_s, moments) as meter:
        moments.now_s = 10.0
    found = meter.energy(began_at, duration_s)
    assert found.energy_j is None
    assert why in found.not_measured


def test_counters_are_read_while_a_level_runs_and_a_failure_is_kept() -> None:
    asked = threading.Semaphore(0)
    readings = iter([1.0, 2.0])

    def read_j() -> float:
        asked.release()
        try:
            return next(readings)
        except StopIteration:
            raise NotCounted("GPU 0 counts no energy") from None

    with metered(read_j, Moments(), period_s=0.001) as meter:
        for _ in range(3):
            asked.acquire()
    assert meter.energy(NOON, 5.0) == Energy(not_measured="GPU 0 counts no energy")


def package(powercap: Path, zone: str, name: str, energy_uj: str) -> Path:
    folder = powercap / zone
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    (folder / "max_energy_range_uj").write_text("262143328850\n")
    return folder


def test_rapl_counts_the_packages_and_none_of_their_parts_twice(tmp_path: Path) -> None:
    package(tmp_path, "intel-rapl:0", "package-0", "1500000")
    package(tmp_path, "intel-rapl:1", "package-1", "2500000")
    package(tmp_path, "intel-rapl:0:0", "core", "900000")
    package(tmp_path, "intel-rapl:2", "psys", "9000000")
    found = rapl_counters(tmp_path)
    assert found.read_j() == (1.5, 2.5)
    assert found.ranges_j == (262143.32885, 262143.32885)
    assert found.counted == "CPU package 0, CPU package 1; all that runs there"


def test_a_machine_without_rapl_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotCounted, match="no energy counter of its CPUs"):
        rapl_counters(tmp_path / "absent")


@pytest.mark.parametrize(
    ("error", "why"),
    [(PermissionError(13, "denied"), "for root only; allow"), (OSError(5, "io"), "cannot be read")],
)
def test_a_counter_that_cannot_be_read_says_why(
    error: OSError, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "intel-rapl:0", "package-0", "1")
    read_text = Path.read_text

    def refused(path: Path) -> str:
        if path.name == "energy_uj":
            raise error
        return read_text(path)

    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(NotCounted, match=why):
        rapl_counters(tmp_path)


class FakeNvml(SimpleNamespace):
    """A driver whose GPUs count these millijoules; of a GPU without any it raises."""

    class NVMLError(Exception):
        pass

    def __init__(self, counted_mj: dict[Any, int | None], *, mig: bool = False) -> None:
        super().__init__(counted_mj=counted_mj, mig=mig, open=0)

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.counted_mj:
            raise self.NVMLError
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open -= 1

    def nvmlDeviceGetHandleByIndex(self, name: int) -> Any:  # noqa: N802
        if name not in self.counted_mj:
            raise self.NVMLError
        return name

    nvmlDeviceGetHandleByUUID = nvmlDeviceGetHandleByIndex  # noqa: N815

    def nvmlDeviceGetMigMode(self, gpu: Any) -> tuple[int, int]:  # noqa: N802
        return int(self.mig), int(self.mig)

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu: Any) -> int:  # noqa: N802
        found: int | None = self.counted_mj[gpu]
        if found is None:
            raise self.NVMLError
        return found


def test_nvml_counts_exactly_the_gpus_of_the_launch() -> None:
    driver: Any = FakeNvml({0: 9_000, 2: 1_000, "GPU-ab": 500})
    found = nvml_counters(("2", "GPU-ab"), driver)
    assert found.read_j() == (1.0, 0.5)
    assert (found.counted, found.ranges_j) == ("GPU 2, GPU GPU-ab", (None, None))
    assert driver.open == 1
    found.close()
    assert driver.open == 0


@pytest.mark.parametrize(
    ("driver", "names", "why"),
    [
        (FakeNvml({}), ("0",), "no NVIDIA driver answers"),
        (FakeNvml({0: 1}), ("0", "1"), "does not know GPU 1"),
        (FakeNvml({0: None}), ("0",), "GPU 0 counts no energy"),
        (FakeNvml({0: 1}, mig=True), ("0",), "counts them together"),
        (FakeNvml({0: 1}), ("MIG-ab",), "no energy counter of its own"),
        (FakeNvml({0: 1}), (), "not known which GPUs"),
    ],
)
def test_a_gpu_that_is_not_counted_says_why_and_leaves_the_driver(
    driver: Any, names: tuple[str, ...], why: str
) -> None:
    with pytest.raises(NotCounted, match=why):
        nvml_counters(names, driver)
    assert driver.open == 0


@pytest.mark.parametrize(
    ("occupied", "why"),
    [
        (Occupied(1, ("0",), is_here=False), "another machine"),
        (Occupied(0, is_alone=False), "other engines of the task"),
        (Occupied(1), "not known which GPUs"),
    ],
)
def test_what_a_counter_would_count_besides_is_not_measured(occupied: Occupied, why: str) -> None:
    with pytest.raises(NotCounted, match=why):
        energy_counters(occupied)


def test_a_replay_has_no_energy_and_no_reason() -> None:
    with LevelWatcher().watched(Occupied(0)) as watch:
        pass
    assert watch.energy_of is not None
    assert watch.load is None
