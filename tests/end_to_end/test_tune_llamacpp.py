"""From a task file to a frontier on the real engine, with the real command."""

from __future__ import annotations

import json
import math
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
import yaml

from free_ports import free_port

EXAMPLES = Path(__file__).parents[2] / "examples" / "v2"
AUTOTUNER = (sys.executable, "-m", "autotuner")
TASK = """
version: 2
name: small
model: {id: smollm2-135m}
runtime: {isl: 16, osl: 8}
scheduling: {max_running_requests: [1, 2]}
memory: {max_model_len: 64}
attention: {backend: flash}
misc: {threads: 1}
benchmark:
  concurrency: [1, 2]
  requests_per_level: 4
  duration_per_level_s: 30
  warmup_requests: 1
  cut_short: false
  learn_when_busy: true
optimization: {strategy: grid}
slo: {ttft_ms: 100000, tpot_ms: 100000}
"""


def autotuner(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"AUTOTUNER_HOME": str(home)}
    return subprocess.run(
        [*AUTOTUNER, *words], capture_output=True, text=True, check=False, env=environment
    )


def answer(url: str, body: dict[str, Any] | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request, timeout=60) as got:  # noqa: S310
        text: bytes = got.read()
        return text


def test_a_task_becomes_a_frontier_whose_command_serves(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(TASK, encoding="utf-8")
    done = autotuner(tmp_path / "home", "tune", str(tmp_path / "task.yaml"), "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert [e["status"] for e in shown["experiments"]] == ["completed"] * 3
    assert [e["phase"] == "baseline" for e in shown["experiments"]] == [True, False, False]
    assert shown["baseline"]["status"] == "completed"
    assert shown["baseline"]["is_recommended"] or shown["baseline"]["same_load"]["figures"]
    for experiment in shown["experiments"]:
        for level in experiment["measurements"]:
            assert (level["requests_completed"], level["requests_failed"]) == (4, 0)
            assert level["input_tokens"] == 4 * 16
            assert level["output_tokens"] == 4 * 8
            assert 0 < level["ttft_ms"]["p50"] < level["e2e_ms"]["p50"]
    assert shown["frontier"]
    assert shown["recommended"]["meets_slo"]
    report = Path(shown["report"]).read_text(encoding="utf-8")
    assert all(e["id"] in report for e in shown["experiments"])
    serves(shown["recommended"]["command"])


def serves(command: str) -> None:
    """Runs the command as a user would, on a port that is free here, and asks it for an answer."""
    port = str(free_port())
    words = shlex.split(command)
    words[words.index("--port") + 1] = port
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while not _healthy(url) and server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        body = {"prompt": "Once upon a time", "max_tokens": 4}
        assert json.loads(answer(f"{url}/v1/completions", body))["usage"]["completion_tokens"] == 4
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0
    finally:
        server.kill()
        server.wait()


def _healthy(url: str) -> bool:
    try:
        answer(f"{url}/health")
    except (URLError, OSError):
        return False
    return True


QUICK_TO_PLAN = ("quickstart", "moe-sglang")
SMALL = ("ray",)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=path.stem, marks=() if path.stem in QUICK_TO_PLAN else pytest.mark.slow
        )
        for path in sorted(EXAMPLES.glob("*.yaml"))
    ],
)
def test_each_example_can_be_planned(path: Path, tmp_path: Path) -> None:
    model = yaml.safe_load(path.read_text(encoding="utf-8"))["model"].get("path")
    if model and not (path.parent / model).exists():
        pytest.skip(f"{model} is made by `make engine-vllm`")
    done = autotuner(tmp_path, "plan", str(path), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["candidates"] >= (2 if path.stem in SMALL else 8)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept <= {"cache", "device.json"}, "a plan keeps answers and the speed of this CPU"


def far_from_what_was_learnt(first: dict[str, Any], second: dict[str, Any], which: str) -> float:
    """How far the second run's predictions are from what the first had measured.

    Not from what the second measured: how alike two runs on a busy machine are is not ours to say.
    """
    measured = {
        (experiment["id"], found["load"]["value"]): found["measured"]
        for experiment in first["experiments"]
        for found in experiment["predictions"]
    }
    return sum(
        math.log(found[which][metric] / measured[experiment["id"], found["load"]["value"]][metric])
        ** 2
        for experiment in second["experiments"]
        for found in experiment["predictions"]
        for metric in ("ttft_ms", "tpot_ms")
    )


@pytest.mark.slow
def test_a_second_run_starts_with_what_the_first_has_taught(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(TASK, encoding="utf-8")
    first, second = (
        json.loads(autotuner(tmp_path / "home", "tune", "--again", *words).stdout)
        for words in [(str(tmp_path / "task.yaml"), "--json")] * 2
    )
    assert (first["task"]["id"], second["task"]["id"]) == (1, 2)
    at_first = first["experiments"][0]["predictions"][0]
    assert at_first["calibrated"]["ttft_ms"] == at_first["base"]["ttft_ms"]
    # The levels of further launches, which confirm the result, teach too.
    taught = sum(len(experiment["measurements"]) for experiment in first["experiments"])
    assert taught > 6
    for found in second["experiments"][0]["predictions"]:
        calibrated = f"calibrated by {taught} of {taught} observations"
        assert calibrated in found["calibrated"]["source"]
        assert found["calibrated"]["ttft_ms"] != found["base"]["ttft_ms"]
    error = second["prediction_error"]
    assert (error["base"]["points"], error["calibrated"]["points"]) == (6, 6)
    far = {
        which: far_from_what_was_learnt(first, second, which) for which in ("base", "calibrated")
    }
    assert far["calibrated"] < far["base"]
    report = Path(second["report"]).read_text(encoding="utf-8")
    assert "Predicted against actual" in report


@pytest.mark.slow
def test_the_failing_example_ends_well_with_its_failures_classified(tmp_path: Path) -> None:
    done = autotuner(tmp_path, "tune", str(EXAMPLES / "failing.yaml"), "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    kinds = {}
    baseline, *searched = shown["experiments"]
    assert (baseline["phase"], baseline["status"]) == ("baseline", "completed")
    for experiment in searched:
        settings = experiment["settings"]
        case = (settings["memory.max_model_len"], " ".join(settings["misc.extra_args"][:1]))
        kind = experiment["failure"]["kind"] if experiment["failure"] else "completed"
        kinds.setdefault(case, set()).add(kind)
    assert kinds == {
        (256, ""): {"completed"},
        (256, "--no-such-flag"): {"unknown_flag"},
        (256, "--cpu-limit-s"): {"died_under_load"},
        (1000000, ""): {"out_of_memory"},
        (1000000, "--no-such-flag"): {"unknown_flag"},
        (1000000, "--cpu-limit-s"): {"out_of_memory"},
    }
    failed = {e["id"] for e in shown["experiments"] if e["failure"]}
    assert shown["frontier"]
    assert not failed & {point["experiment"] for point in shown["frontier"]}
