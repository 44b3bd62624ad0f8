"""Launchers, load generators, strategies and predictors by name: ours, and those of packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from autotuner.config.extensions import LOAD_GENERATORS, PREDICTORS, STRATEGIES, ExtensionPoint
from autotuner.config.optimization import Optimization
from autotuner.config.task import Benchmark, PredictionConfig
from autotuner.errors import AutotunerError, MeasureError
from autotuner.measure import load_generator_named
from autotuner.predict import RooflinePredictor
from autotuner.search import strategy_named

GROUP = "autotuner.load_generators"
OWN = {"ours": "autotuner.measure:StreamingLoadGenerator", "planned": None}


def package(folder: Path, name: str, line: str) -> None:
    """A package that is installed in a folder and declares one load generator."""
    facts = folder / f"{name}-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[{GROUP}]\n{line}\n")
    (folder / f"{name}.py").write_text("class Theirs:\n    pass\n")


def point() -> ExtensionPoint:
    return ExtensionPoint("load generator", group=GROUP, own=OWN, error=MeasureError)


def test_a_package_adds_a_class_under_a_name_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "loadpackage", "theirs = loadpackage:Theirs")
    monkeypatch.syspath_prepend(tmp_path)
    found = point()
    assert list(found) == ["ours", "planned", "theirs"]
    assert found.installed == ("ours", "theirs")
    assert "loadpackage" not in sys.modules
    assert found.load("theirs").__module__ == "loadpackage"
    assert found.check("theirs") == "theirs"


@pytest.mark.parametrize("name", ["ours", "theirs"])
def test_two_classes_of_one_name_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        package(tmp_path / str(number), f"pack{number}", f"{name} = pack{number}:Theirs")
        monkeypatch.syspath_prepend(tmp_path / str(number))
    with pytest.raises(MeasureError, match=f"load generator '{name}' is declared twice"):
        point().check(name)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("theirs = not_a_module:Theirs", "cannot be loaded"),
        ("theirs = brokenpack:Missing", "cannot be loaded"),
        ("other = brokenpack:Theirs", "not installed here"),
    ],
)
def test_a_class_that_is_not_there_is_named_with_its_remedy(
    line: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "brokenpack", line)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MeasureError, match=words) as caught:
        point().load("theirs")
    assert caught.value.remedy


def test_a_task_names_a_load_generator_of_the_registry_and_no_other() -> None:
    assert [Benchmark(tool=name).tool for name in LOAD_GENERATORS] == ["autotuner", "genai-bench"]
    assert all(load_generator_named(name).load_kinds for name in LOAD_GENERATORS)
    with pytest.raises(ValidationError, match="did you mean 'genai-bench'"):
        Benchmark(tool="genai_bench")
    schema = Benchmark.model_json_schema()["properties"]["tool"]
    assert schema["enum"] == list(LOAD_GENERATORS)


def test_every_strategy_is_listed_under_its_own_name() -> None:
    assert [strategy_named(name).name for name in STRATEGIES] == list(STRATEGIES)
    with pytest.raises(ValidationError, match="'hybird' is no strategy; did you mean 'hybrid'"):
        Optimization(strategy="hybird")


def test_a_strategy_of_a_package_is_one_that_tasks_may_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = tmp_path / "searchpackage-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: searchpackage\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[autotuner.strategies]\ntheirs = autotuner.search.grid_and_random:GridStrategy\n"
        "[autotuner.predictors]\nguess = autotuner.predict:RooflinePredictor\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for point in (STRATEGIES, PREDICTORS):
        monkeypatch.delitem(vars(point), "places", raising=False)
    assert Optimization(strategy="theirs").strategy == "theirs"
    assert strategy_named("theirs").name == "grid"
    assert PredictionConfig(predictor="guess").predictor == "guess"
    assert PREDICTORS.load("guess") is RooflinePredictor
    for point in (STRATEGIES, PREDICTORS):
        del vars(point)["places"]  # read again by who comes next


def test_bayesian_without_optuna_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(AutotunerError, match=r"pip install 'inference-autotuner\[bayesian\]'"):
        strategy_named("bayesian")


def test_a_predictor_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(ValidationError, match="'rooflin' is no predictor; did you mean"):
        PredictionConfig(predictor="rooflin")
