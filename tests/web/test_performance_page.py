"""Where the time of a point goes, in a browser: from a task's page to another point of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import ui_screenshots
from playwright.sync_api import Page, expect
from service_process import ServiceProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_point_is_explained_and_then_another(
    fill: Callable[[Path], None], service: ServiceProcess, page: Page
) -> None:
    fill(service.home)
    service.start("--no-worker")
    ui_screenshots.add_tasks(service.url)
    page.goto(f"{service.url}/tasks/1")
    page.get_by_role("link", name="Where its time goes").click()
    bar = page.get_by_role("img", name="Time to first token by what limits it")
    expect(bar).to_be_visible()
    parts = page.get_by_role("region", name="Table of parts")
    expect(parts.get_by_text("learnt from launches").first).to_be_visible()
    expect(page.get_by_role("region", name="Table of changes")).to_be_visible()
    before = bar.get_attribute("aria-label")

    point = page.get_by_role("combobox", name="Operating point")
    point.select_option(index=1)
    expect(page).to_have_url(re.compile(r"candidate=.*concurrency=\d+"))
    expect(bar).not_to_have_attribute("aria-label", before or "")
    page.reload()
    expect(bar).not_to_have_attribute("aria-label", before or "")

    # Of a task that waits nothing is measured, and nothing of its device is known.
    page.goto(f"{service.url}/tasks/2/performance")
    expect(page.get_by_text("There is nothing to explain yet")).to_be_visible()
