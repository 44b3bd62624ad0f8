"""`autotuner migrate`: a database of version 1, and its task files."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import COMMAND, Run

V1 = Path(__file__).parents[1] / "migrate"
sys.path.append(str(V1))

from v1_database import EXAMPLE, built  # noqa: E402


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return built(tmp_path / "v1.db", tasks=6, experiments=2)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_preview_apply_verify_undo_and_apply_again(run: Run, source: Path, home: Path) -> None:
    before = sha256(source)
    seen = run("migrate", "db", source, "--preview", "--json")
    assert json.loads(seen.stdout)["units"]["tasks"] == {"moved": 6}
    assert not (home / "autotuner.db").exists()
    first = json.loads(run("migrate", "db", source, "--apply", "--json").stdout)
    assert (first["backup"], first["source_unchanged"]) == (None, True)
    compared = run("migrate", "verify", source)
    assert compared.returncode == 0 and "nothing differs" in compared.stdout
    foreseen = json.loads(run("migrate", "undo", "--preview", "--json").stdout)
    assert (foreseen["removed"], foreseen["running"]) == (9, [])
    assert "nothing was removed" in run("migrate", "undo", "--preview").stdout
    undone = json.loads(run("migrate", "undo", "--json").stdout)
    assert undone["counts"] == foreseen["counts"]
    assert (undone["removed"], undone["left"]) == (9, [])
    assert run("migrate", "verify", source, "--json").returncode == 1
    again = json.loads(run("migrate", "db", source, "--apply", "--json").stdout)
    assert again["units"]["tasks"] == {"moved": 6}
    with closing(sqlite3.connect(again["backup"])) as backup:
        assert backup.execute("SELECT count(*) FROM tasks").fetchone() == (0,)
    assert run("migrate", "verify", source).returncode == 0
    assert sha256(source) == before


def test_mistakes_are_named(run: Run, source: Path, home: Path, tmp_path: Path) -> None:
    for words, message in (
        (("db", source), "say what to do"),
        (("db", tmp_path / "none.db", "--apply"), "cannot be read: No such file"),
        (("db", source, "--apply", "--to", "mysql://x"), "are not supported"),
        (("db", source, "--apply", "--to", f"sqlite:///{source}"), "keeps its own database"),
        (("db", source, "--apply", "--only", "nobody"), "has no such task"),
        (("undo",), "no migration is here"),
        (("undo", "7"), "nothing of migration 7 is here"),
        (("task", source), "it is no UTF-8 text"),
        (("task", tmp_path / "none.json"), "cannot be read: No such file"),
    ):
        done = run("migrate", *words)
        assert (done.returncode, message in done.stderr) == (2, True), (words, done.stderr)
        assert "Traceback" not in done.stderr


def test_version_1_in_the_home_is_recognised(run: Run, source: Path, home: Path) -> None:
    home.mkdir()
    source.rename(home / "autotuner.db")
    done = run("tasks")
    assert done.returncode == 2
    assert "is a database of version 1" in done.stderr
    assert "autotuner migrate db v1.db --apply" in done.stderr


def test_a_target_that_cannot_be_written(run: Run, source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("migrate", "db", source, "--apply", "--to", f"sqlite:///{tmp_path}/file/x.db")
    assert done.returncode == 2 and "unable to open" in done.stderr


def test_task_files_are_printed_as_version_2(run: Run) -> None:
    files = [EXAMPLE / "tasks" / f"{name}.json" for name in ("slo", "simple")]
    done = run("migrate", "task", *files)
    assert done.returncode == 0
    assert [task["version"] for task in yaml.safe_load_all(done.stdout)] == [2, 2]
    assert "slo.steepness: kept" in done.stderr
    both = run("migrate", "task", files[0], "--preview").stdout
    assert '"task_name": "slo"' in both and "name: slo" in both and "steepness: kept" in both
    found = json.loads(run("migrate", "task", files[0], "--json").stdout)["tasks"]
    assert found[0]["task"]["name"] == "slo" and found[0]["notes"]


def test_each_traffic_scenario_becomes_a_task(run: Run, tmp_path: Path) -> None:
    v1 = json.loads((EXAMPLE / "tasks" / "simple.json").read_text("utf-8"))
    v1["benchmark"]["traffic_scenarios"] = ["D(64,16)", "N(480,240)/(300,150)", "D(64,16)"]
    file = tmp_path / "task.json"
    file.write_text(json.dumps(v1))
    done = run("migrate", "task", file)
    found = list(yaml.safe_load_all(done.stdout))
    assert [(task["name"], task["benchmark"]["workload"]) for task in found] == [
        ("simple", "D(64,16)"),
        ("simple N(480,240)/(300,150)", "N(480,240)/(300,150)"),
    ]
    assert "traffic_scenarios" not in done.stderr


def test_an_engine_is_named_where_the_runtime_names_none(run: Run, tmp_path: Path) -> None:
    v1 = json.loads((EXAMPLE / "tasks" / "simple.json").read_text("utf-8"))
    file = tmp_path / "task.json"
    file.write_text(json.dumps(v1 | {"base_runtime": "my-rt", "parameters": {"zeal": [1]}}))
    draft = run("migrate", "task", file)
    assert draft.returncode == 1 and "base_runtime: open" in draft.stderr
    done = run("migrate", "task", file, "--engine", "vllm")
    assert done.returncode == 0
    assert yaml.safe_load(done.stdout)["system"]["backend"] == "vllm"
    assert run("migrate", "task", file, "--engine", "vlm").returncode == 2


def test_the_script_is_a_way_in() -> None:
    script = Path(__file__).parents[2] / "scripts" / "migrate_tasks_to_v2.py"
    words = (sys.executable, script, EXAMPLE / "tasks" / "simple.json")
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert yaml.safe_load(done.stdout)["version"] == 2


@contextmanager
def unchangeable(*paths: Path) -> Iterator[None]:
    """Files and folders that nobody can change, not even root."""
    chattr = shutil.which("chattr")
    if chattr is None or subprocess.run([chattr, "+i", *paths], check=False).returncode:
        pytest.skip("this file system has no files that root cannot change")
    try:
        yield
    finally:
        subprocess.run([chattr, "-i", *paths], check=True)


def test_a_source_in_a_folder_that_is_only_read(run: Run, tmp_path: Path) -> None:
    """With a log beside it that is not written back."""
    folder = tmp_path / "v1"
    folder.mkdir()
    source = built(tmp_path / "first.db", tasks=3, experiments=1)
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("UPDATE tasks SET task_name = 'in the log' WHERE id = 1")
        connection.commit()
        for path in tmp_path.glob("first.db*"):
            shutil.copyfile(path, folder / path.name)
    before = {path.name: sha256(path) for path in folder.iterdir()}
    with unchangeable(*folder.iterdir(), folder):
        report = json.loads(run("migrate", "db", folder / "first.db", "--apply", "--json").stdout)
        assert report["units"]["tasks"] == {"moved": 3}
        assert run("migrate", "verify", folder / "first.db").returncode == 0
    assert {path.name: sha256(path) for path in folder.iterdir()} == before


def test_a_target_that_is_only_read(run: Run, source: Path, home: Path) -> None:
    assert run("migrate", "db", source, "--apply").returncode == 0
    before, first = sha256(source), sha256(home / "autotuner.db")
    with unchangeable(home / "autotuner.db"):
        for words in (("db", source, "--apply", "--no-backup"), ("undo",)):
            done = run("migrate", *words)
            assert done.returncode == 2 and "Traceback" not in done.stderr
            assert "cannot be used: attempt to write a readonly database" in done.stderr
    assert (sha256(source), sha256(home / "autotuner.db")) == (before, first)


def test_without_a_backup_nothing_is_moved(run: Run, source: Path, tmp_path: Path) -> None:
    """A folder in whose place a file lies takes none."""
    first = run("migrate", "db", source, "--apply", "--home", tmp_path / "other")
    assert first.returncode == 0
    assert f"--home {tmp_path}/other" in first.stdout
    (tmp_path / "other" / "backups").write_text("")
    done = run("migrate", "db", source, "--apply", "--home", tmp_path / "other")
    assert done.returncode == 2
    assert "no backup of the target could be taken" in done.stderr
    assert "go on with --no-backup" in done.stderr


@pytest.mark.slow
def test_a_postgresql_target_is_backed_up_where_pg_dump_is(
    run: Run, source: Path, tmp_path: Path, migrated_postgresql: str, postgresql: Any
) -> None:
    to = ("--to", migrated_postgresql)
    restore = shutil.which("pg_restore")
    if shutil.which("pg_dump") is None or restore is None:
        pytest.skip("pg_dump is not installed here")
    try:
        done = run("migrate", "db", source, "--apply", "--json", *to)
        if done.returncode == 2 and "version mismatch" in done.stderr:
            assert "go on with --no-backup" in done.stderr
        else:
            backup = Path(json.loads(done.stdout)["backup"])
            listed = subprocess.run(
                [restore, "--list", backup], capture_output=True, text=True, check=True
            )
            assert "tasks_v2" in listed.stdout
        without = run("migrate", "db", source, "--apply", "--no-backup", *to)
        assert without.returncode == 0 and "migrate verify" in without.stdout
        assert run("migrate", "verify", source, *to).returncode == 0
        assert run("migrate", "undo", *to).returncode == 0
    finally:
        postgresql.empty(migrated_postgresql)


@pytest.mark.slow
def test_killed_at_any_moment_source_and_target_are_whole(
    tmp_path: Path, home: Path, environment: dict[str, str], run: Run
) -> None:
    source = built(tmp_path / "v1.db", tasks=120, experiments=10)
    before, chance = sha256(source), random.Random(20)
    for command in ("apply", "undo", "apply"):
        words = ("db", str(source), "--apply") if command == "apply" else ("undo",)
        began = time.monotonic()
        assert run("migrate", *words).returncode == 0
        whole_s = time.monotonic() - began
        _reversed(run, command, source)
        for _ in range(2):
            process = subprocess.Popen(
                [*COMMAND, "migrate", *words],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(chance.uniform(0, 1.5 * whole_s))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            assert sha256(source) == before
            with closing(sqlite3.connect(home / "autotuner.db")) as target:
                assert target.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert target.execute("PRAGMA foreign_key_check").fetchall() == []
                torn = """SELECT count(*) FROM migrated_rows AS m WHERE kind = 'task' AND
                    (SELECT count(*) FROM experiments WHERE task_id = m.v1_id) <>
                    (SELECT count(*) FROM experiments_v2 WHERE task_id = m.v2_task_id)"""
                assert target.execute(torn).fetchone() == (0,)
        while run("migrate", *words).returncode == 0 and command == "undo":
            pass
        if command == "apply":
            assert run("migrate", "verify", source).returncode == 0


def _reversed(run: Run, command: str, source: Path) -> None:
    """Takes back what was timed, so that the same can be killed."""
    if command == "undo":
        assert run("migrate", "db", source, "--apply").returncode == 0
    else:
        assert run("migrate", "undo").returncode == 0
