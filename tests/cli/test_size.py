"""`autotuner size`: replicas and GPUs for a traffic, by predictions and by measurements."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import Run, WriteTask
from test_bad_input import is_shown
from test_json import document

from autotuner.cli.commands.size import share
from autotuner.landscapes import landscape_csv
from autotuner.report.size_views import SizeView
from autotuner.testing.made_up_landscape import made_up_landscape

EXAMPLES = Path(__file__).parents[2] / "examples" / "v2"
TASK: dict[str, Any] = {
    "version": 2,
    "name": "service",
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
    "runtime": {"isl": 1000, "osl": 200},
    "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 2},
    "parallel": {"tensor_parallel": [1, 2]},
    "scheduling": {"max_running_requests": [32, 64]},
    "benchmark": {"concurrency": [1, 32]},
    "prediction": {"predictor": "roofline"},
    "slo": {"ttft_ms": 1000, "tpot_ms": 30},
}


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A task for GPUs that are not here."""
    path = tmp_path / "service.yaml"
    path.write_text(yaml.safe_dump(TASK), encoding="utf-8")
    return path


def test_the_smallest_deployment_holds_the_traffic_with_head_room(
    run: Run, service: Path, home: Path
) -> None:
    found = document(run("size", service, "--rate", "40", "--json"))
    assert SizeView.model_validate(found).model_dump(mode="json") == found
    assert (found["source"], found["headroom"], found["slo"]) == ("predicted", 0.2, TASK["slo"])
    best = found["deployments"][0]
    held = best["capacity"]["requests_per_s"]
    assert best["replicas"] == math.ceil(40 / (0.8 * held))
    assert best["utilisation"] == pytest.approx(40 / best["replicas"] / held)
    assert best["gpus"] == best["replicas"] * best["gpus_per_replica"]
    assert best["usd_per_hour"] == pytest.approx(3 * best["gpus"])
    assert best["usd_per_million_tokens"] == pytest.approx(
        best["usd_per_hour"] / (40 * 200 * 3600) * 1e6
    )
    assert best["usd_per_million_input_tokens"] == pytest.approx(best["usd_per_million_tokens"] / 5)
    least, most = best["replicas_interval"]
    assert least <= best["replicas"] and (most is None or best["replicas"] <= most)
    assert all(best["latencies_ms"][name] <= limit for name, limit in TASK["slo"].items())
    assert [made["gpus"] for made in found["deployments"]] == sorted(
        made["gpus"] for made in found["deployments"]
    )
    assert "meta-llama/Llama-3.1-8B" in best["command"]
    assert not home.exists()


def test_people_get_replicas_costs_growth_and_how_sure_it_is(run: Run, service: Path) -> None:
    growing = ("--growth-per-month", "50%", "--months", "6")
    answer = run("size", service, "--rate", "100", *growing, "--usd-per-gpu-hour", "2")
    assert answer.returncode == 0, answer.stderr
    for words in ("smallest ", "USD per hour", "month 0", "month 6", "interpolated between"):
        assert words in answer.stdout
    assert "by the intervals at least" in answer.stdout
    assert "arrivals at random" in answer.stdout


def test_gpus_are_compared_and_what_they_cannot_serve_is_left_out(run: Run, service: Path) -> None:
    prices = ("--usd-per-gpu-hour", "h100=2,h200=30")
    words = ("--gpu", "t4,h100", "--gpu", "h200", *prices)
    task = TASK | {"quantization": {"gemm_mode": "fp8"}}
    service.write_text(yaml.safe_dump(task), encoding="utf-8")
    found = document(run("size", service, "--rate", "40", *words, "--json"))
    by_gpu = {row["gpu"]: row for row in found["gpus"]}
    assert set(by_gpu) == {"h100_sxm", "h200_sxm"}
    assert set(found["refused"]) == {"t4"}
    assert "fp8" in found["refused"]["t4"]
    assert by_gpu["h100_sxm"]["usd_per_gpu_hour"] == 2
    assert found["cheapest"]["gpu"] == "h100_sxm"
    assert "t4: left out" in run("size", service, "--rate", "40", *words).stdout


def test_all_gpus_are_those_of_the_maker(run: Run, service: Path) -> None:
    found = document(run("size", service, "--users", "9", "--gpu", "all", "--json"))
    names = {row["gpu"] for row in found["gpus"]} | set(found["refused"])
    assert {"h100_sxm", "b200_sxm", "l4"} <= names
    assert not names & {"mi300x", "m4", "cpu"}


def test_an_slo_that_nothing_meets_names_the_limit(run: Run, service: Path) -> None:
    words = ("size", service, "--rate", "1", "--slo", "tpot_ms=0.1")
    found = document(run(*words, "--json"), code=1)
    assert (found["deployments"], found["holding"]) == ([], 0)
    nearest = found["nearest"]
    assert (nearest["limit"], nearest["limit_ms"]) == ("tpot_ms", 0.1)
    assert found["slo"] == TASK["slo"] | {"tpot_ms": 0.1}, "the task's other limits stay"
    assert nearest["over"] == pytest.approx(nearest["value_ms"] / 0.1 - 1)
    shown = run(*words).stdout
    assert "nothing holds it" in shown and "TPOT" in shown and "over the limit" in shown


@pytest.mark.parametrize(
    "name", ["dense-vllm", "moe-sglang", "trtllm-fp8", "compare-engines", "best-within-slo"]
)
def test_the_examples_are_sized_by_prediction(name: str, run: Run) -> None:
    words = (EXAMPLES / f"{name}.yaml", "--rate", "2", "--predictor", "roofline")
    assert document(run("size", *words, "--json"))["deployments"]


def test_a_stored_task_is_sized_by_its_measurements(run: Run, write_task: WriteTask) -> None:
    tuned = run("tune", write_task())
    assert tuned.returncode == 0, tuned.stderr
    shown = document(run("show", "--json"))
    found = document(run("size", "--rate", "50", "--headroom", "0", "--json"))
    assert (found["task"], found["source"]) == ("1", "measured")
    by_id = {e["id"]: e["measurements"] for e in shown["experiments"]}
    for made in found["deployments"]:
        rates = [level["requests_s"] for level in by_id[made["candidate"]]]
        held = made["capacity"]["requests_per_s"]
        assert held in rates
        assert made["replicas"] == math.ceil(50 / held - 1e-9)
        assert (made["gpus"], made["usd_per_hour"]) == (0, None)
    assert any("no SLO" in note for note in found["notes"])
    assert [row["gpus"] for row in found["gpus"]] == [0]
    growing = ("--users", "3", "--headroom", "0", "--growth-per-month", "0.5")
    users = document(run("size", "1", *growing, "--json"))
    assert {row["gpus"] for row in users["growth"]} == {0}
    assert users["growth"][1]["traffic"]["users"] == pytest.approx(4.5)
    months = [line for line in run("size", "1", *growing).stdout.splitlines() if "month " in line]
    assert months and not any("GPU" in line for line in months)
    best = users["deployments"][0]
    assert best["replicas"] == math.ceil(3 / best["capacity"]["load"]["value"])
    priced = document(run("show", "--usd-per-gpu-hour", "3.6", "--json"))
    for point in priced["frontier"]:
        cost = 3.6 / (point["tok_s_per_gpu"] * 3600) * 1e6
        assert point["usd_per_million_tokens"] == pytest.approx(cost)
        assert point["usd_per_million_total_tokens"] < point["usd_per_million_input_tokens"]
    assert "USD per million tokens" in run("show", "--usd-per-gpu-hour", "3.6").stdout
    is_shown(run("show", "--usd-per-gpu-hour", "0", "--json"), "--usd-per-gpu-hour", "0")
    idle = ("--predictor", "roofline")
    is_shown(run("size", "1", "--rate", "1", *idle), "--predictor roofline", "is measured")
    strict = run("size", "1", "--rate", "1", "--slo", "ttft_ms=0.001")
    assert strict.returncode == 1
    assert "nothing holds it" in strict.stdout


def test_a_stored_replay_is_on_the_gpu_that_was_recorded(run: Run, tmp_path: Path) -> None:
    table = landscape_csv(made_up_landscape((1, 4)))
    (tmp_path / "table.csv").write_text(table, encoding="utf-8")
    replay = {"deployment_mode": "replay", "replay": {"landscape": "table.csv"}}
    task = {"version": 2, "name": "replay", **replay, "optimization": {"strategy": "grid"}}
    (tmp_path / "replay.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")
    tuned = run("tune", tmp_path / "replay.yaml")
    assert tuned.returncode == 0, tuned.stderr
    found = document(run("size", "--rate", "4", "--usd-per-gpu-hour", "h100=1", "--json"))
    (row,) = found["gpus"]
    assert (row["gpu"], row["usd_per_gpu_hour"]) == ("h100_sxm", 1)
    assert row["gpus"] > 0 and row["usd_per_hour"] == row["gpus"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ((), ["--rate, --users or --trace", "none is given"]),
        (("--rate", "1", "--users", "2"), ["--rate and --users are given"]),
        (("--rate", "0"), ["--rate", "0", "above 0"]),
        (("--users", "-4"), ["--users", "-4"]),
        (("--rate", "1", "--think-s", "3"), ["--think-s 3", "--users"]),
        (("--users", "1", "--think-s", "-3"), ["--think-s", "-3"]),
        (("--rate", "1e308"), ["--rate", "no service"]),
        (("--users", "1e300"), ["--users", "no service"]),
        (("--rate", "1e6", "--growth-per-month", "900%"), ["--growth-per-month 900%"]),
        (("--rate", "1", "--headroom", "20%%"), ["--headroom", "20%%"]),
        (("--rate", "1", "--months", "500"), ["--months 500", "--growth-per-month"]),
        (("--rate", "1", "--headroom", "100%"), ["--headroom", "100%"]),
        (("--rate", "1", "--growth-per-month", "lots"), ["--growth-per-month", "lots"]),
        (("--rate", "1", "--growth-per-month", "1%", "--months", "0"), ["--months 0"]),
        (("--rate", "1", "--gpu", "h1000"), ["--gpu: 'h1000'"]),
        (("--rate", "1", "--usd-per-gpu-hour", "nope=1"), ["--usd-per-gpu-hour: 'nope'"]),
        (("--rate", "1", "--gpu", "cpu"), ["--gpu cpu"]),
        (("--rate", "1", "--usd-per-gpu-hour", "h100=free"), ["h100=free"]),
        (("--rate", "1", "--slo", "tpot=3"), ["--slo", "tpot"]),
        (("--rate", "1", "--predictor", "rooflin"), ["--predictor", "roofline"]),
    ],
)
def test_mistakes_name_the_option_and_the_value(
    words: tuple[str, ...], shown: list[str], run: Run, service: Path
) -> None:
    is_shown(run("size", service, *words, "--json"), *shown)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("20%", 0.2),
        ("20", 0.2),
        ("0.2", 0.2),
        ("0.2%", 0.002),
        ("1", 0.01),
        ("0", 0),
        (" 5 %", 0.05),
    ],
)
def test_a_number_below_1_is_a_share_and_one_with_the_sign_is_not(text: str, meant: float) -> None:
    assert share("--headroom", text, below=1.0) == pytest.approx(meant)


def test_a_task_that_is_not_there_is_a_mistake(run: Run, tmp_path: Path) -> None:
    is_shown(run("size", "7", "--rate", "1"), "there are no tasks")
    is_shown(run("size", tmp_path / "none.yaml", "--rate", "1"), "none.yaml")
