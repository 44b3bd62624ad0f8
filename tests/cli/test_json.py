"""`--json`: one document on stdout and nothing else, in the documented shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from running import Done, Run, WriteTask
from test_bad_input import is_shown

from autotuner.workers.devices import FoundGpu

EXPERIMENT = {"id", "status", "failure", "selection_reason", "settings", "command", "measurements"}
POINT = {"experiment", "load", "tok_s", "tok_s_per_gpu", "tok_s_per_user", "ttft_ms"}


def document(done: Done, code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_run_and_what_is_shown_of_it(run: Run, write_task: WriteTask, home: Path) -> None:
    task = write_task()
    tuned = document(run("tune", task, "--json"))
    assert tuned["task"]["status"] == "completed"
    assert [e["status"] for e in tuned["experiments"]] == ["completed"] * 4
    assert all(set(e) >= EXPERIMENT for e in tuned["experiments"])
    assert (tuned["task"]["strategy"], tuned["experiments"][0]["phase"]) == ("grid", "grid")
    assert tuned["task"]["strategy_reason"] == "all 4 candidates in the order of the space"
    assert all(len(e["measurements"]) == 2 for e in tuned["experiments"])
    assert tuned["frontier"]
    assert all(set(point) >= POINT | {"tpot_ms", "command"} for point in tuned["frontier"])
    assert tuned["recommended"]["command"] in {e["command"] for e in tuned["experiments"]}
    assert Path(tuned["report"]).is_file()
    launches = tuned["search"]["launches"]
    assert [step["experiment"] for step in launches] == [e["id"] for e in tuned["experiments"]]
    assert [step["reason"] for step in launches] == [
        e["selection_reason"] for e in tuned["experiments"]
    ]
    assert (tuned["search"]["measure"], launches[-1]["value"]) == ("hypervolume", 1.0)
    useful = {point["experiment"] for point in tuned["frontier"]}
    assert {step["experiment"] for step in launches if not step["in_vain"]} == useful

    assert document(run("show", "--json")) == tuned
    assert document(run("show", "1", "--json")) == tuned
    (listed,) = document(run("tasks", "--json"))["tasks"]
    assert (listed["id"], listed["completed"], listed["failed"]) == (1, 4, 0)
    assert document(run("report", "--json", "--output", home / "r.html"))["report"]
    assert (home / "r.html").is_file()

    names_of_rows_lead_to_commands(run, task, tuned)
    the_ledger_says_what_was_tried(run, tuned)

    again = document(run("tune", task, "--json"))
    assert again["experiments"] == tuned["experiments"], "a finished run is not measured again"
    fresh = document(run("tune", task, "--json", "--fresh"))
    assert fresh["task"]["id"] == 2
    assert fresh["experiments"] != tuned["experiments"]
    assert document(run("show", "1", "--json"))["experiments"] == tuned["experiments"]


def the_ledger_says_what_was_tried(run: Run, tuned: dict[str, Any]) -> None:
    ledger = document(run("ledger", "--json"))
    assert document(run("ledger", tuned["task"]["name"], "--json")) == ledger
    launches, experiments = ledger["launches"], tuned["experiments"]
    assert [one["candidate"] for one in launches] == [e["id"] for e in experiments]
    assert [one["reason"] for one in launches] == [e["selection_reason"] for e in experiments]
    assert launches[0]["changed"] is None
    for before, one, after in zip(experiments, launches[1:], experiments[1:], strict=False):
        assert one["changed"]
        for path, (old, new) in one["changed"].items():
            assert (before["settings"].get(path), after["settings"].get(path)) == (old, new)
        assert one["result"]["tok_s"] > 0
    totals = ledger["totals"]
    assert totals["launches"] == {"completed": 4}
    assert (totals["not_launched"], totals["budget"]["spent"]["experiments"]) == (0, 4)
    assert totals["best"]["candidate"] == tuned["recommended"]["experiment"]
    text = run("ledger", "1").stdout
    assert text.startswith(f"# Task 1, {tuned['task']['name']}: completed\n")
    assert len([line for line in text.splitlines() if line.startswith("| ")]) == 2 + 4
    assert tuned["recommended"]["command"] in text
    is_shown(run("ledger", "9"), "there is no task 9", "tasks: 1")
    is_shown(run("ledger", "nothing"), "there is no task 'nothing'", "autotuner tasks")


def names_of_rows_lead_to_commands(run: Run, task: Path, tuned: dict[str, Any]) -> None:
    """`show` prints short ids and numbers of points that `render` and `show` take."""
    shown, first = run("show").stdout, tuned["experiments"][0]
    for point in tuned["frontier"]:
        assert point["experiment"][:7] in shown
    for number, point in enumerate(tuned["frontier"], 1):
        (row,) = document(run("render", "--task", 1, "--point", number, "--json"))["candidates"]
        assert (row["id"], row["load"]) == (point["experiment"], point["load"])
        assert row["command"] == point["command"]
        assert f"{number}" in shown
    best = run("render", "--best").stdout
    assert tuned["recommended"]["command"] in best
    assert run("render", task, "--best").stdout == best
    assert len(document(run("render", "--task", 1, "--json"))["candidates"]) == len(
        tuned["frontier"]
    )
    for words in ((task,), ("--task", 1)):
        (row,) = document(run("render", *words, "--candidate", first["id"][:7], "--json"))[
            "candidates"
        ]
        assert row["command"] == first["command"]
    assert document(run("show", "--candidate", first["id"][:7], "--json")) == first
    alone = run("show", "1", "--candidate", first["id"][:7]).stdout
    assert first["command"] in alone
    assert first["selection_reason"] in alone
    mistakes: dict[tuple[object, ...], list[str]] = {
        (): ["--best", "--task"],
        ("--task", 1, "--point", 99): ["--point", "99", "points 1 to"],
        ("--task", 7): ["7"],
        ("--best", "--point", 1): ["--point", "--best"],
        (task, "--task", 1): ["--task"],
        ("--task", 1, "--candidate", "x"): ["--candidate", "task 1"],
        ("--best", "--engine", "vllm"): ["--engine"],
    }
    for mistake, answer in mistakes.items():
        is_shown(run("render", *mistake), *answer)


def test_what_is_shown_before_a_run(run: Run, write_task: WriteTask, home: Path) -> None:
    task = write_task()
    plan = document(run("plan", task, "--json"))
    assert (plan["candidates"], plan["launches"], len(plan["experiments"])) == (4, 4, 4)
    assert (plan["strategy"], plan["side_by_side"], plan["min_gain"]) == ("grid", 1, 0.001)
    assert plan["strategy_reason"] == "all 4 candidates in the order of the space"
    valid = document(run("validate", task, "--json"))
    assert valid["valid"]
    assert valid["content_id"] == plan["content_id"]
    rendered = document(run("render", task, "--json"))["candidates"]
    assert [c["command"] for c in rendered] == [e["command"] for e in plan["experiments"]]
    one = document(run("render", task, "--candidate", rendered[1]["id"], "--json"))["candidates"]
    assert one == rendered[1:2]
    assert document(run("schema"))["properties"]["benchmark"]
    assert document(run("doctor", "--json"))["ready"]
    assert document(run("tasks", "--json")) == {"tasks": []}
    assert not home.exists()


@pytest.mark.slow
def test_a_budget_above_the_candidates_launches_all_and_the_plan_says_so(
    run: Run, write_task: WriteTask
) -> None:
    task = write_task({"optimization": {"strategy": "grid", "budget": {"experiments": 50}}})
    plan = document(run("plan", task, "--json"))
    assert (plan["launches"], plan["budget"]["experiments"]) == (4, 50)
    assert "all of them to launch" in " ".join(run("plan", task).stdout.split())
    done = run("tune", task, "--json")
    assert len(document(done)["experiments"]) == 4
    assert "strategy grid: all 4 candidates" in done.stderr
    assert "(grid: candidate 1 of 4 in grid order)" in done.stderr
    assert "completed: all 4 candidates are launched" in done.stderr


def test_a_plan_counts_what_is_excluded_and_why(run: Run, write_task: WriteTask) -> None:
    changes = {"memory": {"max_model_len": [8, 64]}}
    plan = document(run("plan", write_task(changes), "--json"))
    assert (plan["combinations"], plan["candidates"]) == (8, 4)
    ((reason, count),) = plan["excluded"].items()
    assert count == 4
    assert "memory.max_model_len" in reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        ("crash-start", "died_while_loading"),
        ("oom-start", "out_of_memory"),
        ("model-load", "model_load"),
        ("crash-load", "died_under_load"),
        ("oom-load", "out_of_memory"),
        ("refuse", "load_errors"),
    ],
)
def test_where_nothing_succeeds_the_exit_code_is_1(
    fail: str, kind: str, run: Run, write_task: WriteTask
) -> None:
    done = run("tune", write_task({"misc": {"threads": 1}}, f"--fail={fail}"), "--json")
    failed = document(done, code=1)
    assert {e["failure"]["kind"] for e in failed["experiments"]} == {kind}
    assert (failed["frontier"], failed["recommended"]) == ([], None)
    assert "Traceback" not in done.stderr


def test_doctor_lists_the_gpus_that_the_driver_describes(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [FoundGpu(str(n), "NVIDIA H100 80GB HBM3", 79.6) for n in range(2)]
    found.append(FoundGpu("2", "Frobnicator 3000", 16.0))
    monkeypatch.setattr("autotuner.cli.commands.doctor.found_gpus", lambda: found)
    cpu, *gpus = document(run("doctor", "--json"))["devices"]
    assert cpu["kind"] == "cpu" and cpu["cores"] >= 1
    assert [(each["name"], each["count"]) for each in gpus] == [
        ("h100_sxm", 2),
        ("Frobnicator 3000", 1),
    ]
    assert gpus[0]["bandwidth_gb_s"] > 3_000 and gpus[0]["tflops"]["fp8"] > 1_000
    assert gpus[1]["bandwidth_gb_s"] is None and gpus[1]["tflops"] is None
    shown = " ".join(run("doctor").stdout.split())
    assert "2 x h100_sxm" in shown and "describe it in gpus.yaml" in shown
