"""A recorded table through the real command: the example, labels, stops, exports, mistakes."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from running import REPLAYED_LEVELS, Done, Run, WriteTask

from autotuner.landscapes import read_landscape
from autotuner.measure.replay import ReplayLoadGenerator
from autotuner.testing.made_up_landscape import ALL_FAIL, made_up_landscape

EXAMPLE = Path(__file__).parents[2] / "examples" / "v2" / "replay-qwen235b.yaml"
LABEL = "replayed, not launched"
SMALL = {"misc": {"threads": 1}}
NAMED = {"model": {"id": "smollm2-135m"}}


def document(done: Done, code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def is_shown(done: Done, *words: str) -> None:
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr


@pytest.mark.slow
def test_the_example_is_tuned_and_labelled_everywhere(run: Run) -> None:
    tuned = document(run("tune", EXAMPLE, "--json"))
    assert (tuned["task"]["replay"], tuned["task"]["status"]) == (True, "completed")
    assert tuned["task"]["landscape"] == "../landscapes/dev_qwen235b_b200_trtllm.csv.gz"
    assert tuned["task"]["model"] == "Qwen/Qwen3-235B-A22B"
    assert len(tuned["experiments"]) == 12
    assert all(LABEL in e["command"] for e in tuned["experiments"])
    assert LABEL in tuned["recommended"]["command"]
    assert all(e["startup_s"] == pytest.approx(240) for e in tuned["experiments"])
    assert tuned["frontier"]
    page = Path(tuned["report"]).read_text(encoding="utf-8")
    assert "<b>Replay</b> of ../landscapes/dev_qwen235b_b200_trtllm.csv.gz" in page
    assert "(simulated)" in page
    assert page.count('<tr class="vain">') == sum(
        step["in_vain"] for step in tuned["search"]["launches"]
    )
    assert {point["experiment"] for point in tuned["search"]["predicted_frontier"]} <= {
        e["id"] for e in tuned["experiments"]
    }

    assert document(run("show", "--json")) == tuned
    assert [r["replay"] for r in document(run("tasks", "--json"))["tasks"]] == [True]
    assert "times are simulated" in run("show").stdout
    assert "(replay)" in run("tasks").stdout


@pytest.mark.slow
def test_a_run_on_engines_is_not_labelled(run: Run, write_task: WriteTask) -> None:
    tuned = document(run("tune", write_task(SMALL), "--json"))
    assert (tuned["task"]["replay"], tuned["task"]["landscape"]) == (False, None)
    assert "simulated" not in run("show").stdout
    assert "replay" not in run("tasks").stdout
    assert "<b>Replay</b>" not in Path(tuned["report"]).read_text(encoding="utf-8")


def test_people_are_shown_before_and_meanwhile(run: Run, replay: WriteTask) -> None:
    done = run("tune", replay())
    assert done.returncode == 0, done.stderr
    assert f"of table.csv, {LABEL}" in " ".join(done.stdout.split())
    assert "to replay, nothing is launched" in done.stderr
    assert "failed: out_of_memory: out of memory, as recorded" in done.stderr
    lines = done.stdout.splitlines()
    place = next(
        n for n, line in enumerate(lines) if line.startswith("curl http://127.0.0.1:8080/")
    )
    assert lines[place - 1].startswith("Try it; until the model is loaded, the engine answers 503")


def test_a_task_of_another_name_that_asks_for_the_same_is_named(
    run: Run, replay: WriteTask
) -> None:
    run("tune", replay({"name": "first"}))
    again = run("tune", replay({"name": "second"}))
    shown = " ".join(again.stderr.split())
    assert "'second' asks for the same launches as task 1 'first', which goes on" in shown
    assert "--again" in shown


def test_what_is_shown_before_a_replay(run: Run, replay: WriteTask, home: Path) -> None:
    task = replay({"quantization": {"kvcache_mode": "fp8"}})
    plan = document(run("plan", task, "--json"))
    assert (plan["replay"], plan["landscape"]) == (True, "table.csv")
    assert (plan["combinations"], plan["candidates"]) == (6, 3)
    assert plan["excluded"] == {"quantization.kvcache_mode is not what the task asks for": 3}
    assert plan["prediction"]["predictor"] == "recorded"
    assert [level["value"] for level in plan["load"]] == list(REPLAYED_LEVELS)
    assert document(run("validate", task, "--json"))["candidates"] == 3
    for rendered in document(run("render", task, "--json"))["candidates"]:
        assert rendered["command"].endswith(LABEL)
    assert "kvcache_mode" in run("explain", task).stdout
    predicted = document(run("predict", task, "--json"))
    assert (predicted["predictor"], predicted["candidates"]) == ("recorded", 3)
    assert not (home / "autotuner.db").exists()


def test_a_command_without_a_setting_says_so_above_it(run: Run) -> None:
    rows = document(run("render", EXAMPLE, "--json"))["candidates"]
    assert any(row["unserved"] is None for row in rows)
    row = next(row for row in rows if row["unserved"] is not None)
    assert row["unserved"].startswith("trtllm cannot express quantization.gemm_mode=")
    _, _, shown = run("render", EXAMPLE, "--candidate", row["id"]).stdout.partition("\n")
    warning = f"# This does not serve what was measured: {row['unserved']}"
    assert shown == f"{warning}\n{row['command']}\n"


def test_where_nothing_succeeds_the_exit_code_is_1(run: Run, replay: WriteTask) -> None:
    only = made_up_landscape().launch(ALL_FAIL).settings
    chosen = {
        "parallel": {"tp": only["parallel.tensor_parallel"]},
        "quantization": {"kvcache_mode": only["quantization.kvcache_mode"]},
    }
    failed = document(run("tune", replay(chosen), "--json"), code=1)
    assert [e["failure"]["kind"] for e in failed["experiments"]] == ["out_of_memory"]
    is_shown(run("export"), "task 1", "no frontier")


def test_one_objective_is_shown_launch_by_launch(run: Run, replay: WriteTask) -> None:
    changes = {"optimization": {"strategy": "random", "objectives": ["tok_s_per_gpu"]}}
    tuned = document(run("tune", replay(changes), "--json"))
    search = tuned["search"]
    assert search["measure"] == "tok_s_per_gpu"
    assert search["launches"][-1]["value"] == tuned["recommended"]["tok_s_per_gpu"]
    assert [step["experiment"] for step in search["launches"] if not step["in_vain"]] == [
        tuned["recommended"]["experiment"]
    ]
    assert all(set(point["values"]) == {"tok_s_per_gpu"} for point in search["predicted_frontier"])
    assert "Search: best throughput per device (tok/s/GPU) after each launch" in " ".join(
        run("show").stdout.split()
    )


def test_interrupted_the_same_command_goes_on(
    run: Run, replay: WriteTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = replay()
    alone = document(run("tune", task, "--json", "--home", tmp_path / "alone"))
    levels = 0
    measure = ReplayLoadGenerator.run

    async def stop_after_seven(*words: Any, **more: Any) -> Any:
        nonlocal levels
        levels += 1
        if levels == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return await measure(*words, **more)

    monkeypatch.setattr(ReplayLoadGenerator, "run", stop_after_seven)
    stopped = run("tune", task, "--json")
    assert stopped.returncode == 130
    assert document(stopped, code=130)["task"]["status"] == "interrupted"
    resumed = document(run("tune", task, "--json"))
    assert (resumed["task"]["id"], resumed["task"]["status"]) == (1, "completed")

    def shown(found: dict[str, Any]) -> list[Any]:
        return [(e["id"], e["status"], e["measurements"]) for e in found["experiments"]]

    assert shown(resumed) == shown(alone)


def test_a_run_is_exported_and_replayed(run: Run, replay: WriteTask, tmp_path: Path) -> None:
    tuned = document(run("tune", replay(), "--json"))
    rows = list(csv.DictReader(io.StringIO(run("export", "1", "--format", "landscape").stdout)))
    assert {row["launch"] for row in rows} == {e["id"] for e in tuned["experiments"]}
    assert {row["source"] for row in rows} == {"task 1 'small replay', replayed from table.csv"}

    points = list(csv.DictReader(io.StringIO(run("export", "--format", "csv").stdout)))
    assert {row["candidate"] for row in points} == {e["id"] for e in tuned["experiments"]}
    assert json.loads(run("export", "--format", "json").stdout)["frontier"] == tuned["frontier"]
    whole = document(run("export", "--format", "json", "-o", tmp_path / "r.json", "--json"))
    levels = sum(len(e["measurements"]) for e in tuned["experiments"])
    assert (whole["launches"], whole["rows"]) == (6, levels)
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["task"]["id"] == 1

    packed = tmp_path / "out" / "own.csv.gz"
    shown = document(run("export", "--output", packed, "--json"))
    assert shown == {
        "task": 1, "file": str(packed), "launches": 6, "rows": len(rows), "replay": True,
    }  # fmt: skip
    assert read_landscape(packed).model == "meta-llama/Llama-3.1-8B-Instruct"

    again = document(run("tune", replay({"replay": {"landscape": str(packed)}}), "--json"))

    def measured(found: dict[str, Any]) -> dict[str, list[Any]]:
        return {
            e["id"]: [(m["load"]["value"], m["tok_s"], m["valid"]) for m in e["measurements"]]
            for e in found["experiments"]
        }

    assert measured(again) == measured(tuned)
    times = [{e["id"]: e["startup_s"] for e in found["experiments"]} for found in (tuned, again)]
    assert times[0] == pytest.approx(times[1])


@pytest.mark.slow
def test_a_run_of_a_real_engine_is_exported_and_replayed(
    run: Run, write_task: WriteTask, replay: WriteTask, tmp_path: Path
) -> None:
    tuned = document(
        run("tune", write_task(SMALL | {"prediction": {"predictor": "roofline"}}), "--json")
    )
    table = tmp_path / "own.csv"
    assert run("export", "-o", table).returncode == 0
    landscape = read_landscape(table)
    assert {launch.engine for launch in landscape.launches} == {"llamacpp"}
    assert all(launch.gpus == 1 for launch in landscape.launches)
    assert (landscape.isl, landscape.osl) == (8, 4)
    assert all(level.predicted for launch in landscape.launches for level in launch.levels)

    again = document(run("tune", replay({"replay": {"landscape": "own.csv"}}), "--json"))
    assert (again["task"]["model"], again["task"]["engine"]) == ("smollm2-135m", "llamacpp")
    assert len(again["frontier"]) == len(tuned["frontier"])
    for one, other in zip(again["frontier"], tuned["frontier"], strict=True):
        assert one["tok_s"] == pytest.approx(other["tok_s"])
        assert one["e2e_p90_ms"] == pytest.approx(other["e2e_p90_ms"])
        words = other["command"].partition(" --host")[2]
        assert one["command"].partition(" --host")[2] == f"{words}  # {LABEL}"


def test_an_export_replaces_no_file_unasked(run: Run, replay: WriteTask, tmp_path: Path) -> None:
    assert run("tune", replay(), "--json").returncode == 0
    there = tmp_path / "there.csv"
    there.write_text("mine", encoding="utf-8")
    is_shown(run("export", "--output", there), "there.csv", "--force")
    assert there.read_text(encoding="utf-8") == "mine"
    assert run("export", "--output", there, "--force").returncode == 0
    assert read_landscape(there).launches
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    is_shown(run("export", "--format", "landscap"), "--format", "landscape")
    is_shown(run("export", "--json"), "--output")
    is_shown(run("export", "9"), "9")
    is_shown(run("export", "--output", tmp_path / "there.csv" / "x.csv"), "cannot be written")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"replay": {"landscape": "nowhere.csv"}}, ["nowhere.csv", "no such file"]),
        ({"replay": {"landscape": "replay.yaml"}}, ["replay.yaml", "column"]),
        ({"replay": {}}, ["replay.landscape"]),
        ({"replay": None}, ["replay.landscape"]),
        ({"deployment_mode": "local", **NAMED}, ["replay: is given", "deployment_mode: replay"]),
        ({"deployment_mode": "podman", "replay": None, **NAMED}, ["deployment_mode", "podman"]),
        ({"parallel": {"tp": [1, 16]}}, ["parallel.tensor_parallel", "16", "1, 2, 4"]),
        ({"memory": {"page_size": 16}}, ["memory.page_size"]),
        ({"parallel": {"tp": 4}, "system": {"total_gpus": 2}}, ["system.total_gpus", "2"]),
        ({"benchmark": {"concurrency": [1, 5]}}, ["benchmark.concurrency", "5"]),
        ({"benchmark": {"tool": "genai-bench"}}, ["benchmark.tool", "leave it out"]),
        ({"engine_path": "/bin/true"}, ["engine_path", "leave it out"]),
        ({"model": {"id": "Qwen3-32"}}, ["Qwen3-32", "not in the catalog"]),
    ],
)
@pytest.mark.parametrize("command", ["validate", "tune"])
def test_a_replay_with_a_mistake(
    command: str,
    changes: dict[str, Any],
    words: list[str],
    run: Run,
    replay: WriteTask,
    home: Path,
) -> None:
    done = run(command, replay(changes))
    is_shown(done, *words)
    assert len(done.stderr.strip().splitlines()) <= 4, done.stderr
    assert not home.exists()
