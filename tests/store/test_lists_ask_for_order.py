"""Where a database joins many rows into one text, it is told in which order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from autotuner.store import Store
from autotuner.store.listing import TASK_ORDERS, TaskFilter, task_page

NAMES = ("b", "d", "a", "e", "c", "a")
JOINED = {
    "sqlite": r"group_concat\(.*\) OVER \(ORDER BY ",
    "postgresql": r"string_agg\(.* ORDER BY ",
}


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        for name in NAMES:
            opened.tasks.create(
                name=name, content_id="c", config={}, model="m", engine="e", engine_version="1",
                device="cpu", plan={}, status="pending",
            )  # fmt: skip
        yield opened


@pytest.mark.parametrize("order", list(TASK_ORDERS))
def test_each_order_is_asked_for_and_kept(order: str, store: Store) -> None:
    message: list[str] = []
    event.listen(
        store.sessions.engine, "before_cursor_execute", lambda *shown: message.append(str(shown[2]))
    )
    found: list[dict[str, Any]] = [
        json.loads(row)
        for row in task_page(store.sessions, TaskFilter(), order=order, limit=len(NAMES)).rows
    ]
    key = order.removeprefix("-")
    wanted = sorted(found, key=lambda row: (row[key], row["id"]), reverse=order.startswith("-"))
    assert [row["id"] for row in found] == [row["id"] for row in wanted]
    assert len(found) == len(NAMES)
    (statement,) = [each for each in message if "SELECT" in each]
    pattern = JOINED[store.sessions.engine.dialect.name]
    assert re.search(pattern, " ".join(statement.split())), statement
