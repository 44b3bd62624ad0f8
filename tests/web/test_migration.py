"""A database of version 1 in a browser: looked at, moved, compared, and taken back."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from service_process import ServiceProcess

sys.path.append(str(Path(__file__).parents[1] / "migrate"))

from v1_database import built

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
OLD = {
    "deployment_mode": "local",
    "model": {"id_or_path": "smollm2-135m"},
    "base_runtime": "llamacpp",
    "parameters": {"max_num_seqs": [1, 2]},
    "optimization": {"strategy": "grid_search", "objective": "minimize_latency"},
    "benchmark": {"task": "text-to-text", "traffic_scenarios": ["D(8,4)"], "num_concurrency": [1]},
}


def test_a_database_is_moved_compared_and_taken_back(
    service: ServiceProcess, page: Page, tmp_path: Path
) -> None:
    source = built(tmp_path / "v1.db", tasks=6, experiments=2)
    service.start("--no-worker")
    page.goto(service.url)
    page.get_by_role("link", name="Migration").click()
    card = page.get_by_role("region", name="From a file")
    card.locator("input[type=file]").set_input_files(source)
    expect(card.get_by_text("tasks: 6 to move")).to_be_visible()
    card.get_by_role("row", name="v1 task 4 ").get_by_role("button").click()
    preview = page.get_by_role("dialog")
    expect(preview.get_by_text("parameters.gpu-memory-utilization")).to_be_visible()
    expect(preview.get_by_text("memory.mem_fraction_static")).to_be_visible()
    page.keyboard.press("Escape")
    assert tasks_of(service) == 0
    card.get_by_role("button", name="Migrate it").click()
    expect(card.get_by_text("It is migrated")).to_be_visible()
    assert tasks_of(service) == 6
    card.get_by_role("button", name="Compare with the file").click()
    expect(card.get_by_text("Nothing differs")).to_be_visible()
    page.get_by_role("button", name="Take back v1.db").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Take back").click()
    expect(dialog.get_by_text("Nothing from it is left here.")).to_be_visible()
    dialog.get_by_role("button", name="Close").last.click()
    expect(page.get_by_text("No databases have been moved here")).to_be_visible()
    assert tasks_of(service) == 0


def test_tasks_that_wait_are_migrated_and_stay_as_they_were(
    service: ServiceProcess, page: Page
) -> None:
    service.start("--no-worker")
    for name in ("one", "two"):
        made = httpx.post(f"{service.url}/api/tasks/", json={**OLD, "task_name": name})
        assert made.status_code == 201
    page.goto(f"{service.url}/migration")
    page.get_by_role("button", name="Preview one").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("scheduling.max_running_requests")).to_be_visible()
    page.keyboard.press("Escape")
    card = page.get_by_role("region", name="Waiting here")
    card.get_by_role("button", name="Migrate all").click()
    expect(card.get_by_text("2 tasks migrated")).to_be_visible()
    expect(card.get_by_text("No version 1 tasks are waiting")).to_be_visible()
    assert tasks_of(service) == 2
    page.get_by_role("link", name="tasks of version 1").click()
    page.get_by_role("link", name="one", exact=True).click()
    expect(page.get_by_text("max_num_seqs").first).to_be_visible()
    page.get_by_role("button", name="Clone").click()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="one (copy)")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    shown = {
        one["task_name"]: one["status"] for one in httpx.get(f"{service.url}/api/tasks/").json()
    }
    assert shown == {"one": "pending", "two": "pending", "one (copy)": "running"}


def test_an_engine_is_chosen_for_a_runtime_that_names_none(
    service: ServiceProcess, page: Page
) -> None:
    service.start("--no-worker")
    odd = {**OLD, "task_name": "odd", "base_runtime": "house-blend", "parameters": {"what": [1]}}
    assert httpx.post(f"{service.url}/api/tasks/", json=odd).status_code == 201
    page.goto(f"{service.url}/migration")
    page.get_by_role("button", name="Preview odd").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("To fill in").first).to_be_visible()
    dialog.get_by_role("combobox").select_option("vllm")
    expect(dialog.get_by_text("To fill in")).to_have_count(0)
    page.keyboard.press("Escape")
    card = page.get_by_role("region", name="Waiting here")
    card.get_by_role("button", name="Migrate all").click()
    expect(card.get_by_text("1 task migrated")).to_be_visible()
    (task,) = httpx.get(f"{service.url}/api/v2/tasks/").json()["items"]
    assert task["engine"] == "vllm"


def tasks_of(service: ServiceProcess) -> int:
    found: int = httpx.get(f"{service.url}/api/v2/tasks/").json()["total"]
    return found
