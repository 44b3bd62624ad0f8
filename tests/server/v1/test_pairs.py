"""v1's requests and answers, as its facts tell them, played in order against the service."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

FOLDER = Path(__file__).parent / "pairs"
PLACEHOLDERS = {
    "<time>": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    "<text>": re.compile(r".+", re.DOTALL),
}


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_a_v1_client_is_answered_as_by_v1(name: str, client: TestClient) -> None:
    for pair in yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8")):
        request, expected = pair["request"], pair["answer"]
        answer = client.request(request["method"], request["path"], **_content(request))
        reported = f"{name}: {pair['name']}: {answer.status_code} {answer.text}"
        assert answer.status_code == expected["status"], reported
        if "body" in expected:
            assert _fits(answer.json(), expected["body"], whole=True), reported
        if "has" in expected:
            assert _fits(answer.json(), expected["has"], whole=False), reported
        if expected["status"] == 204:
            assert answer.content == b"", reported


def _content(request: dict[str, Any]) -> dict[str, Any]:
    if "file" in request:
        return {"files": {"file": ("preset.json", json.dumps(request["file"]), "application/json")}}
    if "text" in request:
        return {"content": request["text"], "headers": {"content-type": "application/json"}}
    return {"json": request["body"]} if "body" in request else {}


def _fits(found: Any, expected: Any, *, whole: bool) -> bool:
    """Whether an answer is as expected: the same keys with `whole`, else at least these."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = found.keys() == expected.keys() if whole else expected.keys() <= found.keys()
        return keys and all(_fits(found[key], expected[key], whole=whole) for key in expected)
    if isinstance(expected, list) and isinstance(found, list):
        pairs = zip(found, expected, strict=False)
        return len(found) == len(expected) and all(_fits(a, b, whole=whole) for a, b in pairs)
    if isinstance(expected, str) and expected in PLACEHOLDERS:
        return isinstance(found, str) and bool(PLACEHOLDERS[expected].fullmatch(found))
    return type(found) is type(expected) and bool(found == expected)
