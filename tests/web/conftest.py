"""A real service with the built UI, and a real browser in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ui_screenshots
from pages import opened_page
from playwright.sync_api import Browser, Page, expect
from service_process import ServiceProcess

from autotuner.server.built_ui import is_built

# A page on a machine that others use too may take its time.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def built_ui() -> None:
    """Skips where the UI is not built."""
    if not is_built():
        pytest.skip("the UI is not built: make ui-build")


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
