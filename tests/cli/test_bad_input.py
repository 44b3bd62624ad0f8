"""A user's mistake: exit code 2, a line or two with field, value and remedy, nothing written."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from running import COMMAND, Done, Run, WriteTask

ONE_CANDIDATE = {"scheduling": {"max_running_requests": 1}, "misc": {"threads": 1}}


def is_shown(done: Done, *words: str) -> None:
    """The mistake is told in few lines, each of `words` among them."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert 1 <= len(done.stderr.strip().splitlines()) <= 4, done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schedulling": {"policy": "fcfs"}}, ["schedulling", "scheduling"]),
        ({"scheduling": {"max_runing_requests": 2}}, ["max_running_requests"]),
        ({"runtime": {"isl": "many", "osl": 4}}, ["runtime.isl", "many"]),
        ({"runtime": {"isl": -8, "osl": 4}}, ["runtime.isl", "-8"]),
        ({"runtime": {"isl": 8}}, ["runtime.osl", "missing"]),
        ({"misc": {"threads": []}}, ["misc.threads"]),
        ({"misc": {"threads": [1, "two"]}}, ["misc.threads", "two"]),
        ({"misc": ["threads"]}, ["misc"]),
        ({"memory": {"max_model_len": 11}}, ["memory.max_model_len", "12"]),
        ({"benchmark": {"concurrency": [0]}}, ["benchmark.concurrency", "0"]),
        ({"benchmark": {"workload": "D(8,4)"}}, ["benchmark.workload", "runtime.isl"]),
        ({"optimization": {"strategy": "gird"}}, ["optimization.strategy", "grid"]),
        ({"optimization": {"objectives": ["speed"]}}, ["optimization.objectives", "speed"]),
        (
            {"optimization": {"objectives": ["usd_per_million_tokens", "ttft_ms"]}},
            ["optimization.objectives", "system.price_per_gpu_hour"],
        ),
        (
            {"optimization": {"budget": {"usd": 1}}},
            ["optimization.budget.usd", "system.price_per_gpu_hour"],
        ),
        ({"optimization": {"budget": {"experiments": 0}}}, ["budget.experiments", "0", "leave"]),
        ({"optimization": {"parallel_launches": 2}}, ["parallel_launches", "2 engines", "auto"]),
        ({"slo": {"ttft_ms": -1}}, ["slo.ttft_ms", "-1"]),
        ({"version": 3}, ["version", "3"]),
        ({"model": {"id": "smolm2-135m"}}, ["smolm2-135m", "smollm2-135m"]),
        ({"model": {"path": "nowhere.gguf"}}, ["nowhere.gguf"]),
        ({"engine_path": "/no/such/program"}, ["engine_path", "/no/such/program"]),
        ({"parallel": {"tensor_parallel": 2}}, ["parallel.tensor_parallel", "2"]),
        ({"misc": {"extra_args": ["--port", "1"]}}, ["extra_args", "--port"]),
        ({"system": {"backend": "lama"}}, ["system.backend", "lama"]),
        ({"profiles": ["fast"]}, ["profiles", "fast"]),
    ],
)
@pytest.mark.parametrize("command", ["validate", "tune"])
def test_a_task_with_a_mistake(
    command: str,
    changes: dict[str, Any],
    words: list[str],
    run: Run,
    write_task: WriteTask,
    home: Path,
) -> None:
    is_shown(run(command, write_task(changes)), *words)
    assert not home.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("task.yaml", b"version: 2\nname: [a\nmodel: {}\n", ["line 3", "column"]),
        ("task.yaml", b"version: 2\n\tname: a\n", ["line 2", "column"]),
        ("task.json", b'{"version": 2,\n "name": }', ["line 2", "column"]),
        ("task.yaml", b"\xff\xfe\x00version", ["task.yaml"]),
        ("task.yaml", b"", ["task.yaml"]),
        ("task.yaml", b"- version: 2\n", ["task.yaml"]),
        ("task.yaml", b"version: 2\nversion: 2\n", ["version", "line 2"]),
    ],
)
def test_a_file_that_is_no_task(
    name: str, content: bytes, words: list[str], run: Run, tmp_path: Path, home: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    is_shown(run("tune", tmp_path / name), *words)
    assert not home.exists()


def test_a_file_that_is_not_there_or_a_folder(run: Run, tmp_path: Path) -> None:
    is_shown(run("tune", tmp_path / "none.yaml"), "none.yaml")
    is_shown(run("plan", tmp_path), str(tmp_path.name))


def test_a_model_that_is_no_gguf(run: Run, write_task: WriteTask, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_text("no model at all", encoding="utf-8")
    is_shown(run("tune", write_task({"model": {"path": "model.gguf"}})), "model.gguf", "GGUF")


def test_a_home_that_is_no_folder(run: Run, write_task: WriteTask, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run("tune", write_task(), "--home", tmp_path / "file" / "home", "--json")
    is_shown(done, "--home")


def test_a_store_that_is_no_database(run: Run, write_task: WriteTask, home: Path) -> None:
    home.mkdir()
    (home / "autotuner.db").write_bytes(b"something else entirely" * 100)
    for words in (("tune", write_task(), "--json"), ("show",), ("tasks",)):
        is_shown(run(*words), "autotuner.db", "not a database")


def test_a_disk_that_is_full(
    run: Run, run_apart: Run, write_task: WriteTask, environment: dict[str, str]
) -> None:
    """A limit on the size of files stands for the disk: SQLite and logs cannot grow."""
    # Python would keep what it compiled as far as the limit allows, and trip over it ever after.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))

    task = write_task(ONE_CANDIDATE)
    done = run_apart("tune", task, "--json", preexec_fn=limit)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr
    assert run("tune", task, "--json").returncode == 0, "nothing is broken afterwards"


def test_a_home_in_use_by_another_run(
    run: Run, write_task: WriteTask, environment: dict[str, str]
) -> None:
    task = write_task(None, "--ttft-ms=600000")
    first = subprocess.Popen(
        [*COMMAND, "tune", str(task)], stderr=subprocess.PIPE, text=True, env=environment,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert first.stderr is not None
        while "launches" not in (line := first.stderr.readline()):
            assert line, "the first run has ended early"
        is_shown(run("tune", task, "--json"), "small", str(first.pid))
        first.send_signal(signal.SIGINT)
        _, given = first.communicate(timeout=60)
    finally:
        first.kill()
        first.wait()
    assert first.returncode == 130
    assert "interrupted: 0 finished experiments are kept" in given
    assert "Traceback" not in given


def test_runs_and_candidates_that_are_not_there(run: Run, write_task: WriteTask) -> None:
    is_shown(run("show"), "no tasks")
    task = write_task(ONE_CANDIDATE)
    assert run("tune", task, "--json").returncode == 0
    is_shown(run("show", "7"), "7", "1")
    is_shown(run("report", "7"), "7")
    is_shown(run("render", task, "--candidate", "abc"), "--candidate", "abc")


def test_a_report_that_cannot_be_written(run: Run, write_task: WriteTask, tmp_path: Path) -> None:
    assert run("tune", write_task(ONE_CANDIDATE), "--json").returncode == 0
    is_shown(run("report", "--output", tmp_path), str(tmp_path))


def test_a_reader_that_goes_away_is_no_mistake(run: Run, write_task: WriteTask) -> None:
    script = f"{sys.executable} -m autotuner schema | head -c 1"
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stderr == ""


def test_validate_shows_every_fault_as_json(run: Run, write_task: WriteTask, home: Path) -> None:
    wrong = {"slo": {"ttft_ms": -1, "tpot": 3}, "misc": {"thread": 1}}
    done = run("validate", write_task(wrong), "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["valid"], found["candidates"]) == (2, False, None)
    assert all(set(fault) == {"path", "message"} for fault in found["errors"])
    shown = {(fault["path"], fault["message"].partition(",")[0]) for fault in found["errors"]}
    assert ("slo.tpot", "unknown key 'tpot'") in shown
    assert ("misc.thread", "unknown key 'thread'") in shown
    assert "slo.ttft_ms" in {path for path, _ in shown}

    meant = {"model": {"id": "smolm2-135m"}, "profiles": ["fast"], "system": {"backend": "lama"}}
    found = json.loads(run("validate", write_task(meant), "--json").stdout)
    assert {fault["path"] for fault in found["errors"]} >= {"profiles[0]", "system.backend"}
    assert "smollm2-135m" in str(found["errors"])
    is_shown(run("validate", write_task(meant)), "smollm2-135m", "fast", "lama")
    assert not home.exists()


def test_validate_shows_a_broken_file_as_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("version: 2\nname: [a\nmodel: {}\n", encoding="utf-8")
    done = run("validate", tmp_path / "t.yaml", "--json")
    ((fault),) = json.loads(done.stdout)["errors"]
    assert (done.returncode, fault["path"]) == (2, "")
    assert "line 3" in fault["message"]


def test_a_broken_profile_hurts_only_tasks_that_name_it(
    run: Run, write_task: WriteTask, home: Path
) -> None:
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "mine.yaml").write_text("name: mine\nlayers: 3\n", encoding="utf-8")
    listed = json.loads(run("profiles", "list", "--json").stdout)["profiles"]
    (broken,) = [row for row in listed if row["problem"] is not None]
    assert broken["name"] == "mine"
    assert "expected a list" in broken["problem"]
    assert "broken" in run("profiles", "list").stdout
    assert run("validate", write_task({"profiles": ["balanced"]})).returncode == 0
    is_shown(run("validate", write_task({"profiles": ["mine"]})), "mine.yaml", "expected a list")
    is_shown(run("profiles", "show", "mine"), "mine.yaml")
