"""How many replicas, in a browser: traffic in, a deployment out, and the same again by its link."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from service_process import ServiceProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_traffic_becomes_replicas_and_the_link_shows_them_again(
    fill: Callable[[Path], None], service: ServiceProcess, page: Page
) -> None:
    fill(service.home)
    service.start("--no-worker")
    page.goto(f"{service.url}/tasks/1")
    page.get_by_role("navigation", name="Parts of this task").get_by_text("Sizing").click()
    expect(page.get_by_text("How many replicas?")).to_be_visible()
    page.get_by_label("Requests per second").fill("40")
    smallest = page.get_by_role("region", name="Smallest deployment")
    expect(smallest).to_be_visible()
    replicas = smallest.locator("dd").first
    before = replicas.inner_text()
    page.get_by_label("TTFT at most").fill("1000")
    expect(replicas).not_to_have_text(before)
    expect(page).to_have_url(re.compile(r"rate=40.*ttft_ms"))
    after = replicas.inner_text()
    page.reload()
    expect(replicas).to_have_text(after)

    page.get_by_label("TTFT at most").fill("1")
    expect(page.get_by_text("Nothing holds it, however many replicas")).to_be_visible()
