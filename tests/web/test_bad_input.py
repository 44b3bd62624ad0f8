"""What goes wrong around a page of the UI: said in words, nothing typed is lost, nothing runs."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from service_process import ServiceProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
TASK = {
    "version": 2,
    "name": "first",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 16, "osl": 8},
    "system": {"gpu_type": "cpu"},
    "benchmark": {"concurrency": [1]},
}
LONG_S = 25_000

NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });
}
"""


def test_a_task_that_is_deleted_elsewhere_goes_from_list_and_page(
    service: ServiceProcess, page: Page
) -> None:
    service.start("--no-worker")
    number = service.create(TASK)
    other = service.create({**TASK, "name": "second"})
    page.goto(f"{service.url}/tasks")
    expect(page.get_by_role("link", name="second")).to_be_visible(timeout=LONG_S)
    httpx.delete(f"{service.api}/tasks/{other}").raise_for_status()
    expect(page.get_by_role("link", name="second")).to_have_count(0, timeout=LONG_S)
    page.get_by_role("link", name="first").click()
    expect(page.get_by_role("heading", name="first")).to_be_visible(timeout=LONG_S)
    httpx.delete(f"{service.api}/tasks/{number}").raise_for_status()
    expect(page.get_by_text(f"There is no task {number}")).to_be_visible(timeout=LONG_S)


def test_a_browser_without_storage_shows_every_page(service: ServiceProcess, page: Page) -> None:
    service.start("--no-worker")
    number = service.create(TASK)
    page.add_init_script(NO_STORAGE)
    page.goto(f"{service.url}/tasks")
    page.get_by_role("link", name="first").click()
    for tab in ("Explorer", "Experiments", "Configuration"):
        page.get_by_role("link", name=tab, exact=True).click()
        expect(page.get_by_role("heading", name="first")).to_be_visible(timeout=LONG_S)
    page.goto(f"{service.url}/tasks/new?mode=advanced&from={number}")
    expect(page.get_by_label("Name", exact=True).first).to_have_value(
        "first (copy)", timeout=LONG_S
    )
    page.get_by_role("button", name=re.compile("colours")).click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off_shows_no_wrong_time(
    service: ServiceProcess, browser: Browser, hours: int
) -> None:
    service.start("--no-worker")
    service.create(TASK)
    context = browser.new_context()
    try:
        page = context.new_page()
        page.add_init_script(
            f"{{ const now = Date.now; Date.now = () => now() + {hours * 3_600_000}; }}"
        )
        page.goto(f"{service.url}/tasks")
        expect(page.get_by_role("link", name="first")).to_be_visible(timeout=LONG_S)
        expect(page.get_by_text("just now").first).to_be_visible()
        expect(page.get_by_text(re.compile(r"\d+ (min|h) ago"))).to_have_count(0)
    finally:
        context.close()
