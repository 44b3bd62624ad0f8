"""The first page of a service without tasks, and what `/` leads to once there is one."""

from __future__ import annotations

import re

import pytest
import ui_screenshots
from playwright.sync_api import Page, expect
from service_process import ServiceProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_an_empty_service_shows_the_ways_to_begin(service: ServiceProcess, page: Page) -> None:
    service.start("--no-worker")
    page.goto(service.url)
    expect(page).to_have_url(re.compile("/start$"))
    found = page.get_by_role("region", name="Found here")
    expect(found.get_by_text(re.compile(r"CPU with \d+ cores?"))).to_be_visible()
    expect(page.get_by_role("link", name="See a prediction")).to_be_visible()
    expect(page.get_by_text("No tasks yet")).to_be_visible()
    page.get_by_role("link", name="Preview what it becomes").click()
    expect(page.get_by_role("heading", name="Migration from version 1")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Create a task").click()
    expect(page.get_by_role("heading", name="New task")).to_be_visible()
    ui_screenshots.add_tasks(service.url)
    page.goto(service.url)
    expect(page).to_have_url(re.compile("/tasks$"))
    page.get_by_role("link", name="Start").click()
    newest = page.get_by_role("region", name="Newest results")
    expect(newest.get_by_role("link", name="SmolLM2 on this CPU")).to_be_visible()


def test_a_recommendation_becomes_a_new_task(service: ServiceProcess, page: Page) -> None:
    service.start("--no-worker")
    page.goto(f"{service.url}/start")
    card = page.get_by_role("region", name="Recommend without launching")
    card.get_by_label("Model").fill("meta-llama/Llama-3.1-8B-Instruct")
    page.keyboard.press("Escape")
    card.get_by_label("Device").first.fill("h100_sxm")
    page.get_by_role("option", name=re.compile("^h100_sxm")).first.click()
    card.get_by_label("TTFT at most").fill("800")
    card.get_by_role("button", name="Recommend").click()
    expect(card.get_by_role("heading", name="Recommended")).to_be_visible(timeout=60_000)
    command = card.get_by_role("region", name="Command that serves it").first
    expect(command).to_contain_text("Llama-3.1-8B-Instruct")
    expect(page).to_have_url(re.compile(r"gpu=h100_sxm.*ttft=800"))
    card.get_by_role("link", name="Tune this").click()
    expect(page.get_by_role("heading", name="New task")).to_be_visible()
    expect(page.get_by_role("textbox", name="Model")).to_have_value(
        "meta-llama/Llama-3.1-8B-Instruct"
    )
    expect(page.get_by_label("TTFT, mean")).to_have_value("800")
