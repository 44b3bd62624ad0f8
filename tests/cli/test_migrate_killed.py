"""Moving and taking back, killed at each of their stages: before every commit, which takes with it
what the transaction wrote, and before every file takes its name, as the backup does."""

from __future__ import annotations

import hashlib
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from running import Run

sys.path.append(str(Path(__file__).parents[1] / "migrate"))

from v1_database import built

_TASKS = 101
"""More than one batch."""
_KILLED_AT = """
import itertools, os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from autotuner.cli import main
from autotuner.migrate.database import converting

moment, number, converting.APART_FROM = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
del sys.argv[1:4]
count = itertools.count(1)

def reached(*_):
    if next(count) == number:
        os.kill(os.getpid(), signal.SIGKILL)

if moment == "os.rename":
    sys.addaudithook(lambda name, _: reached() if name == moment else None)
else:
    event.listen(Engine, moment, reached)
main()
"""
_IN_ONE, _APART = 1_000_000, 1
"""Experiments from which on they are converted in a process of their own."""
FEWEST = {
    ("apply", "os.rename", _IN_ONE): 1,  # the backup
    # its record, two batches, presets put aside and moved, its end
    ("apply", "commit", _IN_ONE): 6,
    ("apply", "commit", _APART): 6,
    ("undo", "commit", _IN_ONE): 2,
}
"""The stages that there are at least."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("source") / "v1.db", tasks=_TASKS, experiments=1)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "moment", "apart_from"), FEWEST)
def test_killed_at_each_stage_it_is_done_again(
    command: str,
    moment: str,
    apart_from: int,
    source: Path,
    run: Run,
    home: Path,
    environment: dict[str, str],
) -> None:
    digest = hashlib.sha256(source.read_bytes()).digest()
    words = {"apply": ("db", str(source), "--apply"), "undo": ("undo",)}
    assert run("migrate", *words["apply"]).returncode == 0
    if command == "apply":  # of a database that is there, so that there is a backup
        assert run("migrate", *words["undo"]).returncode == 0
    before, stage = home.rename(home.with_name("before")), 0
    while True:
        stage += 1
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(before, home)
        argv = [sys.executable, "-c", _KILLED_AT, moment, str(stage), str(apart_from)]
        argv += ["migrate", *words[command]]
        # Its output ends when the last process that it has started does.
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert hashlib.sha256(source.read_bytes()).digest() == digest
        _assert_whole(home / "autotuner.db")
        for backup in (home / "backups").glob("*.db"):
            _assert_whole(backup)
        again = run("migrate", *words[command])
        if command == "apply":
            assert again.returncode == 0, again.stderr
            assert run("migrate", "verify", source).returncode == 0
        else:  # where the last stage was done already, nothing is there to take back
            assert again.returncode == 0 or "no migration is here" in again.stderr
        assert _moved(home / "autotuner.db") == (_TASKS if command == "apply" else 0)
    assert stage > FEWEST[command, moment, apart_from]


def _assert_whole(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        torn = """SELECT count(*) FROM migrated_rows AS m WHERE kind = 'task' AND
            (SELECT count(*) FROM experiments WHERE task_id = m.v1_id) <>
            (SELECT count(*) FROM experiments_v2 WHERE task_id = m.v2_task_id)"""
        assert connection.execute(torn).fetchone() == (0,)


def _moved(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT count(*) FROM migrated_rows WHERE kind = 'task'")
        return int(found.fetchone()[0])
