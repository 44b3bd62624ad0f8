"""`autotuner verify`: files compared and judged; tasks in aiconfigurator's words and back."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import Done, Run, WriteTask

from autotuner.verify import METRICS

SAVED = Path(__file__).parents[1] / "verify" / "data" / "aiconfigurator"
CLIENT = "the load generator may have set these figures"
GENAI_BENCH = Path(__file__).parents[1] / "verify" / "data" / "genai-bench"
MEASURED = (
    "tp,concurrency,isl,osl,ttft_s,tpot_ms,tok_s",
    "2,112,1024,512,0.35,30,3600",
    "8,144,1024,512,0.25,15,8800",
    "8,145,1024,512,0.25,15,8800",
    "1,160,1024,512,0.6,-70,2000",
)


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """Two points that aiconfigurator predicts, one that it does not, one that cannot be."""
    path = tmp_path / "measured.csv"
    path.write_text("\n".join(MEASURED), encoding="utf-8")
    return path


def document(done: Done, code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_aiconfigurator_saved_is_compared_with_what_was_measured(
    run: Run, measured: Path, tmp_path: Path
) -> None:
    page, rows = tmp_path / "page.html", tmp_path / "pairs.csv"
    words = ("verify", "compare", SAVED / "default", measured)
    shown = document(run(*words, "--json", "--html", page, "--csv", rows))
    assert (shown["predicted"]["format"], shown["actual"]["format"]) == ("aiconfigurator", "csv")
    assert set(shown["metrics"]) == set(METRICS)
    assert shown["metrics"]["ttft"]["pairs"] == 2
    assert [pair["load"]["value"] for pair in shown["pairs"]] == [112, 144]
    assert shown["pairs"][0]["ttft_error"] == pytest.approx(100 * (305.123 - 350) / 350)
    assert [one["why"] for one in shown["actual"]["excluded"]] == [
        "tpot_ms is -70, expected a positive number"
    ]
    assert "concurrency is 145" in shown["actual"]["unmatched"][0]["why"]
    assert shown["pairs"][0]["like_for_like"] is False
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    with rows.open(encoding="utf-8", newline="") as file:
        assert [row["concurrency"] for row in csv.DictReader(file)] == ["112", "144"]
    text = run(*words)
    assert text.returncode == 0
    assert "2 pairs, 0 like for like" in text.stdout
    assert "excluded line 5: tpot_ms is -70" in text.stdout


def test_a_required_limit_that_is_missed_is_exit_code_1(run: Run, measured: Path) -> None:
    words = ("verify", "compare", SAVED / "default", measured, "--json", "--require")
    kept = document(run(*words, "ttft_median_ape=30", "--require", "pairs=2"))
    assert [one["met"] for one in kept["requirements"]] == [True, True]
    missed = document(run(*words, "ttft_within_5=100", "--within", "5"), code=1)
    assert [one["met"] for one in missed["requirements"]] == [False]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--require", "ttft_mape"), "has no limit"),
        (("--within", "ten"), "--within 'ten'"),
        (("--slo", "ttft_ms=-1"), "ttft_ms is -1"),
        (("--actual-set", "tp=two"), "tensor_parallel"),
        (("--actual-set", "model=other"), "model is other"),
        (("--html", "/dev/null/page.html"), "/dev/null/page.html cannot be written"),
    ],
)
def test_a_mistake_is_shown_and_nothing_is_written(
    options: tuple[str, str], word: str, run: Run, measured: Path, home: Path
) -> None:
    done = run("verify", "compare", SAVED / "default", measured, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert not home.exists()


def test_a_run_is_compared_with_another_and_what_a_file_does_not_show_can_be_given(
    run: Run, write_task: WriteTask, tmp_path: Path
) -> None:
    tuned = run("tune", write_task({"misc": {"threads": 1}}), "--json")
    path = tmp_path / "run.json"
    path.write_text(tuned.stdout, encoding="utf-8")
    same = document(run("verify", "compare", path, path, "--json"))
    assert same["metrics"]["tok_s"]["mape"] == 0
    assert same["choices"][0]["same"] is True
    # On a machine that others load, the load generator may mark its own levels; nothing else may.
    assert set(same["unlike"]) <= {CLIENT}

    settings = ("--actual-set", "scheduling.max_running_requests=2", "--actual-set", "threads=1")
    unclear = run("verify", "compare", path, GENAI_BENCH)
    assert unclear.returncode == 2
    assert "--predicted-set or --actual-set" in unclear.stderr
    names = {"model": "smollm2", "engine": "vllm", "system": "h100", "isl": "32", "osl": "8"}
    message = [word for n, v in names.items() for word in ("--predicted-set", f"{n}={v}")]
    bench = run("verify", "compare", path, GENAI_BENCH, *settings[:2], *message, "--json")
    shown = document(bench)
    assert shown["metrics"]["ttft"]["pairs"] == 2
    assert "measured by genai-bench" in "".join(shown["unlike"])


def test_a_task_goes_into_aiconfigurators_words_and_back(run: Run, tmp_path: Path) -> None:
    task = tmp_path / "task.yaml"
    ours = {
        "version": 2,
        "name": "mine",
        "model": {"id": "Qwen/Qwen3-32B"},
        "runtime": {"isl": 100, "osl": 50},
        "system": {"gpu_type": "h200", "total_gpus": 8, "backend": "vllm"},
        "parallel": {"tp": [2, 4]},
        "memory": {"page_size": 16},
    }
    task.write_text(yaml.safe_dump(ours), encoding="utf-8")
    theirs = tmp_path / "theirs.yaml"
    done = run("verify", "translate", task, "--output", theirs)
    assert done.returncode == 0, done.stderr
    assert "no counterpart: memory.page_size = 16" in done.stderr
    written = yaml.safe_load(theirs.read_text(encoding="utf-8"))
    assert written["mine"]["agg_tp_candidates"] == [2, 4]
    back = document(run("verify", "translate", theirs, "--json"))
    assert back["to"] == "autotuner"
    assert back["documents"][0]["parallel"] == {"tensor_parallel": [2, 4]}
    saved = document(run("verify", "translate", SAVED / "default", "--json"))
    assert len(saved["documents"]) == 2
    assert {"field", "value", "why"} == set(saved["left"][0])
    assert run("verify", "translate", tmp_path / "none.yaml").returncode == 2
