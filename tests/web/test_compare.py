"""Two tasks side by side in a browser: selected in the list, drawn on the same axes."""

from __future__ import annotations

import httpx
import pytest
import ui_screenshots
from playwright.sync_api import Page, expect
from service_process import ServiceProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_two_tasks_are_compared(service: ServiceProcess, page: Page) -> None:
    ui_screenshots.fill(service.home)
    service.start("--no-worker")
    ui_screenshots.add_tasks(service.url)
    uploaded = httpx.post(
        f"{service.url}/api/v2/verify/files",
        files={"file": ("theirs.csv", "concurrency,ttft_ms,tpot_ms,tok_s,gpus\n8,900,20,400,2\n")},
    )
    assert uploaded.status_code == 201
    page.goto(service.url)
    for name in ("replay-qwen235b", "SmolLM2 on this CPU"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("toolbar", name="Selected tasks").get_by_role("link", name="Compare").click()
    series = page.get_by_role("list", name="Series")
    expect(series.get_by_role("listitem")).to_have_count(2)
    # The one is of another model and workload, which is said beside the chart and above it.
    expect(series.get_by_text("other model · other workload")).to_be_visible()
    warning = page.get_by_text("These are not known to be of one model and workload")
    expect(warning).to_be_visible()
    page.get_by_role("combobox", name="Uploaded results to add").select_option(
        label="theirs.csv · csv"
    )
    expect(series.get_by_text("model not stated · workload not stated")).to_be_visible()
    page.get_by_role("combobox", name="Across").select_option("Time to first token, mean")
    chart = page.get_by_role("img", name="Throughput per GPU against Time to first token, mean")
    expect(chart).to_be_visible()
    table = page.get_by_role("region", name="What differs").get_by_role("table")
    expect(table.get_by_role("row", name="engine trtllm llamacpp")).to_be_visible()
    address = page.url
    page.reload()
    expect(chart).to_be_visible()
    assert page.url == address
    page.get_by_role("button", name="Leave out SmolLM2 on this CPU").click()
    # The file does not say what it is of: nobody knows that it answers the same question.
    expect(warning).to_be_visible()
    expect(page.get_by_text("theirs.csv does not state its model and workload.")).to_be_visible()
    page.get_by_role("button", name="Leave out theirs.csv").click()
    expect(warning).to_be_hidden()
    expect(series.get_by_role("listitem")).to_have_count(1)
