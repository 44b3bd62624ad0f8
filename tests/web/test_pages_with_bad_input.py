"""What goes wrong around a page of the UI: said in words, nothing typed is lost, nothing runs."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect
from service_process import ServiceProcess
from small_task import TASK

from autotuner.store import Store
from autotuner.store.tokens import Tokens, TokenScope

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LONG_S = 25_000

NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });
}
"""


FAULTY = """version: 2
name: faulty
model: {id: smollm2-135m}
runtime: {isl: x}
system: {total_gpus: -1}
parallel: {tensor_parallel: [1, 1.5]}
quantization: {kvcache_mode: fp9}
memory: {mem_fraction_static: 2}
scheduling: {max_running_requests: -1}
attention: {enable_chunked_prefill: maybe}
misc: {threads: many}
"""
GROUPS = {
    "Workload": "takes a whole number, not 'x'",
    "System": "has to be 0 or more, not -1",
    "Parallelism": "takes a whole number, not 1.5",
    "Number formats": "not 'fp9'",
    "Memory": "has to be 1 or less, not 2",
    "Scheduling": "has to be 1 or more, not -1",
    "Attention": "takes true or false, not 'maybe'",
    "Further settings": "takes a whole number, not 'many'",
}


def paste(page: Page, into: str, text: str) -> None:
    """Pastes by the keyboard, in place of what is there."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.get_by_label(into, exact=True).click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+v")


def test_a_session_that_ends_while_one_edits_costs_nothing_typed(
    service: ServiceProcess, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(service.home) as store:
        tokens = Tokens(store.sessions)
        secret, _ = tokens.create("mine", TokenScope.WRITE)
        later, _ = tokens.create("later", TokenScope.WRITE, lasts=timedelta(hours=1))
    monkeypatch.setenv("AUTOTUNER_DEMAND_TOKENS", "true")
    service.start("--no-worker")
    page.goto(f"{service.url}/tasks/new")
    page.get_by_label("Token").fill(secret)
    page.get_by_role("button", name="Sign in").click()
    name = page.get_by_label("Name", exact=True)
    expect(name).to_be_enabled(timeout=LONG_S)
    name.fill("typed before")
    # Nothing is under way that would tell of the end before the name is typed.
    expect(page.get_by_text("Up to date")).to_be_visible(timeout=LONG_S)
    # The token is revoked, and with it the session of this browser.
    with Store.open(service.home) as store:
        Tokens(store.sessions).revoke("mine")
    name.fill("typed before the end")
    create = page.get_by_role("button", name="Create", exact=True)
    again = page.get_by_role("dialog", name="Sign in again")
    expect(again).to_be_visible(timeout=LONG_S)
    again.get_by_label("Token").fill(later)
    again.get_by_role("button", name="Sign in").click()
    expect(again).to_have_count(0, timeout=LONG_S)
    expect(name).to_have_value("typed before the end")
    # Another tab signs in anew: this one's token of changes is of a session that is over.
    other = page.context.new_page()
    other.goto(service.url)
    other.evaluate(
        """async token => { await fetch("/api/v2/session", {method: "POST",
        headers: {"Content-Type": "application/json"}, body: JSON.stringify({token})}); }""",
        later,
    )
    expect(create).to_be_enabled(timeout=LONG_S)
    create.click()
    heading = page.get_by_role("heading", name="typed before the end")
    expect(heading).to_be_visible(timeout=LONG_S)


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


def test_faults_of_all_groups_are_at_their_fields_at_once(
    service: ServiceProcess, page: Page
) -> None:
    service.start("--no-worker")
    page.goto(f"{service.url}/tasks/new?mode=advanced")
    expect(page.get_by_label("YAML of the task")).to_be_visible(timeout=LONG_S)
    paste(page, "YAML of the task", FAULTY)
    for title, message in GROUPS.items():
        tab = page.get_by_role("tab", name=re.compile(f"^{title}"))
        expect(tab.get_by_title(re.compile("at fault"))).to_be_visible(timeout=LONG_S)
        tab.click()
        expect(page.get_by_role("tabpanel").get_by_text(message)).to_be_visible()
    expect(page.get_by_role("button", name="Create and start")).to_be_disabled()


def test_a_text_of_5_mb_is_refused_as_too_long_and_the_page_answers(
    service: ServiceProcess, page: Page
) -> None:
    service.start("--no-worker")
    page.goto(f"{service.url}/tasks/new?mode=advanced")
    expect(page.get_by_label("YAML of the task")).to_be_visible(timeout=LONG_S)
    huge = ("# " + 47 * "x" + "\n") * 100_000
    page.get_by_role("button", name="Import").click()
    dialog = page.get_by_role("dialog", name="Import")
    field = dialog.get_by_label("File or command line")
    field.fill("vllm serve x")
    paste(page, "File or command line", huge)
    expect(dialog.get_by_text("5,000,000 bytes were not taken in")).to_be_visible()
    expect(field).to_have_value("vllm serve x")
    dialog.get_by_role("button", name="Cancel").click()
    paste(page, "YAML of the task", huge)
    expect(page.get_by_text(re.compile("5,000,000 characters")).first).to_be_visible(timeout=LONG_S)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(re.compile("5,000,000 characters"))).to_have_count(0)


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


def test_a_part_of_a_page_that_did_not_arrive_is_loaded_again(
    service: ServiceProcess, page: Page
) -> None:
    """Chromium gives requests up when an interface of the machine comes or goes, as Docker's do."""
    service.start("--no-worker")
    service.create(TASK)
    given_up: list[str] = []

    def once(route: Route) -> None:
        if given_up:
            route.continue_()
        else:
            given_up.append(route.request.url)
            route.abort("connectionfailed")

    page.route(re.compile(r"/assets/tasks-page-.*\.css"), once)
    page.goto(f"{service.url}/tasks")
    expect(page.get_by_role("link", name="first")).to_be_visible(timeout=LONG_S)
    assert given_up
