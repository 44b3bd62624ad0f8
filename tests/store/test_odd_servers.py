"""PostgreSQL servers that answer late, or in an encoding of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from autotuner.errors import StoreUnavailableError
from autotuner.store import Store
from autotuner.store.database import translated_errors


def test_a_server_that_does_not_answer_in_time_is_away() -> None:
    late = OperationalError("", {}, psycopg.errors.ConnectionTimeout("timeout expired"))
    with pytest.raises(StoreUnavailableError, match="cannot be reached"), translated_errors("it"):
        raise late


@pytest.mark.slow
def test_a_database_without_an_encoding_can_be_used(postgresql: Any, tmp_path: Path) -> None:
    with postgresql.database("TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'") as url:
        store = Store.open(tmp_path, url)
        assert store.tasks.all() == ()
        store.close()
