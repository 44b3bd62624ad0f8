"""A task from a blank page to a command that serves: the real service, engine and browser."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from service_process import ServiceProcess

from free_ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TUNED_MS = 600_000
READY_S = 120.0
ISL, OSL = 16, 8
"""Tokens of a request: few, so that a machine of two cores is done within minutes."""


def test_from_a_blank_page_to_a_command_that_serves(
    service: ServiceProcess, page: Page, tmp_path: Path
) -> None:
    service.start("--devices", "cpu")
    page.goto(service.url)
    page.get_by_role("link", name="Create a task").click()
    expect(page.get_by_role("textbox", name="Model")).to_have_value("smollm2-135m")
    page.get_by_role("radiogroup", name="Workload").get_by_text("Own lengths").click()
    for label, tokens in (("Tokens in", ISL), ("Tokens out", OSL)):
        page.get_by_label(label).click(click_count=3)
        page.keyboard.type(str(tokens))
        expect(page.get_by_label(label)).to_have_value(str(tokens))
    plan = page.get_by_role("region", name="Plan")
    expect(plan.get_by_text(f"D({ISL},{OSL})")).to_be_visible()
    page.get_by_role("button", name="Create and start").click()
    expect(page).to_have_url(re.compile(r"/tasks/\d+$"))

    status = page.get_by_role("region", name="Status")
    launches = status.get_by_text(re.compile(r"^\d+ of at most \d+ launches finished"))
    expect(launches).to_be_visible()
    seen = set()
    bar = status.get_by_role("progressbar")
    while page.get_by_text("Completed").count() == 0:
        seen.add(bar.get_attribute("aria-label", timeout=TUNED_MS) if bar.count() else None)
        page.wait_for_timeout(500)
    assert len(seen - {None}) > 3, "the progress did not move"

    expect(page.get_by_role("heading", name="Recommended point")).to_be_visible()
    page.get_by_role("button", name="Copy", exact=True).first.click()
    command = page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("link", name="Explorer").click()
    expect(page.get_by_role("application").locator("canvas").first).to_be_visible()
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Pinned point")).to_be_visible()
    page.get_by_role("radiogroup", name="Form").get_by_text("Table").click()
    expect(page.get_by_role("button", name=re.compile("frontier")).first).to_be_visible()
    service.stop()
    answer = answer_of(command, tmp_path)
    assert answer["choices"][0]["message"]["content"]


def answer_of(command: str, folder: Path) -> dict[str, list[dict[str, dict[str, str]]]]:
    """What the engine answers that a copied command starts, on a port that is free."""
    port = free_port()
    argv = shlex.split(re.sub(r"--port \d+", f"--port {port}", command.replace("\\\n", " ")))
    with (folder / "engine.log").open("wb") as log:
        engine = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/health", engine)
        question = {"messages": [{"role": "user", "content": "Say a word."}], "max_tokens": 8}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/chat/completions",
            json.dumps(question).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            found: dict[str, list[dict[str, dict[str, str]]]] = json.load(response)
            return found
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.wait(timeout=30)


def wait_until_ready(url: str, engine: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        assert engine.poll() is None, "the copied command ended"
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the copied command did not get ready")
