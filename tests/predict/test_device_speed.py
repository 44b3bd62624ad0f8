"""The CPU's speed: measured, kept, and measured again where what is kept does not count."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from autotuner.catalog import gpu_named
from autotuner.errors import StoreError
from autotuner.predict import DeviceSpeed, cpu_with_speed, device_speed, measure_device
from autotuner.predict.device_speed import FILE_NAME, calibrate_device

FAST_S = 0.05


@pytest.fixture(scope="module")
def speed() -> DeviceSpeed:
    return measure_device(FAST_S)


def keep(home: Path, text: str) -> None:
    (home / FILE_NAME).write_text(text, encoding="utf-8")


def test_figures_are_those_of_some_machine(speed: DeviceSpeed) -> None:
    assert 0.1 < speed.bandwidth_gb_s < 5000
    assert 0.0001 < speed.tflops["float32"] < 100
    assert speed.threads >= 1


def test_what_is_kept_counts_again(tmp_path: Path) -> None:
    kept = calibrate_device(tmp_path, FAST_S)
    assert device_speed(tmp_path, measure=False) == kept
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_nothing_kept_is_nothing_known_unless_it_is_measured(tmp_path: Path) -> None:
    assert device_speed(tmp_path, measure=False) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"bandwidth_gb_s": "x"}', "null"],
)
def test_a_damaged_file_is_reported_and_does_not_count(tmp_path: Path, text: str) -> None:
    keep(tmp_path, text)
    reported: list[str] = []
    assert device_speed(tmp_path, measure=False, warn=reported.append) is None
    assert len(reported) == 1
    assert "damaged" in reported[0]


@pytest.mark.parametrize("figure", [0, -1, float("nan"), float("inf")])
def test_impossible_figures_do_not_count(tmp_path: Path, speed: DeviceSpeed, figure: float) -> None:
    keep(tmp_path, json.dumps(replace(speed, bandwidth_gb_s=figure).written()))
    reported: list[str] = []
    assert device_speed(tmp_path, measure=False, warn=reported.append) is None
    assert "positive" in reported[0]


@pytest.mark.parametrize("change", [{"device": "another CPU"}, {"threads": 4096}])
def test_another_machine_is_reported_and_does_not_count(
    tmp_path: Path, speed: DeviceSpeed, change: dict[str, object]
) -> None:
    keep(tmp_path, json.dumps(speed.written() | change))
    reported: list[str] = []
    assert device_speed(tmp_path, measure=False, warn=reported.append) is None
    assert str(next(iter(change.values()))) in reported[0]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be written"):
        calibrate_device(tmp_path / "file", FAST_S)


def test_the_catalogs_cpu_takes_it(speed: DeviceSpeed) -> None:
    gpu = cpu_with_speed(gpu_named("cpu"), speed)
    assert gpu.is_cpu
    assert gpu.bandwidth_gb_s == speed.bandwidth_gb_s
    assert gpu.tflops == speed.tflops
    assert gpu.cores == speed.threads
    assert gpu_named("cpu").bandwidth_gb_s is None
