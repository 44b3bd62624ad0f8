"""Tasks in the browser: shown live, after a reload, and after the service was gone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from service_process import ServiceProcess
from small_task import TASK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
HOSTILE = '<script>document.title="taken"</script>\u202egnirts ' + "x" * 150


def test_an_empty_service_leads_to_the_first_task(service: ServiceProcess, page: Page) -> None:
    service.start("--no-worker")
    page.goto(f"{service.url}/tasks")
    main = page.get_by_role("main")
    main.get_by_role("link", name=re.compile("task", re.IGNORECASE)).last.click()
    expect(page).to_have_url(re.compile("/tasks/new"))


def test_a_task_that_somebody_else_creates_appears_by_itself(
    service: ServiceProcess, page: Page
) -> None:
    service.start("--no-worker")
    service.create(TASK)
    page.goto(service.url)
    expect(page.get_by_text("first", exact=True).first).to_be_visible()
    service.create({**TASK, "name": "second"})
    expect(page.get_by_text("second", exact=True).first).to_be_visible()


def test_a_page_goes_on_when_the_service_was_killed_and_is_back(
    service: ServiceProcess, page: Page
) -> None:
    service.start("--no-worker")
    number = service.create(TASK, start=True)
    page.goto(f"{service.url}/tasks/{number}")
    expect(page.get_by_role("heading", name="first")).to_be_visible()
    expect(page.get_by_text("Queued").first).to_be_visible()
    service.kill()
    away = page.get_by_text("The service cannot be reached")
    expect(away.first).to_be_visible(timeout=20_000)
    service.start("--no-worker")
    expect(away).to_have_count(0, timeout=30_000)
    page.get_by_role("button", name="Pause").first.click()
    expect(page.get_by_text("Paused").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("Paused").first).to_be_visible()


def test_names_of_users_are_text_and_nothing_else(service: ServiceProcess, page: Page) -> None:
    service.start("--no-worker")
    number = service.create({**TASK, "name": HOSTILE, "description": HOSTILE})
    for address in ("/tasks", f"/tasks/{number}", f"/tasks/{number}/configuration"):
        page.goto(service.url + address)
        expect(page.get_by_text("<script>").first).to_be_visible()
        assert page.title() != "taken"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), address


def test_a_missing_task_is_named(service: ServiceProcess, page: Page) -> None:
    service.start("--no-worker")
    page.goto(f"{service.url}/tasks/77")
    expect(page.get_by_text(re.compile("no task 77|deleted", re.IGNORECASE)).first).to_be_visible()
