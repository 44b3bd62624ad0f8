"""The service in a browser: machine, queue, tokens, backups, and the way in from elsewhere."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Page, expect
from service_process import ServiceProcess

from autotuner.store import Store
from autotuner.store.tokens import Tokens, TokenScope
from autotuner.store.workers import WorkerRecord
from autotuner.workers.heartbeat import WorkerTimes
from autotuner.workers.machine import MachineUsage
from autotuner.workers.usage_report import UsageReport
from autotuner.workers.worker import Registration

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
TASK = {
    "version": 2,
    "name": "waits here",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 32, "osl": 8},
}


FAR = WorkerRecord(
    id="far",
    name="far",
    kind="worker",
    host="elsewhere",
    boot="b",
    pid=1,
    pid_started=1,
    version="1",
    gpu="cpu",
    devices=["cpu"],
)


def outside_address() -> str | None:
    """An address of this machine that is not its loopback."""
    found = (
        each.address
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family is socket.AF_INET and not each.address.startswith("127.")
    )
    return next(found, None)


def test_a_token_made_in_the_page_signs_in_from_another_address_until_it_is_revoked(
    built_ui: None, page: Page, tmp_path: Path
) -> None:
    address = outside_address()
    if address is None:
        pytest.skip("this machine has no address but its loopback")
    home = tmp_path / "home"
    with Store.open(home) as store:
        admin, _ = Tokens(store.sessions).create("operator", TokenScope.ADMIN)
    service = ServiceProcess(home, address)
    service.start("--no-worker")
    try:
        assert httpx.get(f"{service.api}/system/queue").status_code == 401
        page.goto(f"{service.url}/system")
        sign_in(page, admin)
        tokens = page.get_by_role("region", name="Tokens")
        expect(tokens.get_by_role("row", name="operator")).to_contain_text("yours")

        tokens.get_by_role("button", name="New token").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox", name="Name").fill("operator")
        dialog.get_by_role("button", name="Create token").click()
        expect(dialog.get_by_text("there is a token 'operator' already")).to_be_visible()
        dialog.get_by_role("textbox", name="Name").fill("guest")
        dialog.get_by_role("button", name="Create token").click()
        secret = dialog.get_by_label("Secret").inner_text().strip()
        page.keyboard.press("Escape")
        expect(dialog.get_by_label("Secret")).to_be_visible()
        dialog.get_by_role("button", name="I have copied it").click()
        expect(tokens.get_by_role("row", name="guest")).to_contain_text("Valid until")
        assert secret not in page.content()

        guest = {"Authorization": f"Bearer {secret}"}
        read = httpx.get(f"{service.api}/system/queue", headers=guest)
        refused = httpx.post(f"{service.api}/tasks/", json=TASK, headers=guest)
        assert (read.status_code, refused.status_code) == (200, 403)

        # Who may only read signs in, and is offered neither tokens nor backups.
        sign_out(page)
        sign_in(page, secret)
        page.goto(f"{service.url}/system")
        expect(page.get_by_role("region", name="Database")).to_contain_text("SQLite")
        for name in ("New token", "Back up now"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)

        sign_out(page)
        sign_in(page, admin)
        page.goto(f"{service.url}/system")
        tokens.get_by_role("button", name="Revoke guest").click()
        dialog.get_by_role("button", name="Revoke").click()
        expect(tokens.get_by_role("row", name="guest")).to_contain_text("Revoked")
        with Store.open(home) as store:
            assert Tokens(store.sessions).find(secret) is None
    finally:
        service.stop()


def sign_in(page: Page, secret: str) -> None:
    page.get_by_label("Token", exact=True).fill(secret)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Your session")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Your session").click()
    page.get_by_role("menuitem", name="Sign out").click()


def test_the_page_says_why_a_task_waits_and_saves_a_backup(
    service: ServiceProcess, page: Page
) -> None:
    service.start("--no-worker")
    service.create(TASK, start=True)
    page.goto(service.url)
    expect(page.get_by_role("grid", name="Tasks")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("system")
    page.keyboard.press("Enter")
    queue = page.get_by_role("region", name="Queue")
    expect(queue.get_by_role("row", name="waits here")).to_contain_text("No worker is running.")
    expect(page.get_by_role("region", name="Health")).to_contain_text("1 task is waiting")
    usage = page.get_by_role("region", name="Machine usage")
    expect(usage.get_by_role("img", name="Memory")).to_be_visible()
    expect(usage).to_contain_text("one sample every")

    # A worker elsewhere says how busy its machine is, for as long as it lives.
    report = UsageReport(lambda: MachineUsage(80.0, 256.0, 64.0, ()))
    often = WorkerTimes(registration_s=0.5)
    with (
        Store.open(service.home) as store,
        Registration(store, FAR, times=often, watch=False, usage=report),
    ):
        workers = page.get_by_role("region", name="Workers")
        far = workers.get_by_role("row", name="far")
        expect(far).to_contain_text(re.compile(r"CPU 80\s%, memory"))
        usage.get_by_role("combobox", name="Machine").select_option("elsewhere")
        expect(usage.get_by_role("img", name=re.compile(r"^CPU: 80\s% now"))).to_be_visible()
    expect(usage.get_by_role("img", name=re.compile(r"^CPU: unknown now"))).to_be_visible()
    usage.get_by_role("combobox", name="Machine").select_option("")

    database = page.get_by_role("region", name="Database")
    database.get_by_role("button", name="Back up now").click()
    with page.expect_download() as saved:
        database.get_by_role("list", name="Backups").get_by_role("link").click()
    assert saved.value.path().read_bytes().startswith(b"SQLite format 3")

    # A backup goes only by its name, typed.
    (kept,) = (service.home / "backups").iterdir()
    database.get_by_role("button", name=f"Delete {kept.name}").click()
    dialog = page.get_by_role("dialog")
    delete = dialog.get_by_role("button", name="Delete it")
    dialog.get_by_role("textbox", name="Name of the backup").fill("autotuner")
    expect(delete).to_be_disabled()
    dialog.get_by_role("textbox", name="Name of the backup").fill(kept.name)
    delete.click()
    expect(database).to_contain_text("There are no backups yet")
    assert not kept.exists()

    # The service goes and comes back: the page says so once, and goes on by itself.
    service.kill()
    expect(page.get_by_role("alert").filter(has_text="cannot be reached")).to_have_count(1)
    service.start("--no-worker")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(queue.get_by_role("row", name="waits here")).to_be_visible()
