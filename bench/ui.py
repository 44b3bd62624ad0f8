"""How quick the web UI is: bytes and time of the first view, frames while scrolling and panning.

python bench/ui.py [--keep FOLDER]

A service holds 10,000 tasks, and one finished task of 5,000 experiments and 10,000 operating
points, copies of a replay's with other figures. Chromium opens it as people do. Printed are:

- the JavaScript that the list of tasks loads, compressed (250 KB or less);
- the time until that list is drawn and answers, over a link of 10 Mbit/s and 40 ms (1.5 s or less);
- the longest frame while 10,000 tasks, and 5,000 experiments, scroll by (50 ms or less);
- for the chart of 10,000 points the time of another axis (100 ms or less), of a toggle (20 ms or
  less), and the frames per second while it is panned (50 or more).

The UI has to be built (`make ui-build`). Times are medians of several tries, in milliseconds of
this machine: other work on it counts.
"""

from __future__ import annotations

import contextlib
import gzip
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, Response

from api import fill as fill_tasks
from autotuner.server.built_ui import FOLDER, is_built
from autotuner.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import ui_screenshots

TASKS, EXPERIMENTS, LEVELS = 10_000, 5_000, 2
LINK = {"offline": False, "latency": 40, "downloadThroughput": 1.25e6, "uploadThroughput": 1.25e6}
TRIES = 5
COPIES = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :experiments),
measured(id, place, count) AS (
  SELECT id, row_number() OVER (ORDER BY idx) - 1, count(*) OVER () FROM experiments
  WHERE task_id = 1 AND status = 'completed')
INSERT INTO experiments ({columns})
SELECT {values} FROM numbers JOIN measured ON measured.place = numbers.n % measured.count
JOIN experiments ON experiments.id = measured.id"""
LEVEL_COPIES = """
INSERT INTO measurements ({columns})
SELECT {values} FROM experiments AS copy
JOIN experiments AS original ON original.task_id = 1
  AND original.candidate_id = substr(copy.candidate_id, 1, instr(copy.candidate_id, '-') - 1)
JOIN (SELECT *, row_number() OVER (PARTITION BY experiment_id ORDER BY id) AS place
      FROM measurements) AS measurements ON measurements.experiment_id = original.id
WHERE copy.task_id = 1 AND copy.candidate_id LIKE '%-%' AND measurements.place <= :levels"""
SCROLL = """async (selector) => {
  const box = document.querySelector(selector);
  const gaps = [];
  let last = await new Promise(requestAnimationFrame);
  for (let step = 0; step < 120; step += 1) {
    box.scrollTop += 400;
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return Math.max(...gaps.slice(2));
}"""
CLICK = """async (element) => {
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const began = performance.now();
  element.click();
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
}"""
CHOOSE = """async (select, value) => {
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set.call(select, value);
  const began = performance.now();
  select.dispatchEvent(new Event("change", { bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
}"""
FRAMES = """async (ms) => {
  const gaps = [];
  const began = performance.now();
  let last = await new Promise(requestAnimationFrame);
  while (last - began < ms) {
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return 1000 * gaps.length / gaps.reduce((sum, gap) => sum + gap, 0);
}"""


class Figure(NamedTuple):
    """One measured figure and its limit; the higher the better where `at_least`."""

    name: str
    value: float
    unit: str
    limit: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it is within its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def fill(home: Path) -> None:
    """A replay as task 1, grown to many experiments and points, and many other tasks."""
    ui_screenshots.fill(home)
    with contextlib.closing(sqlite3.connect(home / "autotuner.db")) as database, database:
        copy_rows(database)
    with Store.open(home) as store:
        fill_tasks(store, TASKS, begin=2)


def copy_rows(database: sqlite3.Connection) -> None:
    """Copies the experiments of task 1 and their first levels, each with figures of its own."""

    def columns_of(table: str) -> list[str]:
        return [row[1] for row in database.execute(f"PRAGMA table_info({table})")][1:]

    names = columns_of("experiments")
    own = {"idx": "1000 + n", "candidate_id": "experiments.candidate_id || '-' || n"}
    values = ", ".join(own.get(name, f"experiments.{name}") for name in names)
    statement = COPIES.format(columns=", ".join(names), values=values)
    database.execute(statement, {"experiments": EXPERIMENTS})
    names = columns_of("measurements")
    spread = "(0.6 + 0.8 * (abs(random()) % 1000) / 1000.0)"
    parts = ", ".join(
        f"'$.{path}', json_extract(measurements.payload, '$.{path}') * {spread}"
        for path in ("tok_s", "ttft_ms.mean", "tpot_ms.mean")
    )
    own = {"experiment_id": "copy.id", "payload": f"json_set(measurements.payload, {parts})"}
    values = ", ".join(own.get(name, f"measurements.{name}") for name in names)
    statement = LEVEL_COPIES.format(columns=", ".join(names), values=values)
    database.execute(statement, {"levels": LEVELS})


def first_view(browser: Browser, url: str) -> list[Figure]:
    """Compressed JavaScript of the list of tasks, and the time until it answers."""
    times, scripts = [], 0
    for _ in range(TRIES):
        context = browser.new_context()
        page = context.new_page()
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", LINK)
        loaded: list[Response] = []
        page.on("response", loaded.append)
        page.goto(f"{url}/tasks", wait_until="commit")
        page.get_by_role("row").nth(3).wait_for()
        times.append(page.evaluate("performance.now()"))
        names = {each.url.rpartition("/assets/")[2] for each in loaded if each.url.endswith(".js")}
        scripts = sum(len(gzip.compress((FOLDER / "assets" / name).read_bytes())) for name in names)
        context.close()
    return [
        Figure("JavaScript of the first view, compressed", scripts / 1000, "KB", 250),
        Figure("first view until it answers", statistics.median(times), "ms", 1_500),
    ]


def longest_frame(browser: Browser, url: str, box: str) -> float:
    """Longest frame in milliseconds while a table scrolls; the median of the tries."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(url)
    page.get_by_role("row").nth(3).wait_for()
    page.wait_for_timeout(1_500)
    longest: list[float] = [page.evaluate(SCROLL, box) for _ in range(TRIES)]
    page.close()
    return statistics.median(longest)


def chart(browser: Browser, url: str) -> list[Figure]:
    """Times of the chart: another axis, a toggle, panning."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{url}/tasks/1/explorer")
    page.locator("canvas").first.wait_for(timeout=60_000)
    page.wait_for_timeout(3_000)
    axes = ("ttft_ms", "tok_s_per_gpu", "tpot_ms")
    switches = [axis_ms(page, axes[number % 3]) for number in range(TRIES)]
    toggle = page.get_by_text("Dim dominated").first
    toggles = [toggle.evaluate(CLICK) for _ in range(2 * TRIES)]
    return [
        Figure("chart of 10,000 points: another axis", statistics.median(switches), "ms", 100),
        Figure("chart of 10,000 points: a toggle", statistics.median(toggles), "ms", 20),
        Figure("chart of 10,000 points: panning", panned(page), "frames/s", 50, at_least=True),
    ]


def axis_ms(page: Page, key: str) -> float:
    """Milliseconds from a choice of the vertical axis to the frame that shows it."""
    time_ms: float = page.get_by_label("Vertical axis").first.evaluate(CHOOSE, key)
    page.wait_for_timeout(300)
    return time_ms


def panned(page: Page) -> float:
    """Frames per second while the chart is dragged."""
    box = page.locator("canvas").first.bounding_box()
    if box is None:
        raise RuntimeError("the chart is not shown")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    counting = page.evaluate_handle(f"() => {{ window.counted = ({FRAMES})(1500); }}")
    for step in range(60):
        page.mouse.move(x + 3 * (step % 40), y + 2 * (step % 25))
    page.mouse.up()
    counting.dispose()
    frames: float = page.evaluate("() => window.counted")
    return frames


def measure(run: Callable[[Browser, str], list[Figure]], url: str, browser: Browser) -> bool:
    """Prints the figures of a measurement; whether all are within their limits."""
    figures = run(browser, url)
    for figure in figures:
        bound = "at least" if figure.at_least else "at most"
        print(f"ui: {figure.name}: {figure.value:.0f} {figure.unit} ({bound} {figure.limit:g})")
    return all(figure.is_met for figure in figures)


def tables(browser: Browser, url: str) -> list[Figure]:
    """Longest frames while tables scroll."""
    tasks = longest_frame(browser, f"{url}/tasks", "div:has(> [role=grid])")
    experiments = longest_frame(browser, f"{url}/tasks/1/experiments", "[aria-label=Experiments]")
    return [
        Figure("longest frame, 10,000 tasks scrolling", tasks, "ms", 50),
        Figure("longest frame, 5,000 experiments scrolling", experiments, "ms", 50),
    ]


def main() -> int:
    """Prints every figure; 1 where one is beyond its limit."""
    if not is_built():
        sys.exit("the UI is not built: make ui-build")
    with tempfile.TemporaryDirectory() as home, ui_screenshots.opened_browser() as browser:
        fill(Path(home))
        with ui_screenshots.served(Path(home)) as url:
            met = [measure(run, url, browser) for run in (first_view, tables, chart)]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
