"""PostgreSQL servers that answer late, or in an encoding of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from autotuner.errors import StoreRefusedError, StoreUnavailableError
from autotuner.store import Store
from autotuner.store.database import translated_errors


def test_a_server_that_does_not_answer_in_time_is_away() -> None:
    late = OperationalError("", {}, psycopg.errors.ConnectionTimeout("timeout expired"))
    with pytest.raises(StoreUnavailableError, match="cannot be reached"), translated_errors("it"):
        raise late


@pytest.mark.parametrize(
    ("message", "is_refused"),
    [
        ('FATAL:  password authentication failed for user "x"', True),
        ('FATAL:  database "y" does not exist', True),
        ('FATAL:  role "x" does not exist', True),
        ("fe_sendauth: no password supplied", True),
        ("FATAL:  the database system is starting up", False),
        ("FATAL:  sorry, too many clients already", False),
        ("Connection refused", False),
        ("failed to resolve host 'db'", False),
    ],
)
def test_a_server_that_lets_nobody_in_is_not_one_that_is_away(
    message: str, is_refused: bool
) -> None:
    error = OperationalError("", {}, psycopg.OperationalError(f"connection failed: {message}"))
    with pytest.raises(StoreUnavailableError) as caught, translated_errors("it"):
        raise error
    assert isinstance(caught.value, StoreRefusedError) is is_refused


def test_an_unknown_database_of_a_server_that_answers_is_refused(
    postgresql: Any, tmp_path: Path
) -> None:
    url = postgresql.url.set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(StoreRefusedError, match="does not exist"):
        Store.open(tmp_path, url)


@pytest.mark.slow
def test_a_database_without_an_encoding_can_be_used(postgresql: Any, tmp_path: Path) -> None:
    with postgresql.database("TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'") as url:
        store = Store.open(tmp_path, url)
        assert store.tasks.all() == ()
        store.close()
