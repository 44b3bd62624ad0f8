"""`autotuner predict`, and what `plan` and `tune` say of predictions."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import Run, WriteTask
from test_bad_input import is_shown
from test_json import document

from autotuner.config import PERCENTILES
from autotuner.predict.aiconfigurator import installation
from autotuner.predict.aisimulate import installation as aisimulate

TASK: dict[str, Any] = {
    "version": 2,
    "name": "on paper",
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
    "runtime": {"isl": 1024, "osl": 128},
    "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 8},
    "parallel": {"tensor_parallel": [1, 2, 4, 8]},
    "quantization": {"gemm_mode": ["bfloat16", "fp8"]},
    "scheduling": {"max_running_requests": [32, 256]},
    "benchmark": {"concurrency": [64, 1, 8]},
    "prediction": {"predictor": "roofline"},
}
POINT = {
    *("candidate", "settings", "gpus", "load", "ttft_ms", "tpot_ms", "tok_s"),
    *("tok_s_per_gpu", "tok_s_per_user", "e2e_ms", "ttft_log_std", "tpot_log_std"),
    *("tok_s_log_std", "memory_gib", "source", "kind", "note", "on_frontier", "requests_per_s"),
    *(*PERCENTILES, "percentiles_from", "members"),
}


@pytest.fixture
def on_paper(tmp_path: Path) -> Path:
    """A task for GPUs that are not here."""
    path = tmp_path / "paper.yaml"
    path.write_text(yaml.safe_dump(TASK), encoding="utf-8")
    return path


def test_every_candidate_is_predicted_at_every_level(
    run: Run, on_paper: Path, tmp_path: Path, home: Path
) -> None:
    files = ("--csv", tmp_path / "p.csv", "--save", tmp_path / "p.json")
    found = document(run("predict", on_paper, "--json", *files))
    assert (found["candidates"], [x["value"] for x in found["levels"]]) == (16, [1, 8, 64])
    assert found["workload"] == {"isl": 1024, "osl": 128, "prefix": 0}
    assert found["predictor"].startswith("roofline")
    assert "the task asks for it" in found["why"]
    assert found["observations"] == 0
    points = found["predictions"]
    assert len(points) == 48 - 3 * len({*found["out_of_memory"], *found["refused"]})
    assert {frozenset(point) for point in points} == {frozenset(POINT)}
    assert found["frontier"] == sorted(
        (point for point in points if point["on_frontier"]), key=lambda p: -p["tok_s_per_user"]
    )
    for point in points:
        assert point["tok_s_per_gpu"] * point["gpus"] == pytest.approx(point["tok_s"])
        assert point["gpus"] == point["settings"]["parallel.tensor_parallel"]
    assert json.loads((tmp_path / "p.json").read_text(encoding="utf-8")) == found
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["ttft (ms)"]) for row in rows] == [point["ttft_ms"] for point in points]
    assert {row["parallel.tensor_parallel"] for row in rows} == {"1", "2", "4", "8"}
    assert not home.exists()


def test_people_get_a_table_a_plot_and_the_counts(run: Run, on_paper: Path) -> None:
    answer = run("predict", on_paper)
    assert answer.returncode == 0, answer.stderr
    for words in ("Predicted frontier", "16 of 16 candidates predicted", "predicted by roofline"):
        assert words in answer.stdout
    assert "o predicted frontier" in answer.stdout


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--predictor", "rooflin"), ["--predictor", "rooflin", "roofline"]),
        (("--mode", "GOLD"), ["--mode", "GOLD"]),
        (("--save", "/proc/none/p.json"), ["/proc/none"]),
        (("--csv", "/proc/none/p.csv"), ["/proc/none"]),
    ],
)
def test_mistakes_are_shown(
    words: tuple[str, ...], answer: list[str], run: Run, on_paper: Path
) -> None:
    is_shown(run("predict", on_paper, *words, "--json"), *answer)


def test_nothing_is_predicted_where_nobody_is_asked(run: Run, on_paper: Path) -> None:
    found = document(run("predict", on_paper, "--predictor", "none", "--json"), code=1)
    assert (found["predictions"], found["frontier"], found["predictor"]) == ([], [], None)
    assert set(found["refused"].values()) == {"prediction.predictor is none"}


def test_the_plan_has_the_predicted_frontier_and_what_it_costs(run: Run, on_paper: Path) -> None:
    found = document(run("plan", on_paper, "--json"))["prediction"]
    assert found["frontier"]
    assert found["asked"] == 16
    assert found["minutes"] > 0
    assert found["usd"] == pytest.approx(found["minutes"] / 60 * 8 * 3.0)
    assert "predicted cost" in run("plan", on_paper).stdout


@pytest.mark.slow
def test_a_run_has_its_predictions_and_a_second_one_learns_from_it(
    run: Run, write_task: WriteTask, home: Path
) -> None:
    benchmark = {"concurrency": [1, 2], "requests_per_level": 3, "learn_when_busy": True}
    task = write_task({"prediction": {"predictor": "roofline"}, "benchmark": benchmark})
    first = run("tune", task)
    assert first.returncode == 0, first.stderr
    assert "Predicted frontier" in first.stdout
    assert "(predicted " in first.stderr
    assert "Predicted against actual" in first.stdout
    shown = document(run("show", "--json"))
    levels = [answer for e in shown["experiments"] for answer in e["predictions"]]
    assert len(levels) == 8
    assert all(answer["base"]["ttft_ms"] > 0 and answer["measured"] for answer in levels)
    assert len(document(run("observations", "list", "--json"))["observations"]) == 8

    second = document(run("tune", task, "--again", "--json"))
    assert second["task"]["id"] == 2
    error = second["prediction_error"]
    for metric in ("ttft_ms", "tpot_ms"):
        off = error["base"][metric]["median_ape"]
        assert error["calibrated"][metric]["median_ape"] < off
    page = (home / "reports" / "run-2.html").read_text(encoding="utf-8")
    assert "Predicted against actual" in page


def test_a_predictor_that_is_asked_for_and_not_installed_is_a_mistake(
    run: Run, on_paper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "installed_version", lambda: None)
    refused = run("predict", on_paper, "--predictor", "aiconfigurator")
    is_shown(refused, "aiconfigurator is not installed", "make aiconfigurator")
    monkeypatch.setattr(aisimulate, "installed", lambda: None)
    refused = run("predict", on_paper, "--predictor", "aisimulate")
    is_shown(refused, "AISimulate is not installed", "make aisimulate")


@pytest.mark.parametrize("name", ["p.json", "p.csv"])
def test_what_is_saved_of_several_engines_is_compared_with_measurements(
    name: str, run: Run, tmp_path: Path
) -> None:
    task = tmp_path / "task.yaml"
    task.write_text(
        json.dumps(
            {
                "version": 2,
                "name": "two",
                "model": {"id": "meta-llama/Llama-3.1-8B"},
                "runtime": {"isl": 512, "osl": 128},
                "system": {"backend": ["vllm", "sglang"], "gpu_type": "h100", "total_gpus": 1},
                "prediction": {"predictor": "roofline"},
                "benchmark": {"concurrency": [1, 4]},
            }
        ),
        encoding="utf-8",
    )
    option = "--csv" if name.endswith("csv") else "--save"
    assert run("predict", task, option, tmp_path / name).returncode == 0
    measured = tmp_path / "measured.csv"
    rows = ["concurrency,ttft_ms,tpot_ms,tok_s,isl,osl,engine"]
    rows += ["1,90,9.5,95,512,128,vllm", "4,90,9.5,95,512,128,sglang"]
    measured.write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = json.loads(run("verify", "compare", tmp_path / name, measured, "--json").stdout)
    assert [(pair["engine"], pair["load"]["value"]) for pair in found["pairs"]] == [
        ("vllm", 1),
        ("sglang", 4),
    ]
    assert all(pair["predicted_tok_s"] for pair in found["pairs"])
