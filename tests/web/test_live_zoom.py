"""A chart that somebody looks into closely stays where it is while points are measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect
from service_process import ServiceProcess

from autotuner.store import Store
from autotuner.tuning.task_points import PointReader

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
TEXT = re.compile(r'<text x="([^"]*)" y="([^"]*)"[^>]*>([^<]*)<')
MEASURED = re.compile(r"of ([\d,]+) measured points")


@pytest.fixture
def store(fill: Callable[[Path], None], service: ServiceProcess, page: Page) -> Iterator[Store]:
    """Of a finished replay, whose chart the page shows, zoomed in."""
    fill(service.home)
    service.start("--no-worker")
    page.goto(f"{service.url}/tasks/1/explorer?slo=ttft_ms:3000")
    page.get_by_role("application").press("+")
    expect(page).to_have_url(re.compile("zoom="))
    with Store.open(service.home) as opened:
        yield opened


def zoom(page: Page) -> list[float]:
    """Ends of both axes, from the address."""
    (written,) = parse_qs(urlsplit(page.url).query)["zoom"]
    return [float(end) for end in written.strip('"').split(",")]


def labels(page: Page) -> set[tuple[str, str, str]]:
    """Texts of the chart as it is drawn, each behind its place."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
        page.get_by_role("menuitem", name="Drawing (SVG)").click()
    return set(TEXT.findall(download.value.path().read_text("utf-8")))


def points(page: Page) -> int:
    found = MEASURED.search(page.get_by_role("main").inner_text())
    assert found is not None
    return int(found[1].replace(",", ""))


def measure(store: Store, page: Page, name: str, *, event_has_it: bool) -> None:
    """Measures a level far beyond all others, and waits until the page shows it."""
    before = points(page)
    first = store.experiments(1)[0]
    experiment = store.begin_experiment(
        1,
        candidate_id=name,
        settings=first.settings,
        command="",
        selection_reason="for a test",
        phase="grid",
        log_path="",
    )
    level = first.measurements[0]
    store.add_measurement(experiment.id, level.model_copy(update={"tok_s": 50 * level.tok_s}))
    payload: dict[str, object] = {}
    if event_has_it:
        task = store.tasks.get(1)
        assert task is not None
        found = PointReader().read(store, task)
        (point,) = (each for each in found.points if each.id.startswith(f"{experiment.index}:"))
        payload["point"] = found.view(point).model_dump(mode="json")
    store.add_event(1, "level_measured", payload)
    expect(page.get_by_text(re.compile(f"of {before + 1:,} measured points"))).to_be_visible(
        timeout=20_000
    )


@pytest.mark.parametrize("event_has_it", [True, False], ids=["event", "request"])
def test_a_new_point_moves_no_axis_of_a_zoomed_chart(
    store: Store, page: Page, event_has_it: bool
) -> None:
    address, drawn = zoom(page), labels(page)
    measure(store, page, "another", event_has_it=event_has_it)
    assert zoom(page) == address
    assert labels(page) == drawn != set()


def test_a_drag_goes_on_through_a_new_point(store: Store, page: Page) -> None:
    before = zoom(page)
    box = page.get_by_role("application").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y)
    measure(store, page, "another", event_has_it=True)
    page.mouse.move(x + 80, y)
    page.mouse.up()
    page.wait_for_timeout(1_000)
    after = zoom(page)
    width = before[1] - before[0]
    assert after[1] - after[0] == pytest.approx(width, rel=1e-3)
    assert after[0] - before[0] == pytest.approx(-80 / (box["width"] - 96) * width, rel=0.02)
    assert after[2:] == pytest.approx(before[2:], rel=1e-3)
