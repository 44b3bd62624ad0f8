"""Load levels that are rates: from the task file to results, and what is refused of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from running import Run, WriteTask

RATES = {
    "load": [{"rate": 5}, {"rate": 40}],
    "requests_per_level": 24,
    "duration_per_level_s": 20,
    "warmup_requests": 2,
    "cut_short": False,
}


@pytest.mark.slow
def test_a_task_of_rates_is_measured_by_its_schedule(run: Run, write_task: WriteTask) -> None:
    changes = {"benchmark": RATES, "scheduling": {"max_running_requests": [1, 8]}}
    task = write_task(changes | {"misc": {"threads": 1}}, "--ttft-ms=40", "--tpot-ms=5")
    done = run("tune", task, "--json")
    assert done.returncode == 0, done.stderr
    assert "(the engine does not keep up with the rate" in done.stderr
    summary = json.loads(done.stdout)
    levels = [measured for launch in summary["experiments"] for measured in launch["measurements"]]
    loads = [level["load"] for level in levels]
    assert loads == [{"kind": "rate", "value": value} for value in (5.0, 40.0, 5.0, 40.0)]
    # One slot answers in 55 ms, 18 requests a second, and eight slots more than 40.
    assert [level["saturated"] for level in levels] == [False, True, False, False]
    for level in levels:
        assert level["valid"], level["errors"]
        assert level["requests_completed"] == 24
        assert 0 <= level["client_delay_ms"] <= level["client_worst_delay_ms"]
        assert level["ttft_ms"]["mean"] >= 40
        if not level["saturated"]:
            assert level["requests_s"] == pytest.approx(level["load"]["value"], rel=0.1)
    slow = levels[1]
    # Request n is due after n / 40 s, and begins after n / 18; the second ends as the sixth comes.
    waits_ms = [n * (40 + 3 * 5 - 1000 / 40) for n in range(5, 5 + 24)]
    assert slow["ttft_ms"]["mean"] == pytest.approx(40 + sum(waits_ms) / 24, rel=0.15)
    assert slow["requests_s"] == pytest.approx(1000 / 55, rel=0.1)
    assert summary["frontier"]
    assert {point["load"]["kind"] for point in summary["frontier"]} == {"rate"}
    slow_launch = summary["experiments"][0]["id"]
    points = [(point["experiment"], point["load"]["value"]) for point in summary["frontier"]]
    assert (slow_launch, 40) not in points, "what grows for as long as it lasts is no point"
    again = run("tune", task, "--json")
    assert again.returncode == 0, again.stderr
    assert [launch["id"] for launch in json.loads(again.stdout)["experiments"]] == [
        launch["id"] for launch in summary["experiments"]
    ]


@pytest.mark.slow
def test_rates_above_one_that_is_not_kept_up_with_are_left_out(
    run: Run, write_task: WriteTask
) -> None:
    changes: dict[str, Any] = {"benchmark": RATES | {"load": [{"rate": r} for r in (5, 40, 60)]}}
    changes["benchmark"]["cut_short"] = True
    task = write_task(
        changes | {"misc": {"threads": 1}, "scheduling": {"max_running_requests": 1}},
        *("--ttft-ms=40", "--tpot-ms=5"),
    )
    done = run("tune", task, "--json")
    assert done.returncode == 0, done.stderr
    [launch] = json.loads(done.stdout)["experiments"]
    assert [level["load"]["value"] for level in launch["measurements"]] == [5, 40]
    assert "does not keep up with 40 requests/s" in launch["cut_short"]


@pytest.mark.parametrize(
    ("benchmark", "field", "remedy"),
    [
        (RATES | {"tool": "genai-bench"}, "benchmark.load", "benchmark.tool: autotuner"),
        (RATES | {"load": [{"rate": 0}]}, "benchmark.load", "above 0"),
        (RATES | {"load": [{"rate": 2}, {"concurrency": 2}]}, "benchmark", "keep one kind"),
    ],
    ids=["a_tool_without_rates", "no_rate", "two_kinds"],
)
@pytest.mark.parametrize("command", ["validate", "plan", "tune"])
def test_a_rate_that_cannot_be_measured_is_refused_before_any_launch(
    command: str,
    benchmark: dict[str, Any],
    field: str,
    remedy: str,
    run: Run,
    write_task: WriteTask,
) -> None:
    refused = run(command, write_task({"benchmark": benchmark}))
    assert refused.returncode == 2
    message = " ".join(refused.stderr.split())
    assert field in message
    assert remedy in message
