"""A profile in a browser: made, used by a task, changed, deleted, and brought back."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from service_process import ServiceProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_profile_is_made_used_changed_deleted_and_brought_back(
    service: ServiceProcess, page: Page
) -> None:
    service.start("--no-worker")
    page.goto(service.url)
    page.get_by_role("link", name="Profiles").click()

    # A copy of a built-in one, of which the mistakes are told while they are typed.
    page.get_by_role("link", name="balanced").click()
    page.get_by_role("button", name="Copy").click()
    name = page.get_by_label("Name")
    expect(name).to_have_value("balanced_copy")
    create = page.get_by_role("button", name="Create")
    name.fill("balanced")
    expect(page.get_by_text("already exists")).to_be_visible()
    expect(create).to_be_disabled()
    name.fill("mine")
    layer = page.get_by_role("region", name="Layer 7")
    value_of(layer, "scheduling.max_running_requests").fill("many")
    expect(layer.get_by_text("many")).to_be_visible()
    expect(create).to_be_disabled()
    value_of(layer, "scheduling.max_running_requests").fill("2, 6")
    effect = page.get_by_role("region", name="What it sets here")
    expect(effect.get_by_text("2, 6")).to_be_visible()
    expect(effect.get_by_text("1 field of 2 differs")).to_be_visible()

    # A reload loses nothing.
    page.reload()
    expect(page.get_by_text("Your draft was restored")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("mine")
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(re.compile("profile=mine"))
    expect(page.get_by_text("Used by no task")).to_be_visible()

    # A task that names it.
    page.get_by_role("link", name="New task").click()
    page.get_by_role("checkbox", name="Mine").check()
    made = page.get_by_role("button", name="Create", exact=True)
    expect(made).to_be_enabled()
    made.click()
    expect(page).to_have_url(re.compile(r"/tasks/\d+$"))
    (task,) = httpx.get(f"{service.api}/tasks/").json()["items"]
    page.goto(f"{service.url}/profiles?profile=mine")
    expect(page.get_by_text("Used by 1 task")).to_be_visible()
    expect(page.get_by_role("link", name=task["name"])).to_be_visible()

    # A change, and one from elsewhere meanwhile, which is not lost unasked.
    page.keyboard.press("e")
    page.get_by_label("Description").fill("Few requests at once.")
    elsewhere = {"description": "Changed elsewhere.", "layers": []}
    httpx.put(f"{service.api}/profiles/mine", json=elsewhere).raise_for_status()
    page.get_by_role("button", name="Save", exact=True).click()
    conflict = page.get_by_role("dialog", name="Someone else changed mine")
    both = conflict.get_by_role("row").filter(has_text="Few requests at once.")
    expect(both).to_contain_text("Changed elsewhere.")
    conflict.get_by_role("button", name="Keep mine, replace theirs").click()
    expect(page.get_by_text("Few requests at once.").first).to_be_visible()
    changed = httpx.get(f"{service.api}/profiles/mine").json()
    assert changed["layers"][-1]["set"]["scheduling.max_running_requests"]["value"] == [2, 6]

    # Deleted: whom it would hurt is told before, and it comes back as it was.
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 task that names it has not finished")).to_be_visible()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Profile deleted")).to_be_visible()
    assert httpx.get(f"{service.api}/profiles/mine").status_code == 404
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Profile restored")).to_be_visible()
    back = httpx.get(f"{service.api}/profiles/mine").json()
    assert back["document"] == changed["document"]


def value_of(layer: Locator, field: str) -> Locator:
    return layer.get_by_label(f"Value of {field}")
