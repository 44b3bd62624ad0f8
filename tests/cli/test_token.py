"""`autotuner token`, on both databases."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest
from running import Run

from autotuner.store import Store
from autotuner.store.tokens import Tokens


@pytest.fixture
def token(run: Run, database: str | None, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`autotuner token WORDS…` on each database in turn."""
    monkeypatch.setenv("AUTOTUNER_DATABASE", database or "")
    return functools.partial(run, "token")


def test_a_token_is_alone_on_stdout_and_lets_its_bearer_in(
    token: Run, home: Path, database: str | None
) -> None:
    made = token("create", "ci", "--scope", "write", "--expires", "30")
    assert made.returncode == 0
    assert "'ci', scope write, valid until" in made.stderr
    clear = made.stdout.strip()
    assert clear not in made.stderr
    with Store.open(home, database) as store:
        found = Tokens(store.sessions).find(clear)
    assert found is not None
    assert (found.name, found.scope) == ("ci", "write")


def test_tokens_are_listed_without_what_they_are(token: Run) -> None:
    clear = token("create", "ci").stdout.strip()
    token("create", "[bold]ui[/]", "--scope", "admin")
    token("revoke", "ci")
    listed = token("list")
    assert "revoked" in listed.stdout
    assert "[bold]ui[/]" in listed.stdout
    assert clear[3:] not in listed.stdout
    rows = json.loads(token("list", "--json").stdout)["tokens"]
    assert [(row["name"], row["scope"], row["state"]) for row in rows] == [
        ("ci", "read", "revoked"),
        ("[bold]ui[/]", "admin", "valid"),
    ]
    assert set(rows[0]) == {
        *("name", "scope", "state", "created_at", "expires_at", "revoked_at", "last_used_at")
    }


def test_as_json_all_is_shown_in_one_document(token: Run) -> None:
    made = json.loads(token("create", "ci", "--json").stdout)
    assert made["token"].startswith("at_")
    assert (made["state"], made["expires_at"]) == ("valid", None)
    revoked = json.loads(token("revoke", "ci", "--json").stdout)
    assert revoked["state"] == "revoked"
    assert "token" not in revoked


def test_with_no_tokens_it_says_how_to_make_one(token: Run) -> None:
    assert "token create" in token("list").stdout


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("create", "ci", "--scope", "wriet"), "did you mean 'write'"),
        (("create", "ci", "--expires", "0"), "0 days"),
        (("create", "ci", "--expires", "inf"), "inf"),
        (("create", "ci", "--expires", "nan"), "nan"),
        (("create", " "), "not a valid name"),
        (("revoke", "ci"), "no token 'ci'"),
    ],
)
def test_a_mistake_is_a_line_or_two(run: Run, words: tuple[str, ...], shown: str) -> None:
    done = run("token", *words)
    assert done.returncode == 2
    assert shown in done.stderr
    assert done.stdout == ""


def test_a_name_that_is_taken_is_shown(token: Run) -> None:
    token("create", "ci")
    again = token("create", "ci")
    assert again.returncode == 2
    assert "another name" in again.stderr


def test_a_password_in_the_databases_address_is_not_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOTUNER_DATABASE", "postgresql://me:hunter2@127.0.0.1:1/x")
    done = run("token", "list")
    assert done.returncode == 2
    assert "hunter2" not in done.stderr + done.stdout
