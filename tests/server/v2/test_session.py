"""Browsers that sign in with a token once: cookie, CSRF token, who they are, signing out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from autotuner.server.app import create_app
from autotuner.server.security.authentication import COOKIE, CSRF_HEADER
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store
from autotuner.store.tokens import TokenScope

HOST = "127.0.0.1"
ADDRESS = f"http://{HOST}:8700"
SESSION, TASKS, EVENTS = "/api/v2/session", "/api/v2/tasks/", "/api/v2/events?follow=false"
TASK = {
    "version": 2,
    "name": "made in a browser",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 32, "osl": 8},
}
NOBODY = {
    "required": True,
    "authenticated": False,
    "name": None,
    "scope": None,
    "csrf_token": None,
    "expires_at": None,
}
ANYBODY = NOBODY | {"required": False, "authenticated": True, "scope": "admin"}


@pytest.fixture
def service(tmp_path: Path, database: str | None) -> Iterator[Service]:
    """A service that requires a token of everybody."""
    with Store.open(tmp_path, database) as store:
        yield Service(store, tmp_path, ServiceSettings(demand_tokens=True))


@pytest.fixture
def browser(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), base_url=ADDRESS) as opened:
        yield opened


def token(service: Service, scope: str = "write", name: str = "ui", **options: Any) -> str:
    return service.tokens.create(name, TokenScope(scope), **options)[0]


def signed_in(browser: TestClient, clear: str, **headers: str) -> dict[str, str]:
    """What the browser's pages send beside the cookie."""
    answer = browser.post(SESSION, json={"token": clear}, headers=headers)
    assert answer.status_code == 201, answer.text
    return {CSRF_HEADER: answer.json()["csrf_token"]}


def cookie_of(answer: Any) -> Morsel[str]:
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE]


def test_whoever_is_not_signed_in_learns_that_a_token_is_required(browser: TestClient) -> None:
    answer = browser.get(SESSION)
    assert (answer.status_code, answer.json()) == (200, NOBODY)
    assert answer.headers["cache-control"] == "no-store"


def test_where_no_token_is_required_anybody_may_do_anything(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        service = Service(store, tmp_path)
        client = TestClient(create_app(service), base_url=ADDRESS)
        assert client.get(SESSION).json() == ANYBODY
        client.cookies.set(COOKIE, "ats_of_another_service", domain=HOST)
        assert client.get(SESSION).json() == ANYBODY, "what is no session here is as good as none"
        assert client.post(TASKS, json=TASK).status_code == 201
        assert client.delete(SESSION).status_code == 204
        own = signed_in(client, token(service, "read"))
        assert client.get(SESSION).json()["scope"] == "read", "what is sent counts, as tokens do"
        assert client.post(TASKS, json=TASK, headers=own).status_code == 403


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(
    service: Service, browser: TestClient
) -> None:
    clear = token(service)
    answer = browser.post(SESSION, json={"token": clear})
    cookie = cookie_of(answer)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "strict", "/")
    assert (cookie["secure"], cookie["domain"]) == ("", "")
    assert 12 * 3600 - 60 < int(cookie["max-age"]) <= 12 * 3600
    assert clear not in str(answer.headers) + answer.text
    assert cookie.value not in answer.text
    session = answer.json()
    assert session | {"csrf_token": None, "expires_at": None} == NOBODY | {
        "authenticated": True,
        "name": "ui",
        "scope": "write",
    }
    assert browser.get(SESSION).json() == session, "a page that is loaded again learns the same"


@pytest.mark.parametrize(
    ("origin", "is_secure"),
    [("https://tuner.example.org", True), ("http://tuner.example.org", False), (None, False)],
)
def test_over_https_the_cookie_stays_there(
    tmp_path: Path, origin: str | None, is_secure: bool
) -> None:
    """A proxy speaks TLS; the browser says by what it came."""
    settings = ServiceSettings(allowed_hosts=("tuner.example.org",))
    with Store.open(tmp_path) as store:
        service = Service(store, tmp_path, settings)
        client = TestClient(create_app(service), base_url="http://tuner.example.org")
        headers = {} if origin is None else {"Origin": origin}
        answer = client.post(SESSION, json={"token": token(service)}, headers=headers)
    assert bool(cookie_of(answer)["secure"]) == is_secure


def test_with_the_cookie_one_reads_and_with_the_csrf_token_one_changes(
    service: Service, browser: TestClient
) -> None:
    own = signed_in(browser, token(service))
    assert browser.get(TASKS).status_code == 200
    with browser.stream("GET", EVENTS) as events:
        assert events.status_code == 200
        assert events.headers["content-type"].startswith("text/event-stream")
    created = browser.post(TASKS, json=TASK, headers=own)
    assert created.status_code == 201
    task = f"{TASKS}{created.json()['id']}"
    assert browser.delete(task, headers=own | {"If-Match": "*"}).status_code == 204


@pytest.mark.parametrize("header", [{}, {CSRF_HEADER: ""}, {CSRF_HEADER: "of another session"}])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_without_the_csrf_token_nothing_is_changed(
    service: Service, browser: TestClient, method: str, header: dict[str, str]
) -> None:
    signed_in(browser, token(service, "admin"))
    for path in (TASKS, f"{TASKS}1", "/api/tasks/", SESSION):
        if (method, path) == ("POST", SESSION):
            continue
        answer = browser.request(method, path, headers=header, json={})
        assert answer.status_code == 403
        assert CSRF_HEADER in answer.json()["detail"]
        assert "required_scope" not in answer.json()
    assert browser.get(SESSION).json()["authenticated"]


def test_the_csrf_token_of_one_session_is_worth_nothing_in_another(
    service: Service, browser: TestClient
) -> None:
    clear = token(service)
    with TestClient(create_app(service), base_url=ADDRESS) as other:
        theirs = signed_in(other, clear)
    signed_in(browser, clear)
    assert browser.post(TASKS, json=TASK, headers=theirs).status_code == 403


def test_a_csrf_token_without_the_cookie_opens_nothing(
    service: Service, browser: TestClient
) -> None:
    own = signed_in(browser, token(service))
    browser.cookies.clear()
    assert browser.post(TASKS, json=TASK, headers=own).status_code == 401


def test_a_session_may_what_its_token_may(service: Service, browser: TestClient) -> None:
    own = signed_in(browser, token(service, "read"))
    assert browser.get(TASKS).status_code == 200
    refused = browser.post(TASKS, json=TASK, headers=own)
    assert refused.status_code == 403
    assert refused.json()["required_scope"] == "write"
    assert browser.delete(SESSION, headers=own).status_code == 204, "signing out, all may"


def test_a_token_in_the_header_counts_before_the_cookie_and_needs_no_csrf_token(
    service: Service, browser: TestClient
) -> None:
    signed_in(browser, token(service, "read"))
    bearer = {"Authorization": f"Bearer {token(service, 'write', 'ci')}"}
    assert browser.post(TASKS, json=TASK, headers=bearer).status_code == 201
    session = browser.get(SESSION, headers=bearer).json()
    assert (session["name"], session["scope"], session["csrf_token"]) == ("ci", "write", None)
    assert browser.get(TASKS, headers={"Authorization": "Bearer at_wrong"}).status_code == 401


def test_signing_out_ends_the_session_at_once_and_takes_the_cookie(
    service: Service, browser: TestClient
) -> None:
    own = signed_in(browser, token(service))
    secret = browser.cookies[COOKIE]
    answer = browser.delete(SESSION, headers=own)
    assert (answer.status_code, answer.content) == (204, b"")
    assert cookie_of(answer)["max-age"] == "0"
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, secret, domain=HOST)
    assert browser.get(TASKS).status_code == 401
    assert browser.get(SESSION).json() == NOBODY
    assert browser.delete(SESSION).status_code == 204, "whoever is out stays out"


def test_revoking_the_token_ends_its_sessions_at_once(
    service: Service, browser: TestClient
) -> None:
    signed_in(browser, token(service))
    service.tokens.revoke("ui")
    answer = browser.get(TASKS)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert browser.get(SESSION).json() == NOBODY


def test_signing_in_again_ends_the_former_session(service: Service, browser: TestClient) -> None:
    clear = token(service)
    signed_in(browser, clear)
    former = browser.cookies[COOKIE]
    own = signed_in(browser, clear)
    assert browser.cookies[COOKIE] != former
    assert browser.post(TASKS, json=TASK, headers=own).status_code == 201
    assert service.browser_sessions.find(former) is None


@pytest.mark.parametrize("clear", ["at_wrong", "ui", "ats_x", "ä", "at_\x7f", "x" * 10_000])
def test_what_is_no_valid_token_signs_nobody_in(browser: TestClient, clear: str) -> None:
    answer = browser.post(SESSION, json={"token": clear})
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/unauthorized"
    assert "set-cookie" not in answer.headers


def test_tokens_that_are_over_sign_nobody_in(service: Service, browser: TestClient) -> None:
    brief = token(service, name="brief", lasts=timedelta(microseconds=1))
    revoked = token(service, name="revoked")
    signed_in(browser, revoked)
    service.tokens.revoke("revoked")
    for clear in (brief, revoked):
        assert browser.post(SESSION, json={"token": clear}).status_code == 401


@pytest.mark.parametrize(
    "body", [{}, {"token": ""}, {"token": 7}, {"token": "x", "scope": "admin"}]
)
def test_a_body_that_is_no_sign_in_is_refused(browser: TestClient, body: dict[str, Any]) -> None:
    answer = browser.post(SESSION, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_attempts_are_limited_as_those_in_the_header_and_a_valid_token_is_never_refused(
    service: Service, browser: TestClient
) -> None:
    clear = token(service)
    statuses = [browser.post(SESSION, json={"token": f"at_{n}"}).status_code for n in range(40)]
    assert statuses[:20] == [401] * 20
    assert statuses[-1] == 429
    assert browser.get(TASKS, headers={"Authorization": "Bearer at_x"}).status_code == 429
    signed_in(browser, clear)


def test_a_browser_whose_session_is_over_is_asked_to_sign_in_however_often_it_asks(
    service: Service, browser: TestClient
) -> None:
    browser.cookies.set(COOKIE, "ats_of_yesterday", domain=HOST)
    assert {browser.get(TASKS).status_code for _ in range(40)} == {401}


def test_pages_of_others_cannot_sign_a_browser_in(service: Service, browser: TestClient) -> None:
    evil = {"Origin": "https://evil.example"}
    body = {"token": token(service)}
    assert browser.post(SESSION, json=body, headers=evil).status_code == 403
    form = browser.post(SESSION, data=body)
    assert form.status_code == 415


def test_the_openapi_document_names_the_cookie(browser: TestClient, service: Service) -> None:
    own = {"Authorization": f"Bearer {token(service)}"}
    document = browser.get("/api/v2/openapi.json", headers=own).json()
    scheme = document["components"]["securitySchemes"]["session"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "cookie", COOKIE)
    assert {"session": []} in document["security"]
