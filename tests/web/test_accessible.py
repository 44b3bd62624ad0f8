"""Every page in both colour schemes, and at the width of a phone: what axe finds, what is cut."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import ui_screenshots
from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (1280, 390)
STILL = """() => new Promise((done) => {
  setTimeout(done, 10_000);
  let quiet = setTimeout(done, 300);
  new MutationObserver(() => {
    clearTimeout(quiet);
    quiet = setTimeout(done, 300);
  }).observe(document, { subtree: true, childList: true, attributes: true });
})"""
"""Waits until nothing has changed for a moment: colours and parts of another width come late."""
RUN = "axe.run(document, {resultTypes: ['violations']})"


@pytest.mark.parametrize("name", list(ui_screenshots.PAGES))
def test_everybody_can_read_it(name: str, url: str, browser: Browser) -> None:
    page = browser.new_page(color_scheme="light", reduced_motion="reduce")
    ui_screenshots.show(page, url + ui_screenshots.PAGES[name], ui_screenshots.STATES["light"])
    page.evaluate(AXE.read_text("utf-8"))
    serious = []
    for width, scheme in itertools.product(WIDTHS, ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.locator(f"html[data-mantine-color-scheme={scheme}]").wait_for(state="attached")
        page.evaluate(STILL)
        serious += [
            (width, scheme, each["id"], node["target"], node.get("failureSummary", ""))
            for each in page.evaluate(RUN)["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"][:3]
        ]
        assert page.evaluate("document.documentElement.scrollWidth") <= width + 1
    page.close()
    assert not serious, serious
