"""Landscapes of our own: their table of specs, how predictions err, and the ones kept here."""

import csv
import dataclasses
import functools
import gzip
from importlib import util
from pathlib import Path

import make_landscapes as making
import make_measured_landscapes as measured
import pytest

from autotuner.catalog import gpu_named
from autotuner.landscapes import read_landscape
from autotuner.predict.aiconfigurator.answers import MODES
from autotuner.predict.aiconfigurator.questions import asked_engines
from autotuner.verify.silicon import silicon_rows

HERE = Path(__file__).parent
SPECS = making.read_specs()
KEPT = sorted(HERE.glob("own_*.csv.gz"))

TINY = dataclasses.replace(
    SPECS["own_llama8b_h100_sglang"],
    tp=[1, 2],
    formats=["bfloat16", "fp8"],
    ctx_tokens=[1024, 8192],
    concurrency=[1, 8, 32, 128, 176, 512],
    silent_where={},
)

needs_the_package = pytest.mark.skipif(
    util.find_spec("aiconfigurator_core") is None, reason="aiconfigurator is not installed"
)


@functools.cache
def tiny() -> tuple[making.Row, ...]:
    return tuple(making.rows_of(TINY))


def reported(rows, *columns):
    return [tuple(row.get(column) for column in columns) for row in rows]


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.name)
def test_a_spec_names_what_exists_and_a_space_worth_searching(spec):
    model, device, engine = spec.name.removeprefix("own_").split("_")
    assert model
    assert gpu_named(device) == gpu_named(spec.system)
    assert engine == spec.truth.backend
    assert spec.truth.mode == "SILICON"
    assert spec.prediction.backend in asked_engines()
    assert spec.prediction.mode in MODES
    assert spec.prediction != spec.truth
    assert set(spec.assumes) | set(spec.silent_where) <= set(making.SETTINGS)
    assert len(spec.concurrency) >= making.FEWEST_LEVELS
    assert list(spec.concurrency) == sorted(set(spec.concurrency))
    launches = [tuple(settings.items()) for settings in spec.launches()]
    assert len(launches) == len(set(launches))
    assert 40 <= len(launches) <= 400


def test_experts_are_sliced_or_spread_over_all_ranks_of_a_stage():
    spec = SPECS["own_deepseekv3_h200_sglang"]
    widths = {tuple(s[n] for n in ("tp", "dp", "moe_tp", "moe_ep")) for s in spec.launches()}
    assert all(1 in (sliced, spread) for *_, sliced, spread in widths)
    assert all(sliced * spread == tp * dp for tp, dp, sliced, spread in widths)
    assert all(spec.fewest_gpus <= s["tp"] * s["dp"] * s["pp"] for s in spec.launches())


def test_a_spec_with_an_unknown_field_is_refused():
    with pytest.raises(TypeError, match="colour"):
        making.spec_from("x", {"truth": {"backend": "vllm", "colour": 1}, "prediction": {}})


def test_noise_is_fixed_and_within_its_bounds():
    drawn = [making.noise_cv("file", launch, 8) for launch in range(50)]
    assert drawn == [making.noise_cv("file", launch, 8) for launch in range(50)]
    assert len(set(drawn)) == 50
    assert all(making.NOISE[0] <= cv <= making.NOISE[1] for cv in drawn)


def test_the_same_rows_make_the_same_bytes_and_nothing_is_left_aside(tmp_path):
    rows = [{"launch": 0, "tp": 1, "true_ttft_ms": 12.3456789}]
    for name in ("one", "other"):
        making.write_rows(tmp_path / name, making.COLUMNS, rows)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


@needs_the_package
def test_a_landscape_holds_every_launch_at_every_level_and_is_read_back(tmp_path):
    path = tmp_path / "own_llama8b_h100_sglang.csv.gz"
    making.write_rows(path, making.COLUMNS, tiny())
    landscape = read_landscape(path)
    assert len(landscape.launches) == len(list(TINY.launches()))
    assert {len(launch.levels) for launch in landscape.launches} == {len(TINY.concurrency)}
    assert landscape.osl == pytest.approx(TINY.osl, rel=1e-4)


@needs_the_package
def test_the_truth_runs_out_of_memory_before_the_prediction_does():
    statuses = reported(tiny(), "true_status", "pred_status")
    assert {("oom", "ok"), ("ok", "ok")} <= set(statuses)
    assert ("ok", "oom") not in statuses


@needs_the_package
def test_a_prediction_that_counts_memory_short_sees_the_wall_still_later():
    short = making.rows_of(dataclasses.replace(TINY, memory_factor=0.4))
    assert "oom" in [status for (status,) in reported(tiny(), "pred_status")]
    assert "oom" not in [status for (status,) in reported(short, "pred_status")]


@needs_the_package
def test_a_prediction_blind_to_an_axis_says_the_same_along_it():
    rows = making.rows_of(dataclasses.replace(TINY, assumes={"ctx_tokens": 1024}))
    stated, true = ({}, {})
    for row in rows:
        place = row["tp"], row["gemm_quant"], row["concurrency"]
        stated.setdefault(place, set()).add(row.get("pred_ttft_ms"))
        true.setdefault(place, set()).add(row.get("true_ttft_ms"))
    assert all(len(figures) == 1 for figures in stated.values())
    assert any(len(figures) == 2 for figures in true.values())


@needs_the_package
def test_a_prediction_is_silent_where_it_is_meant_to_be():
    rows = making.rows_of(dataclasses.replace(TINY, silent_where={"tp": [2]}))
    silent = reported(rows, "tp", "pred_status")
    assert {tp for tp, status in silent if status == "na"} == {2}
    assert {status for tp, status in silent if tp == 2} == {"na"}
    assert reported(rows, "true_tok_s") == reported(tiny(), "true_tok_s")


@needs_the_package
def test_replicas_of_a_dense_model_multiply_throughput_and_nothing_else():
    alone = [row for row in tiny() if row["tp"] == 1 and row["concurrency"] == 8]
    spec = dataclasses.replace(TINY, tp=[1], dp=[2], concurrency=[2, 4, 8, 16, 32])
    twice = [row for row in making.rows_of(spec) if row["concurrency"] == 16]
    latencies = ("true_ttft_ms", "true_tpot_ms", "true_tok_s_gpu")
    assert reported(twice, *latencies) == reported(alone, *latencies)
    assert [s for (s,) in reported(twice, "true_tok_s")] == pytest.approx(
        [2 * s for (s,) in reported(alone, "true_tok_s")]
    )


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_a_kept_landscape_is_small_and_can_be_searched(path):
    assert path.stat().st_size <= 60_000
    landscape = read_landscape(path)
    assert len(landscape.launches) >= 6
    assert any(level.predicted for launch in landscape.launches for level in launch.levels)


@pytest.mark.slow
@needs_the_package
@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_a_kept_landscape_is_what_the_scripts_make(path, tmp_path):
    name = path.name.removesuffix(".csv.gz")
    if name in SPECS:
        columns, rows = making.COLUMNS, making.rows_of(SPECS[name])
    else:
        columns, rows = measured.COLUMNS, measured.rows_of(measured_groups()[name])
    making.write_rows(tmp_path / path.name, columns, rows)
    made, kept = cells(tmp_path / path.name), cells(path)
    assert [row.keys() for row in made] == [row.keys() for row in kept]
    for fresh, row in zip(made, kept, strict=True):
        # Other processors may round otherwise.
        assert fresh == {name: nearly(text) for name, text in row.items()}


@functools.cache
def measured_groups():
    return measured.groups(silicon_rows().rows)


def cells(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [{n: number(text) for n, text in row.items()} for row in csv.DictReader(file)]


def number(text):
    try:
        return float(text)
    except ValueError:
        return text


def nearly(value):
    return pytest.approx(value, rel=1e-4) if isinstance(value, float) else value
