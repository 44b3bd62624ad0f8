"""A home and a database of the former version: opened by this one, with everything in it.

`former/make_home.py` made the copy, and wrote down what that version read from it.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from running import Run
from sqlalchemy import Integer, MetaData, create_engine, make_url
from test_bad_input import is_shown
from test_json import document

from autotuner.store import Store
from autotuner.store.database import connected
from autotuner.store.upgrades import migrate
from autotuner.store.v1.system_presets import system_presets
from autotuner.testing.fake_engine import install_fake_engine

FORMER = Path(__file__).parent / "former"
REVISION = "0009"
RENAMED = {
    "run_id": "task_id",
    "wanted": "requested_action",
    "beat": "heartbeat",
    "needs_gpu": "requested_gpu",
    "needs_gpus": "requested_gpus",
}
"""Field of a record as the former version called it -> as this one calls it."""
RENAMED_KINDS = {"run_started": "task_started", "run_ended": "task_ended"}
"""The same of events."""
RENAMED_TABLES = {"engine_processes": "engine_handles"}


def content() -> dict[str, Any]:
    """What the former version read."""
    read: dict[str, Any] = json.loads(gzip.decompress((FORMER / "content.json.gz").read_bytes()))
    return read


@pytest.fixture
def former(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy of the home, whose tasks find an engine where they look for it."""
    with tarfile.open(FORMER / "home.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_text(path.read_text("utf-8").replace("@FOLDER@", str(tmp_path)), "utf-8")
    sql = home / "autotuner.sql"
    with closing(sqlite3.connect(home / "autotuner.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript(sql.read_text("utf-8"))
    sql.unlink()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    install_fake_engine(tmp_path / "bin", "--ttft-ms=5", "--tpot-ms=1")
    return home


@pytest.fixture
def former_database(empty_database: str | None, former: Path) -> str | None:
    """URL of the database with the former rows at the former revision; None stands for SQLite."""
    if empty_database is not None:
        copy_rows(former / "autotuner.db", empty_database)
    return empty_database


def copy_rows(source: Path, url: str) -> None:
    """Puts the rows of an SQLite file into a PostgreSQL database at the same revision."""
    engine = connected(make_url(url).set(drivername="postgresql+psycopg"))
    migrate(engine, REVISION)
    there, here = MetaData(), MetaData()
    there.reflect(engine)
    sqlite = create_engine(f"sqlite:///{source}")
    here.reflect(sqlite)
    with sqlite.connect() as rows, engine.begin() as connection:
        # So that no row has to come before another.
        connection.exec_driver_sql("SET session_replication_role = replica")
        for table in there.tables.values():
            if table.name == "alembic_version":
                continue
            found = [dict(row) for row in rows.execute(here.tables[table.name].select()).mappings()]
            if found:
                connection.execute(table.insert(), found)
        connection.exec_driver_sql("SET session_replication_role = DEFAULT")
        for name, table in there.tables.items():
            if "id" in table.c and isinstance(table.c.id.type, Integer):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), "  # noqa: S608
                    f"coalesce((SELECT max(id) FROM {name}), 0) + 1, false)"
                )
    engine.dispose()
    sqlite.dispose()


def read_today(store: Store) -> dict[str, Any]:
    """Tasks, experiments, observations and events as `former/make_home.py` writes them."""
    numbers = [int(number) for number in content()["experiments"]]
    return {
        "tasks": [asdict(task) for task in map(store.tasks.get, numbers) if task],
        "experiments": {str(n): [asdict(e) for e in store.experiments(n)] for n in numbers},
        "observations": [asdict(one) for one in store.observations(trusted=False)],
        "events": {str(n): [asdict(one) for one in store.events(n)] for n in numbers},
    }


def assert_holds(found: Any, former: Any, where: str = "") -> None:
    """Everything that the former version read is found, under today's names."""
    if isinstance(found, BaseModel):
        found = found.model_dump(mode="json")
    elif isinstance(found, datetime):
        found = found.isoformat()
    if isinstance(former, dict):
        for name, value in former.items():
            if name == "concurrency" and name not in found:
                assert (found["load"]["kind"], found["load"]["value"]) == (name, value), where
                continue
            assert_holds(found[name if name in found else RENAMED[name]], value, f"{where}.{name}")
    elif isinstance(former, list):
        assert len(found) == len(former), where
        for index, (one, other) in enumerate(zip(found, former, strict=True)):
            assert_holds(one, other, f"{where}[{index}]")
    else:
        assert found == former, where


@pytest.mark.slow
def test_every_record_is_there(former: Path, tmp_path: Path, former_database: str | None) -> None:
    expected = content()
    expected = json.loads(json.dumps(expected).replace("@FOLDER@", str(tmp_path)))
    for event in (event for events in expected["events"].values() for event in events):
        event["kind"] = RENAMED_KINDS.get(event["kind"], event["kind"])
    with Store.open(former, former_database) as store:
        found = read_today(store)
        with store.sessions.reading() as session:
            for former_table, count in expected["counts"].items():
                table = RENAMED_TABLES.get(former_table, former_table)
                query = f"SELECT count(*) FROM {table}"  # noqa: S608
                added = len(system_presets()) if table == "parameter_presets" else 0
                found_count = session.connection().exec_driver_sql(query).scalar()
                assert found_count == count + added, table
    del expected["counts"]
    assert_holds(found, expected)


def test_a_new_row_gets_a_number_of_its_own(former: Path, former_database: str | None) -> None:
    with Store.open(former, former_database) as store:
        assert store.tasks.claim("w", gpu="cpu", gpus=1) is not None


def test_the_upgrade_is_backed_up_and_the_commands_work_on_it(
    former: Path, tmp_path: Path, run: Run
) -> None:
    moved = document(run("db", "upgrade", "--json"))
    assert moved["from"] == REVISION
    if moved["to"] != REVISION:
        with closing(sqlite3.connect(moved["backup"])) as backup:
            assert backup.execute("SELECT count(*) FROM tasks_v2").fetchone() == (4,)
    listed = document(run("tasks", "--json"))["tasks"]
    assert [(r["id"], r["name"], r["status"]) for r in listed] == [
        (4, "pending", "pending"),
        (3, "queued", "queued"),
        (2, "interrupted", "interrupted"),
        (1, "ended", "completed"),
    ]
    shown = document(run("show", "1", "--json"))
    assert [e["status"] for e in shown["experiments"]] == ["completed", "completed", "failed"]
    assert run("report", "1").returncode == 0
    done = run("tune", tmp_path / "interrupted.yaml", "--json")
    assert done.returncode == 0, done.stderr
    resumed = document(done)
    assert resumed["task"]["id"] == 2
    assert [e["status"] for e in resumed["experiments"]] == ["completed"] * 3
    before = content()["experiments"]["2"][0]["measurements"]
    assert [m["tok_s"] for m in resumed["experiments"][0]["measurements"]] == [
        m["tok_s"] for m in before
    ]
    tokens = document(run("token", "list", "--json"))
    assert "office" in json.dumps(tokens)
    assert "p" in run("profiles", "list").stdout


def test_a_database_of_a_newer_version_is_refused_and_stays_as_it_is(
    former: Path, run: Run
) -> None:
    with closing(sqlite3.connect(former / "autotuner.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    before = (former / "autotuner.db").read_bytes()
    for words in (["tasks"], ["db", "upgrade"]):
        is_shown(run(*words), "revision 9999, which this version does not know")
    assert (former / "autotuner.db").read_bytes() == before
