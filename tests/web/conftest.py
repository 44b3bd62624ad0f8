"""A real service with the built UI, and a real browser in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ui_screenshots
from playwright.sync_api import Browser, Page
from service_process import ServiceProcess

from autotuner.server.built_ui import is_built


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service on an empty home, without a worker unless a test starts it with one."""
    if not is_built():
        pytest.skip("the UI is not built: make ui-build")
    made = ServiceProcess(tmp_path)
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
    """A page in a fresh profile; errors of its scripts fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors, errors
