"""API tokens, on both databases."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from autotuner.errors import AutotunerError, StoreError
from autotuner.store import Store
from autotuner.store.tokens import Token, Tokens, TokenScope

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


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


def test_a_token_is_shown_once_and_found_by_its_clear_text(tokens: Tokens) -> None:
    clear, made = tokens.create("ci", TokenScope.WRITE)
    assert re.fullmatch(r"at_[\w-]{43}", clear)
    assert made == Token("ci", TokenScope.WRITE, NOON)
    found = tokens.find(clear)
    assert found is not None
    assert (found.name, found.scope) == ("ci", TokenScope.WRITE)


def test_the_clear_text_is_nowhere_in_the_database(tokens: Tokens, store: Store) -> None:
    clear, _ = tokens.create("ci", TokenScope.READ)
    with store.sessions.reading() as session:
        (row,) = session.execute(text("SELECT * FROM tokens")).mappings()
    assert not [value for value in row.values() if clear[3:] in str(value)]
    assert re.fullmatch(r"[0-9a-f]{64}", row["sha256"])


@pytest.mark.parametrize("clear", ["", "at_", "at_" + "x" * 43, "ci", "at_\udcff", "x" * 10_000])
def test_what_was_never_made_is_not_found(tokens: Tokens, clear: str) -> None:
    tokens.create("ci", TokenScope.READ)
    assert tokens.find(clear) is None


def test_two_tokens_are_never_alike(tokens: Tokens) -> None:
    made = [tokens.create(f"t{number}", TokenScope.READ)[0] for number in range(20)]
    assert len(set(made)) == 20
    assert [token.name for token in tokens.every()] == [f"t{number}" for number in range(20)]


def test_a_revoked_token_is_not_found_and_stays_listed(tokens: Tokens, clock: Clock) -> None:
    clear, _ = tokens.create("ci", TokenScope.READ)
    other, _ = tokens.create("ui", TokenScope.READ)
    revoked = tokens.revoke("ci")
    assert revoked.revoked_at == NOON
    assert tokens.find(clear) is None
    assert tokens.find(other) is not None
    assert [token.state(clock()) for token in tokens.every()] == ["revoked", "valid"]
    clock.now += timedelta(days=1)
    assert tokens.revoke("ci").revoked_at == NOON


def test_a_token_ends_when_its_time_is_over(tokens: Tokens, clock: Clock) -> None:
    clear, made = tokens.create("ci", TokenScope.READ, lasts=timedelta(days=2))
    assert made.expires_at == NOON + timedelta(days=2)
    clock.now += timedelta(days=2) - timedelta(seconds=1)
    assert tokens.find(clear) is not None
    clock.now += timedelta(seconds=1)
    assert tokens.find(clear) is None
    assert tokens.every()[0].state(clock()) == "expired"


def test_its_last_use_is_noted_to_a_minute(tokens: Tokens, clock: Clock) -> None:
    clear, _ = tokens.create("ci", TokenScope.READ)
    seen = []
    for seconds in (0, 59, 1):
        clock.now += timedelta(seconds=seconds)
        tokens.find(clear)
        seen.append(tokens.every()[0].last_used_at)
    assert seen == [NOON, NOON, NOON + timedelta(seconds=60)]


def test_a_store_that_cannot_be_written_locks_nobody_out(
    tokens: Tokens, store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clear, _ = tokens.create("ci", TokenScope.READ)

    def full(_: object) -> None:
        raise StoreError("the store is full")

    found = Tokens(store.sessions.guarded(full), now=clock).find(clear)
    assert found is not None
    assert "full" in caplog.text
    assert clear not in caplog.text


def test_a_name_is_taken_once_also_by_two_at_a_time(tokens: Tokens) -> None:
    refused: list[str] = []
    together = threading.Barrier(4)

    def make() -> None:
        together.wait(timeout=60)
        try:
            tokens.create("ci", TokenScope.READ)
        except AutotunerError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(tokens.every()) == 1
    assert len(refused) == 3
    assert all("'ci'" in message and "another name" in message for message in refused)


def test_the_name_of_a_revoked_token_stays_its_own(tokens: Tokens) -> None:
    tokens.create("ci", TokenScope.READ)
    tokens.revoke("ci")
    with pytest.raises(AutotunerError, match="there was one"):
        tokens.create("ci", TokenScope.READ)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101, "\x00"])
def test_a_name_can_be_read(tokens: Tokens, name: str) -> None:
    with pytest.raises(AutotunerError, match="not a valid name"):
        tokens.create(name, TokenScope.READ)


@pytest.mark.parametrize("days", [0, -1, 100_000])
def test_a_token_lasts_a_sensible_time(tokens: Tokens, days: int) -> None:
    with pytest.raises(AutotunerError, match=f"{days:g} days"):
        tokens.create("ci", TokenScope.READ, lasts=timedelta(days=days))


def test_what_is_not_there_cannot_be_revoked(tokens: Tokens) -> None:
    with pytest.raises(AutotunerError, match="token list"):
        tokens.revoke("ci")


def test_each_scope_covers_the_lesser_ones() -> None:
    covered = {have: [need for need in TokenScope if have.covers(need)] for have in TokenScope}
    assert {have: len(needs) for have, needs in covered.items()} == {
        TokenScope.READ: 1,
        TokenScope.WRITE: 2,
        TokenScope.ADMIN: 3,
    }
