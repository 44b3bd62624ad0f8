"""A task at work, steered by clicks: paused, resumed, cancelled, reloaded, its service killed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from service_process import ServiceProcess

from autotuner.testing.fake_engine import install_fake_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LATER_MS = 90_000
LAUNCHES, LEVELS = 6, 2
TASK: dict[str, Any] = {
    "version": 2,
    "name": "steered",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 8, "osl": 4},
    "scheduling": {"max_running_requests": [1, 2, 4]},
    "misc": {"threads": [1, 2]},
    "prediction": {"predictor": "none"},
    "optimization": {"strategy": "grid", "baseline": "none", "confirm": 0},
    "benchmark": {
        "concurrency": [1, 2],
        "requests_per_level": 8,
        "duration_per_level_s": 20,
        "warmup_requests": 0,
    },
}
KEEP_STREAM = """
window.received = [];
const Plain = window.EventSource;
window.EventSource = class extends Plain {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => {
      const { id, task_id } = JSON.parse(data);
      if (typeof id === "number") window.received.push([id, task_id]);
    });
  }
};
"""
"""Keeps the numbers of the events that the page's own stream brings."""


def started(service: ServiceProcess, folder: Path) -> None:
    """Starts the service with a worker, which may launch an engine that takes its time."""
    engine = install_fake_engine(folder, "--load-delay-s=0.5", "--ttft-ms=80")
    config = folder / "operator.yaml"
    config.write_text(json.dumps({"policy": {"programs": [str(engine)]}}), "utf-8")
    service.start("--devices", "cpu", "--config", str(config))


def begun(service: ServiceProcess, page: Page, folder: Path) -> int:
    """Number of a task that is at work, and shown."""
    started(service, folder)
    engine = str(folder / "llama-server")
    number = service.create(TASK | {"engine_path": engine}, start=True)
    page.goto(f"{service.url}/tasks/{number}")
    expect(page.get_by_text("Running").first).to_be_visible()
    return number


def wait_for_launches(page: Page, least: int) -> None:
    """Waits until so many launches are finished, as the page shows them."""
    counts = "|".join(str(count) for count in range(least, LAUNCHES))
    line = re.compile(f"^({counts}) of at most {LAUNCHES} launches finished")
    expect(page.get_by_text(line)).to_be_visible(timeout=LATER_MS)


def test_a_task_is_paused_resumed_reloaded_and_cancelled(
    service: ServiceProcess, page: Page, tmp_path: Path
) -> None:
    number = begun(service, page, tmp_path)
    wait_for_launches(page, 1)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused").first).to_be_visible()
    expect(page.get_by_text("no launch is repeated")).to_be_visible()
    assert state_of(service, number) == "paused"

    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Running").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("Running").first).to_be_visible()
    # What a launch under way has done is known again, from the events before the reload.
    expect(page.get_by_text("Launch ", exact=False).first).to_be_visible()
    wait_for_launches(page, 2)

    page.get_by_role("button", name=f"More actions for task {number}").click()
    page.get_by_role("menuitem", name="Cancel").click()
    expect(page.get_by_text("Cancelled").first).to_be_visible()
    expect(page.get_by_text("What was measured is kept")).to_be_visible()
    assert state_of(service, number) == "cancelled"
    rows = experiments_of(service, number)
    assert sum(row["status"] == "completed" for row in rows) >= 2
    page.get_by_role("navigation", name="Parts of this task").get_by_text("Experiments").click()
    links = page.get_by_role("link", name=re.compile(r"^Experiment \d+$"))
    expect(links).to_have_count(len(rows))


def test_a_killed_service_that_is_back_goes_on_and_no_event_is_lost(
    service: ServiceProcess, page: Page, tmp_path: Path
) -> None:
    page.add_init_script(KEEP_STREAM)
    number = begun(service, page, tmp_path)
    wait_for_launches(page, 1)
    service.kill()
    away = page.get_by_text("The service cannot be reached")
    expect(away.first).to_be_visible()
    # What was there stays readable meanwhile.
    expect(page.get_by_role("heading", name="steered")).to_be_visible()
    started(service, tmp_path)
    expect(away).to_have_count(0)
    expect(page.get_by_text("Completed").first).to_be_visible(timeout=LATER_MS)

    received = [event for event, task in page.evaluate("received") if task == number]
    assert received == sorted(set(received)), "an event came twice, or too late"
    stored = [event["id"] for event in events_of(service, number)]
    # The store keeps the newest step of a level; the page has seen those before it too.
    missing = {event for event in stored if event > received[0]} - set(received)
    assert not missing, "events did not come"
    rows = experiments_of(service, number)
    measured = [row for row in rows if row["status"] == "completed"]
    assert len(measured) == len({row["candidate_id"] for row in measured}) == LAUNCHES
    page.get_by_role("navigation", name="Parts of this task").get_by_text("Explorer").click()
    page.get_by_text("Table", exact=True).click()
    expect(page.get_by_text(f"{LAUNCHES * LEVELS} points")).to_be_visible()


def state_of(service: ServiceProcess, number: int) -> str:
    return str(httpx.get(f"{service.api}/tasks/{number}").json()["status"])


def experiments_of(service: ServiceProcess, number: int) -> list[dict[str, Any]]:
    page = httpx.get(f"{service.api}/tasks/{number}/experiments").json()
    return list(page["items"])


def events_of(service: ServiceProcess, number: int) -> list[dict[str, Any]]:
    """The stored events of a task, in their order."""
    text = httpx.get(f"{service.api}/tasks/{number}/events?follow=false&form=message").text
    sent = [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:")]
    return [event for event in sent if "id" in event]
