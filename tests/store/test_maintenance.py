"""The database as its operator sees it: backed up while it is used, moved up and down."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from autotuner.errors import StoreError
from autotuner.store import Store
from autotuner.store.database import connected, known_revisions
from autotuner.store.maintenance import Database
from autotuner.store.profiles import StoredProfiles
from autotuner.store.upgrades import migrate


def test_a_backup_is_whole_while_others_write(tmp_path: Path) -> None:
    home, target = tmp_path / "home", tmp_path / "copy.db"
    with Store.open(home) as store:
        profiles = StoredProfiles(store.sessions)
        for number in range(20):
            profiles.create(f"p{number}", {"name": f"p{number}"})
        with closing(sqlite3.connect(home / "autotuner.db")) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM profiles")
            Database.found(home, None).backup(target)
            writer.rollback()
    assert not target.with_name("copy.db-wal").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT count(*) FROM profiles").fetchone() == (20,)


def test_looking_at_a_database_does_not_upgrade_it(tmp_path: Path) -> None:
    engine = connected(make_url(f"sqlite:///{tmp_path / 'autotuner.db'}"))
    migrate(engine, "0003")
    engine.dispose()
    found = Database.found(tmp_path, None)
    assert found.revisions() == ("0003", known_revisions()[-1])
    assert found.held_tasks() == ()
    assert found.revisions()[0] == "0003"


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "autotuner.db").write_text("no database at all " * 100, encoding="utf-8")
    (tmp_path / "out").mkdir()
    with pytest.raises(StoreError, match=r"autotuner\.db cannot be used"):
        Database.found(tmp_path, None).backup(tmp_path / "out" / "copy.db")
    assert list((tmp_path / "out").iterdir()) == []


def test_without_pg_dump_the_command_is_shown_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    found = Database.found(tmp_path, "postgresql://tuner:secret@db.example.org/autotuner")
    with pytest.raises(StoreError, match="pg_dump is not installed") as caught:
        found.backup(tmp_path / "copy.dump")
    assert "--dbname=postgresql://tuner@db.example.org/autotuner" in caught.value.remedy
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
