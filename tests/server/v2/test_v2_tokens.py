"""Tokens over HTTP: made by who may do everything, their secrets shown once, revoked."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store.tokens import TokenScope

TOKENS = "/api/v2/tokens/"


def made(client: TestClient, **given: Any) -> dict[str, Any]:
    answer = client.post(TOKENS, json={"name": "ci", "scope": "read"} | given)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    document: dict[str, Any] = answer.json()
    return document


def test_the_secret_of_a_token_is_shown_once_and_works_until_it_is_revoked(
    client: TestClient, service: Service
) -> None:
    token = made(client, days=1.5)
    assert (token["state"], token["scope"], token["last_used_at"]) == ("valid", "read", None)
    assert service.tokens.find(token["secret"]) is not None
    listed = client.get(TOKENS)
    assert token["secret"] not in listed.text
    (row,) = listed.json()["items"]
    assert row["last_used_at"] is not None and row["expires_at"] == token["expires_at"]
    revoked = client.delete(f"{TOKENS}ci")
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
    assert service.tokens.find(token["secret"]) is None


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scope": "root"}, "scope"),
        ({"days": 0}, "days"),
        ({"days": 1e9}, "days"),
    ],
)
def test_what_is_no_token_is_refused_at_its_field(
    client: TestClient, given: dict[str, Any], path: str
) -> None:
    refused = client.post(TOKENS, json={"name": "ci", "scope": "read"} | given)
    assert refused.status_code == 422, refused.text
    assert [fault["path"] for fault in refused.json()["errors"]] == [path]


def test_a_name_is_used_once_and_may_hold_anything(client: TestClient) -> None:
    made(client, name="team/a b?")
    assert client.delete(f"{TOKENS}team/a%20b%3F").json()["name"] == "team/a b?"
    again = client.post(TOKENS, json={"name": "team/a b?", "scope": "read"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/duplicate-name")
    assert client.delete(f"{TOKENS}nobody").status_code == 404
    refused = client.delete(TOKENS)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("scope", ["read", "write"])
def test_only_who_may_do_everything_sees_tokens_and_backups(service: Service, scope: str) -> None:
    secret, _ = service.tokens.create("mine", TokenScope(scope))
    guarded = Service(service.store, service.folder, ServiceSettings(demand_tokens=True))
    with TestClient(create_app(guarded), base_url="http://127.0.0.1:8700") as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        for method, path in (
            ("GET", TOKENS),
            ("POST", TOKENS),
            ("DELETE", f"{TOKENS}mine"),
            ("GET", "/api/v2/system/backups"),
            ("POST", "/api/v2/system/backups"),
            ("GET", "/api/v2/system/backups/autotuner-1-1.db"),
        ):
            body = {"name": "more", "scope": "admin"} if method == "POST" else None
            assert client.request(method, path, json=body).status_code == 403, (method, path)
        assert client.get("/api/v2/system/queue").status_code == 200
    assert [token.name for token in service.tokens.every()] == ["mine"]
