"""`autotuner recommend`: an answer by prediction alone, and what it says where nothing fits."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import Run
from test_bad_input import is_shown
from test_json import document

from autotuner.server.v2.recommendation_views import RecommendationView

ON_TWO = ("--model", "meta-llama/Llama-3.1-8B-Instruct", "--gpu", "h100", "--gpus", "2")
LENGTHS = ("--isl", "1000", "--osl", "200", "--predictor", "roofline")
RECOMMEND = ("recommend", *ON_TWO, *LENGTHS)


def test_the_best_point_has_its_command_its_interval_and_what_it_costs(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = document(run(*RECOMMEND, "--ttft", "800", "--tpot", "30", "--json"))
    assert RecommendationView.model_validate(found).model_dump(mode="json") == found
    best = found["recommended"]
    assert found["meets_slo"] and best["meets_slo"]
    assert {limit["name"]: limit["limit_ms"] for limit in best["limits"]} == {
        "ttft_ms": 800,
        "tpot_ms": 30,
    }
    assert best["verdict"] in ("meets", "unclear")
    assert best["kind"].startswith("roofline")
    assert all(low < high for low, high in best["intervals"].values())
    assert best["command"].startswith(best["command"].split()[0])
    assert best["sample_request"].startswith("curl http://127.0.0.1:")
    assert best["replicas_that_fit"] == 2 // best["gpus"]
    cost = [best[f"usd_per_million_{name}tokens"] for name in ("", "input_", "total_")]
    price = found["usd_per_gpu_hour"]
    assert cost[0] == pytest.approx(price * best["gpus"] / best["tok_s"] / 3600 * 1e6)
    assert cost[1] == pytest.approx(cost[0] / 5)
    assert 1 / cost[2] == pytest.approx(1 / cost[0] + 1 / cost[1])
    names = {engine["engine"] for engine in found["engines"]}
    assert names == {"vllm", "sglang", "trtllm", "lmdeploy"}
    for other in found["alternatives"]:
        assert other["differs"] and other["meets_slo"]
        assert other["tok_s"] / other["gpus"] <= best["tok_s"] / best["gpus"]
    measuring = found["measuring"]
    assert 0 <= measuring["rivals"] < measuring["kinds"]
    assert measuring["tasks"][0]["engine"] == best["engine"]
    assert not home.exists() and not list(tmp_path.iterdir())
    init, tune = (shlex.split(text) for text in measuring["tasks"][0]["commands"])
    written = run(*init[1:])
    assert written.returncode == 0, written.stderr
    task = yaml.safe_load((tmp_path / tune[-1]).read_text(encoding="utf-8"))
    assert task["slo"] == {"ttft_ms": 800, "tpot_ms": 30}
    assert task["system"]["backend"] == best["engine"]


@pytest.mark.parametrize("load", [(), ("--users", "5"), ("--rate", "3")])
def test_measuring_costs_what_the_plan_of_the_written_file_says(
    load: tuple[str, ...], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = (*RECOMMEND, "--ttft", "1000", "--engine", "vllm", *load)
    (task,) = document(run(*words, "--json"))["measuring"]["tasks"]
    init, tune = (shlex.split(text) for text in task["commands"])
    assert run(*init[1:]).returncode == 0
    with Path(tune[-1]).open("a", encoding="utf-8") as file:
        file.write("\nprediction: {predictor: roofline}\n")
    plan = document(run("plan", tune[-1], "--json"))
    assert task["load"] == plan["load"]
    assert task["minutes"] == pytest.approx(plan["prediction"]["minutes"])
    assert task["usd"] == pytest.approx(plan["prediction"]["usd"])
    beside = (plan["baseline"] is not None) + plan["confirm_launches"]
    assert task["launches"] == plan["launches"] + beside
    assert len(task["load_missing"]) == (1 if load else 0)
    if load:
        assert "the file measures at" in run(*words).stdout


def test_people_get_the_point_its_cost_and_what_measuring_settles(run: Run) -> None:
    answer = run(*RECOMMEND, "--ttft", "800", "--engine", "vllm", "--usd-per-gpu-hour", "2")
    assert answer.returncode == 0, answer.stderr
    # As the engine is installed here, or as it would be.
    assert re.search(r"(vllm serve|api_server --model) meta-llama/Llama-3.1-8B", answer.stdout)
    for words in (
        "recommended vllm",
        "USD per million tokens",
        "at 2 USD per GPU and hour",
        "What measuring would settle",
        "autotuner tune llama-3.1-8b-instruct-vllm.yaml",
        "curl http",
    ):
        assert words in answer.stdout
    assert "sglang" not in answer.stdout


def test_nothing_within_the_slo_is_exit_1_with_the_nearest(run: Run) -> None:
    found = document(run(*RECOMMEND, "--tpot", "0.5", "--engine", "vllm", "--json"), code=1)
    assert not found["meets_slo"]
    assert "comes nearest" in found["recommended"]["reason"]
    (limit,) = found["recommended"]["limits"]
    assert limit["over"] > 0 and limit["verdict"] in ("unclear", "misses")


def test_a_model_that_fits_no_engine_is_exit_1_with_the_reasons(run: Run) -> None:
    words = ("recommend", "--model", "llama-3.1-70b", "--gpu", "l4", *LENGTHS)
    found = document(run(*words, "--json"), code=1)
    assert found["recommended"] is None
    assert set(found["refused"]) == {"vllm", "sglang", "trtllm", "lmdeploy"}
    assert all("GiB" in why for why in found["refused"].values())
    assert "vllm cannot" in run(*words).stdout
    is_shown(run(*words, "--engine", "vllm", "--json"), "--engine: vllm", "GiB")


@pytest.mark.parametrize(
    ("load", "level"),
    [
        (("--users", "12"), {"kind": "concurrency", "value": 12}),
        (("--rate", "3"), {"kind": "rate", "value": 3.0}),
    ],
)
def test_a_load_that_is_given_is_the_only_one(
    load: tuple[str, ...], level: dict[str, Any], run: Run
) -> None:
    found = document(run(*RECOMMEND, *load, "--engine", "vllm", "--json"))
    assert found["recommended"]["load"] == level
    assert {tuple(one["load"].items()) for one in found["alternatives"]} == {tuple(level.items())}


def test_a_gguf_model_is_for_the_engine_that_reads_it(run: Run) -> None:
    words = ("recommend", "--model", "smollm2-135m", "--gpu", "rtx_4090", *LENGTHS)
    found = document(run(*words, "--json"))
    assert [engine["engine"] for engine in found["engines"]] == ["llamacpp"]
    assert "--ctx-size" in found["recommended"]["command"]


def test_an_engine_without_predictions_says_why(run: Run) -> None:
    words = ("recommend", "--model", "nvidia/Nemotron-H-56B-Base-8K", "--gpu", "h100", *LENGTHS)
    done = run(*words, "--engine", "vllm")
    assert done.returncode == 1
    assert "not known of nvidia/Nemotron-H-56B-Base-8K: parameters" in done.stdout


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--engine", "vlm"), ["vlm", "vllm"]),
        (("--gpu", "h1000"), ["h1000"]),
        (("--model", "/nowhere/model"), ["/nowhere/model", "config.json"]),
        (("--model", "./nowhere"), ["/nowhere", "config.json"]),
        (("--model", "org/odd"), ["'org/odd'", "known:", "config.json", "model.path"]),
        (("--model=-foo/bar",), ["model.id: '-foo/bar'", "dash"]),
        (("--model", " "), ["model.id", "is empty"]),
        (("--model", "a" * 300), ["model.id", "not in the catalog"]),
        (("--model", "Qwen/Qwen3-9B"), ["'Qwen/Qwen3-9B'", "did you mean 'Qwen/Qwen3-8B'?"]),
        (("--ttft", "0"), ["--ttft", "above 0"]),
        (("--tpot", "nan"), ["--tpot", "nan"]),
        (("--engine", "nope"), ["--engine: 'nope'"]),
        (("--gpu", "nope"), ["--gpu: 'nope'"]),
        (("--ttft", "5", "--slo", "ttft_ms=6"), ["--ttft 5", "ttft_ms", "6"]),
        (("--users", "3", "--rate", "2"), ["--users 3", "--rate 2"]),
        (("--rate", "-1"), ["rate", "-1"]),
        (("--predictor", "rooflin"), ["--predictor", "roofline"]),
        (("--mode", "GOLD"), ["--mode", "GOLD"]),
        (("--usd-per-gpu-hour", "-2"), ["--usd-per-gpu-hour", "-2"]),
    ],
)
def test_mistakes_name_the_option_and_the_value(
    words: tuple[str, ...], shown: list[str], run: Run
) -> None:
    is_shown(run(*RECOMMEND, *words, "--json"), *shown)
