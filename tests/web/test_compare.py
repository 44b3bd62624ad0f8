"""Series side by side in a browser: tasks, their predictions, and results dropped there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import opened_page
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
THEIRS = "concurrency,ttft_ms,tpot_ms,tok_s,gpus\n8,900,20,400,2\n"
DROP = """(target, [name, text]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], name));
  for (const kind of ["dragover", "drop"]) {
    target.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
  }
}"""


def test_two_tasks_and_results_are_compared(url: str, page: Page) -> None:
    page.goto(url)
    for name in ("replay-qwen235b", "SmolLM2 on this CPU"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("toolbar", name="Selected tasks").get_by_role("link", name="Compare").click()
    series = page.get_by_role("list", name="Series")
    expect(series.get_by_role("listitem")).to_have_count(2)
    # The one is of another model and workload, which is said beside the chart and above it.
    expect(series.get_by_text("other model · other workload")).to_be_visible()
    warning = page.get_by_text("These may not be of the same model and workload")
    expect(warning).to_be_visible()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a file, or all files of one run").click()
    theirs = {"name": "theirs.csv", "mimeType": "text/csv", "buffer": THEIRS.encode()}
    chooser.value.set_files([theirs])  # type: ignore[list-item]
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
    page.get_by_role("button", name="Delete the results of theirs.csv").click()
    page.get_by_role("button", name="Delete them").click()
    expect(warning).to_be_hidden()
    expect(series.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("combobox", name="Uploaded results to add")).to_be_hidden()


def test_results_are_dropped_where_nothing_is_compared_yet(url: str, page: Page) -> None:
    page.goto(f"{url}/compare")
    expect(page.get_by_text("Nothing is chosen yet")).to_be_visible()
    target = page.get_by_text("or drop them here")
    target.evaluate(DROP, ["nothing.csv", "neither,of,this\n"])
    expect(page.get_by_role("alert")).to_be_visible()
    target.evaluate(DROP, ["dropped.csv", THEIRS])
    expect(page.get_by_role("list", name="Series").get_by_text("dropped.csv")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_predictions_limits_and_files_of_the_chart(url: str, browser: Browser) -> None:
    with opened_page(browser, accept_downloads=True) as page:
        page.goto(f"{url}/compare?tasks=2,1&x=ttft_ms&y=tok_s_per_gpu")
        series = page.get_by_role("list", name="Series")
        expect(series.get_by_role("listitem")).to_have_count(2)
        page.get_by_role("checkbox", name="predictions of the tasks").check()
        expect(series.get_by_text("predicted").first).to_be_visible()
        assert series.get_by_role("listitem").count() > 2

        # The limit is a task's own, until its line is moved; the address holds it then.
        limit = page.get_by_role("slider", name="SLO: Time to first token, mean")
        expect(page.get_by_text("The SLO of SmolLM2 on this CPU.")).to_be_visible()
        expect(limit).to_have_attribute("aria-valuenow", "500")
        expect(series.get_by_text("within the SLO").first).to_be_visible()
        limit.focus()
        page.keyboard.press("ArrowRight")
        expect(limit).to_have_attribute("aria-valuenow", "510")
        page.wait_for_url("**slo=ttft_ms*510**")
        page.reload()
        expect(limit).to_have_attribute("aria-valuenow", "510")

        contents = {}
        for form, name in (("csv", "Points shown"), ("svg", "Drawing"), ("png", "Picture")):
            page.get_by_role("button", name="Export").click()
            with page.expect_download() as download:
                page.get_by_role("menuitem", name=name).click()
            assert download.value.suggested_filename == f"compare-tok_s_per_gpu-ttft_ms.{form}"
            contents[form] = Path(download.value.path()).read_bytes()
        assert contents["csv"].startswith(b"series,model,workload,id,kind,")
        assert b",predicted," in contents["csv"]
        assert b"SmolLM2 on this CPU (" in contents["svg"]
        assert contents["png"].startswith(b"\x89PNG")

        page.get_by_role("button", name="The tasks' SLO").click()
        expect(limit).to_have_attribute("aria-valuenow", "500")
