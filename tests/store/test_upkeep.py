"""What goes by age goes beside the requests, and progress is kept once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text

from autotuner.store import Store, idempotency
from autotuner.store.maintenance import remove_expired
from autotuner.store.schema import EventRow, IdempotencyRow

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RUN: dict[str, Any] = {
    "name": "t", "content_id": "c", "config": {}, "model": "m", "engine": "e",
    "engine_version": "1", "device": "cpu", "plan": {},
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


def keys(store: Store) -> set[str]:
    with store.sessions.reading() as session:
        return set(session.scalars(select(IdempotencyRow.key)))


def test_an_answer_is_given_again_until_its_time_is_over(store: Store) -> None:
    sessions = store.sessions
    assert idempotency.take(sessions, "s", "k", "f", NOW) is None
    idempotency.keep(sessions, "s", "k", 201, {"body": "b"})
    kept = idempotency.take(sessions, "s", "k", "f", NOW + timedelta(hours=23))
    assert kept == idempotency.KeptAnswer("f", 201, {"body": "b"})
    assert idempotency.take(sessions, "s", "k", "other", NOW + timedelta(hours=25)) is None
    taken = idempotency.take(sessions, "s", "k", "other", NOW + timedelta(hours=25, minutes=4))
    assert taken == idempotency.KeptAnswer("other", None, None), "it is being answered anew"
    assert idempotency.take(sessions, "s", "k", "f", NOW + timedelta(hours=25, minutes=6)) is None


def test_keys_whose_time_is_over_go_and_no_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "MOST_KEPT", 3)
    for age in range(5):
        at = NOW - timedelta(hours=age)
        idempotency.take(store.sessions, "s", f"answered {age} h ago", "f", at)
        idempotency.keep(store.sessions, "s", f"answered {age} h ago", 200, {})
    idempotency.take(store.sessions, "s", "old", "f", NOW - timedelta(hours=25))
    idempotency.keep(store.sessions, "s", "old", 200, {})
    idempotency.take(store.sessions, "s", "dead", "f", NOW - timedelta(minutes=6))
    remove_expired(store.sessions, NOW, keep_events_days=0)
    assert keys(store) == {f"answered {age} h ago" for age in range(3)}


def test_a_request_with_a_key_removes_nothing_and_reads_one_row(store: Store) -> None:
    with store.sessions.writing() as session:
        old = NOW - timedelta(days=3)
        rows = [
            {"scope": "s", "key": str(n), "fingerprint": "f", "created_at": old}
            for n in range(3_000)
        ]
        session.execute(insert(IdempotencyRow), rows)
    message: list[str] = []
    event.listen(
        store.sessions.engine, "before_cursor_execute", lambda *shown: message.append(str(shown[2]))
    )
    assert idempotency.take(store.sessions, "s", "new", "f", NOW) is None
    assert not [statement for statement in message if "DELETE" in statement.upper()]
    if store.sessions.engine.dialect.name == "sqlite":
        (statement,) = [each for each in message if "INSERT" in each.upper()]
        assert "ON CONFLICT" in statement.upper()
        with store.sessions.reading() as session:
            plan = session.execute(
                text("EXPLAIN QUERY PLAN SELECT key FROM idempotency_keys WHERE created_at < 'x'")
            )
            assert "ix_idempotency_keys_created_at" in str(plan.all())
    remove_expired(store.sessions, NOW, keep_events_days=0)
    assert keys(store) == {"new"}, "in pieces, all of them"


def events(store: Store) -> list[tuple[str, Any]]:
    with store.sessions.reading() as session:
        rows = session.execute(select(EventRow.kind, EventRow.payload).order_by(EventRow.id))
        return [(kind, payload["n"]) for kind, payload in rows if "n" in payload]


def test_of_progress_the_newest_is_kept_for_each_task_and_kind(store: Store) -> None:
    first, second = (store.tasks.create(**RUN | {"content_id": name}) for name in "ab")
    for n in range(3):
        store.add_event(first.id, "level_progress", {"n": n}, ephemeral=True)
        store.add_event(first.id, "predicting", {"n": n}, ephemeral=True)
        store.add_event(first.id, "experiment_ended", {"n": n})
        store.add_event(second.id, "level_progress", {"n": 10 + n}, ephemeral=True)
    assert [n for kind, n in events(store) if kind == "experiment_ended"] == [0, 1, 2]
    assert sorted(n for kind, n in events(store) if kind == "level_progress") == [2, 12]
    assert [n for kind, n in events(store) if kind == "predicting"] == [2]
    with store.sessions.reading() as session:
        numbers = list(session.scalars(select(EventRow.id).order_by(EventRow.at)))
    assert numbers == sorted(numbers), "what is newest has the greatest number"


def test_events_go_by_age_and_stay_for_ever_where_that_is_given(store: Store) -> None:
    run = store.tasks.create(**RUN)
    with store.sessions.writing() as session:
        for days in (1, 89, 91, 400):
            at = NOW - timedelta(days=days)
            session.add(EventRow(task_id=run.id, at=at, kind="k", payload={"n": days}))
    remove_expired(store.sessions, NOW, keep_events_days=0)
    assert [n for _, n in events(store)] == [1, 89, 91, 400]
    remove_expired(store.sessions, NOW, keep_events_days=90)
    assert [n for _, n in events(store)] == [1, 89]
