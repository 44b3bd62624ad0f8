"""A real service with the built UI, and a real browser in front of it."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import ui_screenshots
from pages import opened_page
from playwright.sync_api import Browser, Page, expect
from service_process import ServiceProcess

from autotuner.server.built_ui import is_built
from autotuner.store.database import FILE_NAME

# A page on a machine that others use too may take its time.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def built_ui() -> None:
    """Skips where the UI is not built."""
    if not is_built():
        pytest.skip("the UI is not built: make ui-build")


@pytest.fixture(scope="session")
def fill(
    built_ui: None, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], None]:
    """Function that makes a home in which task 1 is a finished replay.

    It is a copy of one that all processes of a run of tests share: tuning it takes ten seconds.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    tuned, is_done = shared / "tuned-home", shared / "tuned-home-is-done"
    with (shared / "tuned-home.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_done.exists():
            ui_screenshots.fill(tuned)
            is_done.touch()

    def copy(home: Path) -> None:
        shutil.copytree(tuned, home, dirs_exist_ok=True)
        with closing(sqlite3.connect(home / FILE_NAME)) as database, database:
            for table, column in (("tasks_v2", "config"), ("experiments_v2", "log_path")):
                database.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?)",  # noqa: S608
                    (str(tuned), str(home)),
                )

    return copy


@pytest.fixture(scope="module")
def url(fill: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a service with a finished task, one that waits and one with a long name."""
    home = tmp_path_factory.mktemp("home")
    fill(home)
    with ui_screenshots.served(home) as address:
        ui_screenshots.add_tasks(address)
        yield address


@pytest.fixture
def service(built_ui: None, tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service on an empty home; a test starts it, with a worker or without."""
    made = ServiceProcess(tmp_path / "home")
    yield made
    made.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of the machine, without a window."""
    if ui_screenshots.browser_program() is None:
        pytest.skip("there is no Chromium: make browser")
    with ui_screenshots.opened_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of 1280 x 800 pixels."""
    with opened_page(browser) as opened:
        yield opened
