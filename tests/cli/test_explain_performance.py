"""`autotuner explain-performance` through the command: a file, a stored task, mistakes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import Run
from test_bad_input import is_shown
from test_json import document

from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate, LoadLevel
from autotuner.landscapes import Landscape, PointMetrics, RecordedLaunch, landscape_csv
from autotuner.predict import Scenario, e2e_ms, tok_s
from autotuner.predict.roofline.predictor import time_parts_of
from autotuner.predict.time_parts import TimeParts
from autotuner.testing.made_up_landscape import made_up_landscape
from autotuner.tuning.performance_views import PerformanceView

ON_PAPER: dict[str, Any] = {
    "version": 2,
    "name": "on paper",
    "model": {"id": "meta-llama/Llama-3.1-70B-Instruct"},
    "runtime": {"isl": 1024, "osl": 128},
    "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 8},
    "parallel": {"tensor_parallel": [4, 8]},
    "benchmark": {"concurrency": [1, 32]},
    "prediction": {"predictor": "roofline"},
}
REPLAY: dict[str, Any] = {
    "version": 2,
    "name": "small replay",
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
    "deployment_mode": "replay",
    "replay": {"landscape": "table.csv"},
    "optimization": {"strategy": "random"},
}


def written(folder: Path, task: dict[str, Any]) -> Path:
    path = folder / "task.yaml"
    path.write_text(yaml.safe_dump(task), encoding="utf-8")
    return path


def slow_reading() -> Landscape:
    """The made-up launches, on GPUs that read weights in twice the time that is assumed."""
    made = made_up_landscape((1, 4, 16), isl=512, osl=64, noise_cv=0.03)
    known = known_model(made.model)
    assert known is not None
    device = gpu_named(made.device)
    scenario = Scenario(
        made.model, known.facts, "vllm", None, device, made.device, made.isl, made.osl
    )

    def launch(one: RecordedLaunch) -> RecordedLaunch:
        candidate = Candidate.from_settings(dict(one.settings))
        parts = time_parts_of(scenario, candidate, [level.load for level in one.levels])
        return replace(
            one,
            levels=tuple(
                replace(
                    level,
                    true=figures(parts[level.load], level.load, made.osl),
                    true_status="ok",
                    noise_cv=0.03,
                )
                for level in one.levels
            ),
        )

    return replace(made, launches=tuple(map(launch, made.launches)))


def figures(parts: TimeParts, load: LoadLevel, osl: float) -> PointMetrics:
    ttft_ms, tpot_ms = (
        sum(ms * (2 if name.startswith("dense_read") else 1) for name, ms in one.items())
        for one in (parts.ttft_ms, parts.tpot_ms)
    )
    latency_ms = e2e_ms(ttft_ms, tpot_ms, osl)
    return PointMetrics(ttft_ms, tpot_ms, tok_s(load.value, ttft_ms, tpot_ms, osl), latency_ms)


def test_a_70b_is_explained_by_prediction(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, ON_PAPER)
    found = PerformanceView.model_validate(document(run("explain-performance", path, "--json")))
    assert (found.task, found.measured, found.launches) == (None, False, 0)
    done = run("explain-performance", path, "--load", "1")
    assert done.returncode == 0, done.stderr
    for words in ("Where the time goes", "at 1 concurrent requests", "What limits it", "assumed"):
        assert words in done.stdout
    assert "What was learnt" not in done.stdout


def test_a_stored_task_is_explained_by_number_file_and_report(run: Run, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(landscape_csv(slow_reading()), encoding="utf-8")
    path = written(tmp_path, REPLAY)
    tuned = run("tune", path, "--short")
    assert tuned.returncode == 0, tuned.stderr
    assert "What was learnt of the machine (h100_sxm, vllm) from 6 launches" in tuned.stdout
    assert "reading dense weights: " in tuned.stdout
    newest = document(run("explain-performance", "--json"))
    assert newest["task"] == 1 and newest["measured"] and newest["launches"] >= 4
    assert document(run("explain-performance", "1", "--json")) == newest
    assert document(run("explain-performance", path, "--json")) == newest
    first = document(run("explain-performance", "1", "--point", "1", "--json"))
    assert first["chosen"] == "point 1 of the frontier"
    page = Path(run("report", "1").stdout.strip()).read_text(encoding="utf-8")
    assert '<h2 id="performance">' in page and "What would help" in page
    is_shown(run("explain-performance", "1", "--point", "99"), "--point", "frontier has 1 to")
    is_shown(run("explain-performance", "7"), "there is no task 7", "tasks: 1")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--candidate", "zz"), ("--candidate: 'zz'", "its candidates")),
        (("--load", "7"), ("load: concurrency 7", "its levels: 1, 32")),
        (("--load", "0"), ("--load", "whole number of 1 or more")),
        (("--candidate", "a", "--point", "1"), ("--candidate and --point",)),
    ],
)
def test_mistakes_are_named(
    run: Run, tmp_path: Path, words: tuple[str, ...], shown: tuple[str, ...]
) -> None:
    is_shown(run("explain-performance", written(tmp_path, ON_PAPER), *words), *shown)


def test_what_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    is_shown(run("explain-performance", tmp_path / "none.yaml"), "there is no file")
    is_shown(run("explain-performance"), "there are no tasks", "autotuner tune")
    silent = written(tmp_path, ON_PAPER | {"prediction": {"predictor": "none"}})
    is_shown(run("explain-performance", silent), "nothing was measured", "predictor is none")
