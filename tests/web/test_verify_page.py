"""Results of other programs in a browser: uploaded, compared with a task, and linked to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from measured_task import store_measured_task
from playwright.sync_api import Page, expect
from service_process import ServiceProcess
from small_task import TASK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
DATA = Path(__file__).parents[1] / "verify" / "data"
GENAI_BENCH = DATA / "genai-bench"
INFERENCEX = {
    "model": "llama-3-1-70b", "hw": "h200", "framework": "vllm", "precision": "fp8", "tp": 8,
    "ep": 1, "dp_attention": False, "conc": 64, "isl": 1024, "osl": 1024, "tput_per_gpu": 900.0,
    "output_tput_per_gpu": 450.0, "mean_ttft": 0.4, "mean_tpot": 0.02, "median_ttft": 0.4,
}  # fmt: skip
RESULTS = {
    "aiconfigurator": [DATA / "aiconfigurator" / "default" / "agg" / "pareto.csv"],
    "genai-bench": sorted(GENAI_BENCH.glob("*.json")),
    "vllm-bench": [DATA / "tools" / "vllm-bench.json"],
    "sglang-bench": [DATA / "tools" / "sglang-bench.jsonl"],
    "guidellm": [DATA / "tools" / "guidellm.json"],
    "aiperf": [DATA / "tools" / "aiperf" / "profile_export_aiperf.json"],
}


def test_results_of_each_format_are_uploaded(
    service: ServiceProcess, page: Page, tmp_path: Path
) -> None:
    inferencex = tmp_path / "agg_h200.json"
    inferencex.write_text(json.dumps(INFERENCEX))
    service.start("--no-worker")
    page.goto(service.url)
    page.get_by_role("link", name="Verify").click()
    side = page.get_by_role("group", name="Measured")
    chosen = side.get_by_role("combobox", name="Results of measured")
    for name, files in {**RESULTS, "inferencex": [inferencex]}.items():
        side.locator("input[type=file]").set_input_files(files)
        expect(chosen.locator("option:checked")).to_contain_text(f"· {name},")
    broken = tmp_path / "notes.txt"
    broken.write_text("nothing of that kind")
    side.locator("input[type=file]").set_input_files(broken)
    expect(side.get_by_role("alert")).to_contain_text("notes.txt is text of no format")
    expect(side.get_by_role("alert")).to_contain_text("genai-bench, csv, guidellm")

    # A format that is chosen is the one that counts, for uploads and for paths alike.
    side.get_by_text("Format, or a path").click()
    side.get_by_role("combobox", name="Format of measured").select_option("csv")
    side.locator("input[type=file]").set_input_files(RESULTS["vllm-bench"])
    expect(side.get_by_role("alert")).not_to_contain_text("notes.txt")
    expect(side.get_by_role("alert")).to_be_visible()
    side.get_by_role("combobox", name="Format of measured").select_option("Detect it")

    # What lies on the service's machine is read where it may be, and nowhere else.
    run = service.home / "imports" / "run1"
    run.mkdir(parents=True)
    (run / "level.json").write_bytes(RESULTS["guidellm"][0].read_bytes())
    path = side.get_by_role("textbox", name="Path on the service's machine")
    path.fill(str(service.home / "autotuner.db"))
    path.press("Enter")
    expect(side.get_by_role("alert")).to_contain_text("lies outside the folders")
    path.fill("imports/run1")
    side.get_by_role("button", name="Read the path of measured").click()
    expect(chosen.locator("option:checked")).to_contain_text("run1 · guidellm,")
    expect(side.get_by_role("alert")).to_have_count(0)


def test_the_learning_curve_is_that_of_measured_launches(
    service: ServiceProcess, page: Page
) -> None:
    service.start("--no-worker")
    task_id = service.create(TASK)
    store_measured_task(service.home, task_id, [(0.5, 0.4), (0.5, 0.2), (0.5, 0.1)])
    page.goto(f"{service.url}/verify")
    accuracy = page.get_by_role("region", name="Accuracy over all tasks")
    expect(accuracy.get_by_role("status")).to_have_text("3 levels of 1 task")
    curve = accuracy.get_by_role("img", name="Median error of TTFT by earlier launches")
    expect(curve).to_have_accessible_name(re.compile(r"launch 40\s%, after 2 launches 10\s%$"))
    expect(curve.locator("canvas")).to_be_visible()
    accuracy.get_by_text("Show the curve as a table").click()
    table = accuracy.get_by_role("table").last
    for launches, error in (("0", "40"), ("1", "20"), ("2", "10")):
        row = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name=launches))
        expect(row.get_by_role("cell").nth(1)).to_have_text(re.compile(rf"^{error}\s%$"))
    accuracy.get_by_text("Predictor alone", exact=True).click()
    expect(table.get_by_role("row")).to_have_count(4)
    for row in table.get_by_role("row").all()[1:]:
        expect(row.get_by_role("cell").nth(1)).to_have_text(re.compile(r"^50\s%$"))
    # The predictions were too high: the bias is their factor, less 1.
    expect(table.get_by_role("row").nth(1).get_by_role("cell").nth(2)).to_contain_text("+50")


def test_a_table_is_compared_with_a_task_and_the_link_shows_it_again(
    fill: Callable[[Path], None], service: ServiceProcess, page: Page, tmp_path: Path
) -> None:
    fill(service.home)
    service.start("--no-worker")
    table = tmp_path / "mine.csv"
    page.goto(f"{service.url}/verify?predicted=calibrated:1&actual=measured:1")
    expect(page.get_by_text("The choice would have been")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Pairs as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) > 50 and lines[0].startswith("model,engine,system,candidate")
    # One configuration as somebody else measured it.
    [point] = httpx.get(
        f"{service.url}/api/v2/tasks/1/points", params={"kind": "measured", "limit": 1}
    ).json()["items"]
    load = point["load"]["value"]
    table.write_text(f"concurrency,ttft_ms,tpot_ms,tok_s\n{load},800,25,2500\n")
    stated = [f"{name}={value}" for name, value in point["settings"].items()]
    side = page.get_by_role("group", name="Measured")
    side.get_by_role("combobox", name="Kind of measured").select_option("Results from a file")
    side.locator("input[type=file]").set_input_files(table)
    refused = page.get_by_role("region", name="Results side by side").get_by_role("alert")
    expect(refused).to_contain_text("say whether")
    settings = side.get_by_role("textbox", name="Missing settings")
    settings.fill(", ".join(stated))
    settings.press("Enter")
    address = page.url
    assert "actual=file" in address
    status = page.get_by_role("region", name="Results side by side").get_by_role("status")
    expect(status.first).to_have_text(re.compile("^1 pair: .* against mine.csv$"))
    page.goto("about:blank")
    page.goto(address)
    expect(side.get_by_role("combobox", name="Results of measured")).to_contain_text("mine.csv")
    expect(status.first).to_have_text(re.compile("against mine.csv$"))
    replayed = page.get_by_text(re.compile(r"^\d+ replayed levels are left out\.$"))
    expect(replayed).to_be_visible()
