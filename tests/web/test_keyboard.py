"""The UI without a mouse: every page walked by Tab, and a way through all of it by keys alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import ui_screenshots
from pages import opened_page
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark-narrow": {"color_scheme": "dark", "viewport": {"width": 375, "height": 812}},
}
WALKED = (
    *("start", "tasks", "new-task", "new-task-advanced", "overview", "explorer", "search"),
    *("experiments", "experiment", "performance", "sizing", "configuration", "comparison", "log"),
    "start-recommend",
    *("profiles", "profile-edit", "compare", "verify-sides", "system", "migration", "legacy"),
    "legacy-task",
)
MOST_STEPS = 250
FOCUSED = """() => {
  window.walked ??= new Map();
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const isKnown = window.walked.has(element);
  window.walked.set(element, true);
  const label = element.labels?.[0] ?? element.closest("label");
  const shown = [element, element.nextElementSibling, element.parentElement, label];
  const editor = element.closest(".cm-editor");
  const isSeen = (each) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(each);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
  };
  const probe = document.createElement("span");
  probe.style.color = "var(--mantine-primary-color-filled)";
  document.body.append(probe);
  const primary = getComputedStyle(probe).color;
  probe.remove();
  const own = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const isSmall = box.width < 3 || box.height < 3;
  const area = isSmall ? (label ?? element.parentElement).getBoundingClientRect() : box;
  return {
    name: element.getAttribute("aria-label") || element.innerText?.trim().slice(0, 60) ||
      label?.innerText || element.outerHTML.slice(0, 200),
    isKnown,
    isEditor: element.classList.contains("cm-content"),
    isMarked: shown.filter(Boolean).some(isSeen) || own.borderColor === primary ||
      (editor && getComputedStyle(editor).boxShadow !== "none"),
    isInView: area.bottom > 0 && area.right > 0 && area.top < innerHeight && area.left < innerWidth,
  };
}"""
"""The element that has the focus: whether it was there before, is marked, and lies in view."""
LEFT_OUT = """() => {
  const all = document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']");
  return [...all].filter((element) => {
    if (window.walked.has(element) || element.disabled || element.tabIndex < 0) return false;
    if (element.type === "radio" && !element.checked) return false;
    if (element.closest("[aria-hidden=true], [inert]")) return false;
    const shown = element.labels?.[0] ?? element;
    return shown.checkVisibility({visibilityProperty: true}) && shown.getClientRects().length > 0;
  }).map((element) => element.outerHTML.slice(0, 200));
}"""
"""Elements that a mouse reaches, and Tab did not."""
BUILT = """() => new Promise((done) => {
  setTimeout(done, 10_000);
  let quiet = setTimeout(done, 500);
  new MutationObserver(() => {
    clearTimeout(quiet);
    quiet = setTimeout(done, 500);
  }).observe(document, { subtree: true, childList: true });
})"""
"""Waits until for half a second no element came or went: one that goes takes the focus along."""


@pytest.fixture(params=list(LOOKS))
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    with opened_page(browser, reduced_motion="reduce", **LOOKS[request.param]) as opened:
        yield opened


@pytest.mark.parametrize("name", WALKED)
def test_tab_reaches_whatever_a_mouse_does_and_shows_where_it_is(
    name: str, url: str, page: Page
) -> None:
    page.goto(url + ui_screenshots.PAGES[name])
    expect(page.get_by_role("main")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.evaluate(BUILT)
    unmarked, hidden = [], []
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or focused["isKnown"]:
            break
        unmarked += [focused["name"]] * (not focused["isMarked"])
        hidden += [focused["name"]] * (not focused["isInView"])
        if focused["isEditor"]:
            # In the editor Tab indents, until Escape.
            page.keyboard.press("Escape")
    else:
        raise AssertionError("the focus never comes back to the beginning")
    assert not unmarked, f"the focus is not seen at {unmarked}"
    assert not hidden, f"out of view with the focus: {hidden}"
    assert not page.evaluate(LEFT_OUT)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")


def test_from_the_list_to_a_task_and_its_command_by_keys_alone(url: str, page: Page) -> None:
    page.goto(url)
    expect(page.get_by_role("grid", name="Tasks")).to_be_visible()

    # A new task as suggested.
    page.keyboard.press("n")
    begin = page.get_by_role("button", name="Create and start")
    expect(begin).to_be_enabled()
    press(page, begin)
    expect(page).to_have_url(re.compile(r"/tasks/\d+$"))
    expect(page.get_by_text("Queued").first).to_be_visible()

    # The palette leads to another task; it takes whatever is typed from its opening on.
    page.keyboard.press("Control+k")
    page.keyboard.type("all tasks")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/tasks$"))
    expect(page.get_by_placeholder("Find a task")).to_have_count(0)
    expect(page.get_by_role("row").nth(2)).to_be_visible()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{url}/tasks/1")
    expect(page.get_by_role("heading", name="Recommended point")).to_be_visible()

    # The command of the recommended point, and every part of the task.
    command = page.get_by_label("Command that serves it").inner_text().strip()
    press(page, page.get_by_role("button", name="Copy", exact=True).first)
    expect(page.get_by_role("button", name="Copied").first).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").strip() == command
    parts = page.get_by_role("navigation", name="Parts of this task").get_by_role("link")
    for place in [*range(2, parts.count()), 1]:
        press(page, parts.nth(place))
        expect(parts.nth(place)).to_have_attribute("aria-current", "page")

    # Points of the explorer, and the command of one.
    reach(page, page.get_by_role("application"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    pinned = page.get_by_role("region", name="Pinned point")
    expect(pinned).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    compared = page.get_by_role("region", name="Two points compared")
    expect(compared).to_be_visible()
    press(page, compared.get_by_role("button", name="Clear"))
    expect(compared).to_have_count(0)


def test_escape_closes_what_opens_and_the_focus_goes_back(url: str, page: Page) -> None:
    page.goto(f"{url}/tasks/new")
    opener = page.get_by_role("button", name="Import")
    press(page, opener)
    expect(page.get_by_label("File or command line")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()

    for keys, shown in (("?", "Keyboard shortcuts"), ("Control+k", "Find a task")):
        page.keyboard.press(keys)
        seen = page.get_by_text(shown).or_(page.get_by_placeholder(shown)).first
        expect(seen).to_be_visible()
        page.keyboard.press("Escape")
        expect(seen).not_to_be_visible()
        expect(opener).to_be_focused()

    page.goto(f"{url}/tasks/1")
    opener = page.get_by_role("button", name="More actions for task 1")
    for item in (None, "Rename", "Restart"):
        press(page, opener)
        menu = page.get_by_role("menu")
        expect(menu).to_be_visible()
        # It takes the focus a frame after it is shown; a person presses no key in between.
        expect(page.locator("[role=menu]:focus, [role=menu] :focus")).to_have_count(1)
        if item is not None:
            reach(page, menu.get_by_role("menuitem", name=item), "ArrowDown")
            page.keyboard.press("Enter")
            dialog = page.get_by_role("dialog", name=re.compile(f"^{item} task 1"))
            expect(dialog).to_be_visible()
            expect(dialog.locator(":focus")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(menu).not_to_be_visible()
        expect(opener).to_be_focused()


def reach(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Goes on by a key until an element has the focus."""
    expect(wanted).to_be_visible()
    for _ in range(MOST_STEPS):
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not reach {wanted}")


def press(page: Page, wanted: Locator) -> None:
    """Goes to a button or a link by Tab, and presses it."""
    reach(page, wanted)
    page.keyboard.press("Enter")
