"""Sessions of browsers, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from autotuner.errors import StoreError
from autotuner.store import Store
from autotuner.store.browser_sessions import BrowserSession, BrowserSessions
from autotuner.store.maintenance import remove_expired
from autotuner.store.schema import BrowserSessionRow
from autotuner.store.tokens import Token, Tokens, TokenScope

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(store: Store, clock: Clock) -> Tokens:
    return Tokens(store.sessions, now=clock)


@pytest.fixture
def browsers(store: Store, tokens: Tokens) -> BrowserSessions:
    return BrowserSessions(store.sessions, tokens)


@pytest.fixture
def token(tokens: Tokens) -> Token:
    return tokens.create("ui", TokenScope.WRITE)[1]


def begun(browsers: BrowserSessions, token: Token) -> tuple[str, BrowserSession]:
    found = browsers.begin(token)
    assert found is not None
    return found


def test_a_session_is_found_by_its_secret_alone(browsers: BrowserSessions, token: Token) -> None:
    secret, session = begun(browsers, token)
    other, another = begun(browsers, token)
    assert re.fullmatch(r"ats_[\w-]{43}", secret)
    found = browsers.find(secret)
    assert found is not None
    assert (found.token.name, found.token.scope) == ("ui", TokenScope.WRITE)
    assert (found.csrf_token, found.expires_at) == (session.csrf_token, session.expires_at)
    assert other != secret
    assert len({secret, other, session.csrf_token, another.csrf_token}) == 4


@pytest.mark.parametrize("secret", ["", "ats_", "ats_" + "x" * 43, "ats_\udcff", "x" * 10_000])
def test_what_was_never_begun_is_not_found(
    browsers: BrowserSessions, token: Token, secret: str
) -> None:
    begun(browsers, token)
    assert browsers.find(secret) is None


def test_neither_secret_nor_csrf_token_is_in_the_database(
    browsers: BrowserSessions, token: Token, store: Store
) -> None:
    secret, session = begun(browsers, token)
    with store.sessions.reading() as reading:
        (row,) = reading.execute(text("SELECT * FROM browser_sessions")).mappings()
    kept = [str(value) for value in row.values()]
    assert not [value for value in kept if secret[4:] in value or session.csrf_token in value]
    assert re.fullmatch(r"[0-9a-f]{64}", row["sha256"])


def test_it_ends_after_twelve_hours(browsers: BrowserSessions, token: Token, clock: Clock) -> None:
    secret, session = begun(browsers, token)
    assert session.expires_at == NOON + timedelta(hours=12)
    clock.now += timedelta(hours=12) - timedelta(seconds=1)
    assert browsers.find(secret) is not None
    clock.now += timedelta(seconds=1)
    assert browsers.find(secret) is None


def test_it_ends_with_its_token(
    browsers: BrowserSessions, tokens: Tokens, token: Token, clock: Clock
) -> None:
    _, brief = tokens.create("brief", TokenScope.READ, lasts=timedelta(hours=1))
    secret, session = begun(browsers, brief)
    assert session.expires_at == NOON + timedelta(hours=1)
    lasting, _ = begun(browsers, token)
    clock.now += timedelta(hours=1)
    assert browsers.find(secret) is None
    assert browsers.find(lasting) is not None
    tokens.revoke("ui")
    assert browsers.find(lasting) is None


def test_none_begins_with_a_token_that_is_over(
    browsers: BrowserSessions, tokens: Tokens, token: Token, clock: Clock
) -> None:
    _, brief = tokens.create("brief", TokenScope.READ, lasts=timedelta(hours=1))
    clock.now += timedelta(hours=1)
    tokens.revoke("ui")
    assert browsers.begin(brief) is None
    assert browsers.begin(token) is None
    assert browsers.begin(Token("never made", TokenScope.ADMIN, NOON)) is None


def test_one_that_is_ended_is_gone_and_no_other(browsers: BrowserSessions, token: Token) -> None:
    secret, _ = begun(browsers, token)
    other, _ = begun(browsers, token)
    browsers.end(secret)
    browsers.end(secret)
    browsers.end("ats_unknown")
    assert browsers.find(secret) is None
    assert browsers.find(other) is not None


def test_its_use_is_one_of_its_token(
    browsers: BrowserSessions, tokens: Tokens, token: Token, clock: Clock
) -> None:
    secret, _ = begun(browsers, token)
    clock.now += timedelta(minutes=5)
    browsers.find(secret)
    assert tokens.every()[0].last_used_at == clock.now


def test_a_store_that_cannot_be_written_locks_no_browser_out(
    browsers: BrowserSessions, token: Token, store: Store, clock: Clock
) -> None:
    secret, _ = begun(browsers, token)

    def full(_: object) -> None:
        raise StoreError("the store is full")

    sessions = store.sessions.guarded(full)
    assert BrowserSessions(sessions, Tokens(sessions, now=clock)).find(secret) is not None


def test_sessions_that_are_over_are_removed_and_no_others(
    browsers: BrowserSessions, token: Token, store: Store, clock: Clock
) -> None:
    begun(browsers, token)
    clock.now += timedelta(hours=6)
    lasting, _ = begun(browsers, token)
    clock.now += timedelta(hours=6)
    remove_expired(store.sessions, clock.now, keep_events_days=0)
    with store.sessions.reading() as reading:
        assert reading.scalar(select(func.count()).select_from(BrowserSessionRow)) == 1
    assert browsers.find(lasting) is not None
