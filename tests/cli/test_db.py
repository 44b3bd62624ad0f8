"""`autotuner db`: status, backup, and the schema up and down with a backup first."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from running import Run
from test_bad_input import is_shown
from test_json import document

from autotuner.store import Store
from autotuner.store.database import known_revisions
from autotuner.workers.devices import ON_CPU
from autotuner.workers.worker import this_worker


def a_task(home: Path, *, alive: bool) -> None:
    """A task that is running, whose worker is this process, or one that has ended."""
    worker = this_worker("busy", "worker", ON_CPU)
    if not alive:
        worker = dataclasses.replace(worker, pid_started=worker.pid_started + 1)
    with Store.open(home) as store:
        store.workers.add(worker)
        store.tasks.create(
            name="first",
            description="",
            content_id="c0ffee",
            config={"version": 2},
            model="smollm2-135m",
            engine="llamacpp",
            requested_gpu="cpu",
            requested_gpus=0,
            origin="api",
            status="queued",
        )
        assert store.tasks.claim(worker.id, gpu="cpu", gpus=1) is not None


def test_the_schema_goes_down_and_up_each_time_after_a_backup(run: Run, home: Path) -> None:
    a_task(home, alive=False)
    newest = known_revisions()[-1]
    status = document(run("db", "status", "--json"))
    assert (status["revision"], status["newest"], status["running"]) == (newest, newest, [])
    assert "the newest" in run("db", "status").stdout
    down = document(run("db", "downgrade", "0005", "--json"))
    assert (down["from"], down["to"]) == (newest, "0005")
    with closing(sqlite3.connect(down["backup"])) as backup:
        assert backup.execute("SELECT version_num FROM alembic_version").fetchone() == (newest,)
        assert backup.execute("SELECT name FROM tasks_v2").fetchone() == ("first",)
    assert "autotuner db upgrade" in run("db", "status").stdout
    up = document(run("db", "upgrade", "--json"))
    assert (up["from"], up["to"]) == ("0005", newest)
    assert Path(up["backup"]).is_file()
    again = document(run("db", "upgrade", "--json"))
    assert again["backup"] is None, "nothing is to be done"
    assert len(list((home / "backups").iterdir())) == 2


def test_a_running_task_keeps_the_schema_as_it_is(run: Run, home: Path) -> None:
    a_task(home, alive=True)
    is_shown(run("db", "downgrade", "0005"), "task 1 'first' is running", "--force")
    assert document(run("db", "status", "--json"))["running"] == [{"id": 1, "name": "first"}]
    assert document(run("db", "backup", "--json"))["size_bytes"] > 0
    assert document(run("db", "downgrade", "0005", "--force", "--json"))["to"] == "0005"


@pytest.mark.parametrize("place", ["--home", "--database", "AUTOTUNER_DATABASE"])
def test_the_database_is_named_as_everywhere(
    place: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(tmp_path / "other").close()
    file = tmp_path / "other" / "autotuner.db"
    words = {"--home": ("--home", file.parent), "--database": ("--database", f"sqlite:///{file}")}
    if place == "AUTOTUNER_DATABASE":
        monkeypatch.setenv(place, f"sqlite:///{file}")
    target = tmp_path / "copy.db"
    shown = document(run("db", "backup", target, *words.get(place, ()), "--json"))
    assert (shown["database"], shown["file"]) == (str(file), str(target))


def test_mistakes_are_shown(run: Run, home: Path, tmp_path: Path) -> None:
    is_shown(run("db", "backup"), "there is no database", "--home")
    assert not home.exists()
    Store.open(home).close()
    (tmp_path / "there.db").write_text("mine", encoding="utf-8")
    is_shown(run("db", "backup", tmp_path / "there.db"), "there already", "--force")
    assert (tmp_path / "there.db").read_text(encoding="utf-8") == "mine"
    is_shown(run("db", "backup", "/proc/none/b.db"), "/proc/none")
    is_shown(run("db", "downgrade", "0099"), "0099")
    is_shown(run("db", "upgrade", "0003"), "other direction", "db downgrade 0003")
    assert not (home / "backups").exists()
