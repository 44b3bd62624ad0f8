"""The chapter on API v1: its examples work, and every path is in it."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from autotuner.server.app import V1_ROUTERS, create_app
from autotuner.server.service import Service
from autotuner.server.v1.progress import MESSAGE_TYPES
from autotuner.store import Store

TEXT = (Path(__file__).parents[2] / "docs" / "api_v1.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8700"


def test_the_examples_are_answered_as_the_chapter_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```(sh|json)\n(.*?)```", TEXT, re.DOTALL)
    with (
        Store.open(tmp_path) as store,
        TestClient(create_app(Service(store, tmp_path)), base_url=ADDRESS) as client,
    ):
        answered: Any = None
        checked = 0
        for kind, text in blocks:
            if kind == "sh":
                answered = asked(client, text)
            else:
                assert holds(answered, json.loads(text)), answered
                checked += 1
    assert checked == 4


def asked(client: TestClient, command: str) -> Any:
    """What a curl command is answered."""
    words = shlex.split(command)
    options = dict(itertools.pairwise(words))
    address = next(word for word in words if word.startswith(ADDRESS))
    body = options.get("-d")
    content = {} if body is None else {"json": json.loads(body)}
    answer = client.request(options.get("-X", "GET"), address.removeprefix(ADDRESS), **content)
    assert answer.status_code < 300, answer.text
    return answer.json()


def holds(found: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return all(found[key] == value for key, value in expected.items())
    return bool(found == expected)


def test_every_path_has_its_row_with_its_methods() -> None:
    rows = dict(re.findall(r"^\| `(/api/[^`]*)` \| ([^|]*) \|", TEXT, re.MULTILINE))
    there: dict[str, set[str]] = {}
    for route in (route for router in V1_ROUTERS for route in router.routes):
        path = re.sub(r"experiments/\{experiment_id\}/", "experiments/{n}/", f"/api{route.path}")
        path = re.sub(r"(tasks|presets|experiments|containers)/\{\w+_id\}", r"\1/{id}", path)
        there.setdefault(path, set()).update(getattr(route, "methods", {"WebSocket"}))
    documented = {path: set(methods.split(", ")) for path, methods in rows.items()}
    assert documented == there


def test_every_type_of_message_is_named() -> None:
    assert [kind for kind in MESSAGE_TYPES if f"`{kind}`" not in TEXT] == []
