"""Tokens of a real store, asked for by requests."""

from datetime import timedelta

import pytest
from guarded import NETWORK, bearer, client

from autotuner.store import Store
from autotuner.store.tokens import Tokens, TokenScope

TASKS = "/api/v2/tasks/"


@pytest.fixture
def tokens(tmp_path, database):
    with Store.open(tmp_path, database) as store:
        yield Tokens(store.sessions)


@pytest.fixture
def page(tokens):
    return of_tokens(tokens)


def of_tokens(tokens, **more):
    return client(base_url="http://tuner.example.org", find_token=tokens.find, **NETWORK, **more)


def test_a_token_opens_what_its_scope_allows(tokens, page):
    clear, _ = tokens.create("ci", TokenScope.READ)
    assert page.get(TASKS).status_code == 401
    assert page.get(TASKS, headers=bearer(clear)).json()["bearer"] == "ci"
    assert page.post(TASKS, headers=bearer(clear)).status_code == 403
    assert tokens.every()[0].last_used_at is not None


def test_one_that_has_run_out_opens_nothing(tokens, page):
    clear, _ = tokens.create("ci", TokenScope.READ, lasts=timedelta(microseconds=1))
    assert page.get(TASKS, headers=bearer(clear)).status_code == 401


def test_one_that_is_revoked_opens_nothing_within_seconds(tokens):
    now_s = 0.0
    page = of_tokens(tokens, clock=lambda: now_s)
    clear, _ = tokens.create("ci", TokenScope.READ)
    assert page.get(TASKS, headers=bearer(clear)).status_code == 200
    tokens.revoke("ci")
    now_s = 6.0
    assert page.get(TASKS, headers=bearer(clear)).status_code == 401
