"""`bench accuracy`, `verify dataset` and `verify run`: documents, exit codes, mistakes."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest
from running import Run, WriteTask
from test_bad_input import is_shown
from test_json import document

from autotuner.measure import Measurement
from autotuner.store import Store
from autotuner.verify import METRICS

CURVE = {
    *("launches", "prior", "choice", "ttft_median_ape", "tpot_median_ape"),
    *("ttft_group_ape", "tpot_group_ape", "interval_coverage"),
    *("ttft_interval_coverage", "tpot_interval_coverage", "rows"),
}
ONE_GROUP = "model=Qwen/Qwen3-235B-A22B-FP8,system=h200_sxm"
needs_the_package = pytest.mark.skipif(
    util.find_spec("aiconfigurator_core") is None, reason="aiconfigurator is not installed"
)


@needs_the_package
def test_a_data_set_is_compared_with_a_predictor(run: Run, home: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    words = ("verify", "dataset", "silicon", "--predictor", "roofline", "--only")
    shown = document(run(*words, "backend=trtllm,system=H200_SXM", "--json", "--html", page))
    assert shown["predicted"]["name"].startswith("roofline")
    assert shown["actual"]["format"] == "silicon"
    assert set(shown["metrics"]) == set(METRICS)
    assert len(shown["pairs"]) == shown["metrics"]["ttft"]["pairs"] > 100
    assert any("count their GPUs twice" in note for note in shown["actual"]["notes"])
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    missed = run(*words, "backend=trtllm", "--require", "ttft_median_ape=0.01", "--json")
    assert [one["met"] for one in document(missed, code=1)["requirements"]] == [False]
    assert not home.exists()


@needs_the_package
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("dataset", "silcon"), ["silcon", "silicon"]),
        (("dataset", "silicon", "--predictor", "roofine"), ["roofine", "roofline"]),
        (("dataset", "silicon", "--only", "modell=x"), ["modell=x", "model"]),
        (("dataset", "silicon", "--only", "model"), ["model", "value"]),
        (("dataset", "silicon", "--only", "system=h200"), ["system=h200", "h200_sxm"]),
        (("dataset", "silicon", "--only", "backend=vlm"), ["backend=vlm", "vllm"]),
        (("dataset", "silicon", "--require", "ttft_mapee=3"), ["ttft_mapee", "ttft_mape"]),
    ],
)
def test_mistakes_of_verify_are_shown(
    words: tuple[str, ...], shown: list[str], run: Run, home: Path
) -> None:
    is_shown(run("verify", *words, "--json"), *shown)
    assert not home.exists()


@needs_the_package
@pytest.mark.parametrize(
    ("only", "shown"),
    [
        ("sytem=h200_sxm", ["sytem=h200_sxm", "system"]),
        ("model=Qwen/Qwen3-23B", ["Qwen/Qwen3-23B", "Qwen/Qwen3-32B"]),
        ("model=zai-org/GLM-5,system=gb200,backend=trtllm", ["no measured row is left"]),
    ],
)
def test_mistakes_of_bench_accuracy_are_shown(only: str, shown: list[str], run: Run) -> None:
    is_shown(run("bench", "accuracy", "--only", only, "--json"), *shown)


@needs_the_package
@pytest.mark.slow
def test_the_bench_has_coverage_and_the_curve(run: Run) -> None:
    words = ("bench", "accuracy", "--seeds", "1", "--only", ONE_GROUP)
    found = document(run(*words, "--json"))
    assert 0 < found["coverage"] <= 1
    assert {frozenset(point) for point in found["curve"]} == {frozenset(CURVE)}
    assert [(p["launches"], p["prior"]) for p in found["curve"]] == [
        (launches, prior)
        for prior in ("none", "other_models", "other_families")
        for launches in (0, 1, 3, 5, 8)
    ]
    shares = [p[name] for p in found["curve"] for name in CURVE if name.endswith("_coverage")]
    assert all(0 <= share <= 1 for share in shares)
    assert sum(found["answered_by"].values()) + sum(found["refused"].values()) == found["rows"]
    text = run(*words)
    assert text.returncode == 0
    assert "nothing else is known; launches where the predictor learns most" in text.stdout


@pytest.fixture
def small(write_task: WriteTask) -> Path:
    """Two candidates of a fake engine, predicted."""
    return write_task({"prediction": {"predictor": "roofline"}, "misc": {"threads": 1}})


def measured(home: Path) -> list[Measurement]:
    """Every level that the store holds, of any run."""
    with Store.open(home) as store:
        experiments = [one for kept in store.tasks.all() for one in store.experiments(kept.id)]
        return [level for one in experiments for level in one.measurements]


@pytest.mark.slow
def test_a_run_is_measured_once_and_compared_with_what_was_given_before(
    run: Run, small: Path, home: Path
) -> None:
    shown = document(run("verify", "run", small, "--json"))
    assert shown["predicted"]["name"] == "calibrated predictions of task 1"
    assert len(shown["pairs"]) == 4
    levels = measured(home)
    again = document(run("verify", "run", small, "--json"))
    assert again["pairs"] == shown["pairs"]
    assert measured(home) == levels

    base = document(run("verify", "run", small, "--uncalibrated", "--json"))
    assert base["predicted"]["name"] == "base predictions of task 1"
    actual = [[pair["actual_ttft_ms"] for pair in found["pairs"]] for found in (shown, base)]
    assert actual[0] == actual[1]
    limits = ("--require", "pairs=4", "--require", "ttft_mape=0.0001")
    missed = document(run("verify", "run", small, *limits, "--json"), code=1)
    assert [one["met"] for one in missed["requirements"]] == [True, False]
    assert measured(home) == levels

    fresh = document(run("verify", "run", small, "--fresh", "--json"))
    assert fresh["predicted"]["name"] == "calibrated predictions of task 2"
    assert len(measured(home)) == 2 * len(levels)


def test_a_mistake_in_a_requirement_is_shown_before_anything_is_launched(
    run: Run, small: Path, home: Path
) -> None:
    is_shown(run("verify", "run", small, "--require", "ttft_mappe=3", "--json"), "ttft_mape")
    assert not home.exists()


def test_a_task_of_which_nothing_is_predicted_is_not_launched(
    run: Run, write_task: WriteTask, home: Path
) -> None:
    is_shown(run("verify", "run", write_task(), "--json"), "prediction.predictor", "roofline")
    assert not home.exists()
