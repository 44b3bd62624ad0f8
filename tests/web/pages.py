"""Pages of a browser, each in a fresh profile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page


@contextmanager
def opened_page(browser: Browser, **how: Any) -> Iterator[Page]:
    """A page that may use the clipboard; errors of its scripts fail the test."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | how)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, errors
