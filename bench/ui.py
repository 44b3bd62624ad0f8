"""How quick the web UI is: bytes and time of the first view, frames of tables and of the chart.

python bench/ui.py [WORD…]

A service holds 10,000 tasks, and one finished task of 5,000 experiments, each with a measured and
a predicted operating point: copies of a replay's with other figures. Chromium opens it as people
do. Each figure is printed beside its limit; with words, only those of `first`, `tables` or `chart`.

- The JavaScript that the list of tasks loads, compressed: 250 KB or less; the time until that list
  is drawn and answers, over a link of 10 Mbit/s and 40 ms: 1.5 s or less.
- The longest frame while 10,000 tasks, and 5,000 experiments, scroll by: 50 ms or less.
- For the chart of 10,000 points: another axis 100 ms or less, a toggle 20 ms or less; panning,
  brushing and dragging a limit 50 frames/s or more.

The times of the chart are from the click to the end of the frame that shows it. Chromium makes
frames as soon as they are asked for: on a screen of 60 Hz, waiting for the next one would add up to
16.7 ms of nothing to a time of 20. It does so only behind a frame in which something changed, so
there is a dot that changes before each click. The UI has to be built (`make ui-build`). Other work
on the machine counts, so what the page's own thread did is printed beside (its CPU time, which it
does not).
"""

from __future__ import annotations

import contextlib
import gzip
import os
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, CDPSession, ViewportSize

from api import fill as fill_tasks
from autotuner.server.built_ui import FOLDER, is_built
from autotuner.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import ui_screenshots

TASKS, EXPERIMENTS = 10_000, 5_000
LINK = {"offline": False, "latency": 40, "downloadThroughput": 1.25e6, "uploadThroughput": 1.25e6}
TRIES = 5
WINDOW: ViewportSize = {"width": 1280, "height": 800}
FREE_FRAMES = ("--disable-frame-rate-limit", "--disable-gpu-vsync")
COPIES = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :experiments),
measured(id, place, count) AS (
  SELECT id, row_number() OVER (ORDER BY idx) - 1, count(*) OVER () FROM experiments_v2
  WHERE task_id = 1 AND status = 'completed')
INSERT INTO experiments_v2 ({columns})
SELECT {values} FROM numbers JOIN measured ON measured.place = numbers.n % measured.count
JOIN experiments_v2 AS source ON source.id = measured.id"""
LEVEL_COPIES = """
INSERT INTO {table} ({columns})
SELECT {values} FROM experiments_v2 AS copy
JOIN experiments_v2 AS original ON original.task_id = 1
  AND original.candidate_id = substr(copy.candidate_id, 1, instr(copy.candidate_id, '~') - 1)
JOIN (SELECT *, row_number() OVER (PARTITION BY experiment_id ORDER BY load_value) - 1 AS place,
      count(*) OVER (PARTITION BY experiment_id) AS count
      FROM {table} {condition}) AS source ON source.experiment_id = original.id
WHERE copy.task_id = 1 AND copy.idx > 1000 AND source.place = (copy.idx / 12) % source.count"""
SPREAD = "(0.6 + 0.8 * ((copy.idx * {prime}) % 997) / 997.0)"
"""Of each copy another factor, and of each figure an order of its own."""
AFTER_FRAME = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
SCRIPTS = """() => performance.getEntriesByType("resource")
  .map(({ name }) => name.split("/assets/")[1]).filter((name) => name?.endsWith(".js"))"""
SCROLL = """async (_, selector) => {
  const box = document.querySelector(selector);
  const gaps = [];
  let last = await new Promise(requestAnimationFrame);
  for (let step = 0; step < 120; step += 1) {
    box.scrollTop += 400;
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}"""
CHANGE = """async (element, [value]) => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const setter = Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set;
  const dot = document.body.appendChild(document.createElement("i"));
  dot.style.cssText = "position: fixed; inset: auto auto 0 0; width: 1px; height: 1px";
  for (const color of ["black", "white", "black"]) {
    dot.style.background = color;
    await frame();
  }
  const began = performance.now();
  if (value === null) element.click();
  else {
    setter.call(element, value);
    element.dispatchEvent(new Event("change", { bubbles: true }));
  }
  await frame();
  const time = performance.now() - began;
  dot.remove();
  return time;
}"""
DRAG = """async (element, [x, y, byX, byY, frames]) => {
  const box = element.getBoundingClientRect();
  const fire = (type, share) => element.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, pointerType: "mouse", button: 0, buttons: 1,
    clientX: box.left + x * box.width + share * byX,
    clientY: box.top + y * box.height + share * byY,
  }));
  element.setPointerCapture = () => {};
  fire("pointerdown", 0);
  const gaps = [];
  let last = await new Promise(requestAnimationFrame);
  for (let frame = 1; frame <= frames; frame += 1) {
    fire("pointermove", frame / frames);
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  fire("pointerup", 1);
  return gaps;
}"""
TOGGLES = ("Only the frontier", "Dim dominated", "Grey outside the SLO", "Search order")
DRAGS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "panning": ("[role=application]", (0.5, 0.5, 240, 160)),
    "brushing": ("[class*=rail]", (0.5, 0.9, 0, -150)),
    "dragging a limit": ("[role=slider][aria-label^=SLO]", (0.5, 0.5, 120, 120)),
}
"""Gesture -> its element, and where on it: shares of its size, and px to go."""


class Figure(NamedTuple):
    """A measured figure and its limit; the higher the better where `at_least`."""

    name: str
    value: float
    unit: str
    limit: float
    at_least: bool = False
    remark: str = ""

    @property
    def is_met(self) -> bool:
        """Whether it is within its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        missed = "" if self.is_met else ", MISSED"
        remark = f"; {self.remark}" if self.remark else ""
        return f"{self.name}: {self.value:.0f} {self.unit} ({bound} {self.limit:g}{missed}{remark})"


def fill(home: Path) -> None:
    """A replay as task 1, grown to many experiments and points, and many other tasks."""
    ui_screenshots.fill(home)
    with contextlib.closing(sqlite3.connect(home / "autotuner.db")) as database, database:
        copy_rows(database)
    with Store.open(home) as store:
        fill_tasks(store, TASKS, begin=2)


def copy_rows(database: sqlite3.Connection) -> None:
    """Copies the experiments of task 1 and a level of each, with figures of their own."""

    def copy(statement: str, table: str, own: Mapping[str, str], **more: str) -> None:
        names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")][1:]
        values = ", ".join(own.get(name, f"source.{name}") for name in names)
        filled = statement.format(columns=", ".join(names), values=values, table=table, **more)
        database.execute(filled, {"experiments": EXPERIMENTS} if table == "experiments_v2" else {})

    own = {"idx": "1000 + n", "candidate_id": "source.candidate_id || '~' || n"}
    copy(COPIES, "experiments_v2", own)
    primes = {"tok_s": 101, "ttft_ms": 211, "tpot_ms": 307, "e2e_ms": 401}
    factors = {name: SPREAD.format(prime=prime) for name, prime in primes.items()}
    paths = ("tok_s", "ttft_ms.mean", "tpot_ms.mean", "e2e_ms.p90")
    parts = ", ".join(
        f"'$.{path}', json_extract(source.payload, '$.{path}') * {factors[path.split('.')[0]]}"
        for path in paths
    )
    payload = f"json_set(source.payload, {parts})"
    copy(
        LEVEL_COPIES, "measurements", {"experiment_id": "copy.id", "payload": payload}, condition=""
    )
    figures = {name: f"source.{name} * {factors[name]}" for name in ("tok_s", "ttft_ms", "tpot_ms")}
    only = "WHERE kind = 'base'"
    copy(LEVEL_COPIES, "predictions", {"experiment_id": "copy.id", **figures}, condition=only)


class Tab:
    """A page, and the CPU time of its main thread."""

    def __init__(self, browser: Browser, url: str, ready: str) -> None:
        self.page = browser.new_page(viewport=WINDOW)
        self._devtools: CDPSession = self.page.context.new_cdp_session(self.page)
        self._devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.page.goto(url)
        self.page.locator(ready).first.wait_for(timeout=120_000)
        self.rest()

    def rest(self, ms: int = 1_500) -> None:
        """Waits until the page has nothing to do: its thread is busy for less than a tenth."""
        while True:
            before = self.cpu_ms()
            self.page.wait_for_timeout(ms)
            if self.cpu_ms() - before < ms / 10:
                return

    def cpu_ms(self) -> float:
        """CPU time that the thread has used."""
        found = self._devtools.send("Performance.getMetrics")["metrics"]
        seconds: float = next(one["value"] for one in found if one["name"] == "TaskDuration")
        return 1_000 * seconds

    def run(self, script: str, selector: str, values: object) -> tuple[Any, float]:
        """What a script returns for an element, and the CPU time that it and its frames took."""
        element = self.page.locator(selector).first
        before = self.cpu_ms()
        found = element.evaluate(script, values)
        return found, self.cpu_ms() - before


def first_view(browser: Browser, url: str) -> Iterator[Figure]:
    """Compressed JavaScript of the list of tasks, and the time until it answers."""
    times, sizes = list[float](), list[int]()
    for _ in range(TRIES):
        context = browser.new_context(viewport=WINDOW)
        page = context.new_page()
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", LINK)
        page.goto(f"{url}/tasks", wait_until="commit")
        page.get_by_role("row").nth(3).wait_for()
        page.evaluate(AFTER_FRAME)
        times.append(page.evaluate("performance.now()"))
        names: list[str] = page.evaluate(SCRIPTS)
        sizes.append(
            sum(len(gzip.compress((FOLDER / "assets" / name).read_bytes())) for name in set(names))
        )
        context.close()
    # A script that the next page would need is read ahead where there is time: so the most counts.
    yield Figure("JavaScript of the first view, compressed", max(sizes) / 1000, "KB", 250)
    yield Figure("first view until it answers", statistics.median(times), "ms", 1_500)


def tables(browser: Browser, url: str) -> Iterator[Figure]:
    """Longest frames while tables scroll."""
    for name, path, box in (
        ("10,000 tasks", "/tasks", "div:has(> [role=grid])"),
        ("5,000 experiments", "/tasks/1/experiments", "[aria-label=Experiments]"),
    ):
        tab = Tab(browser, url + path, f"{box} [aria-rowindex='3']")
        longest, cpu_ms = [], []
        for _ in range(TRIES):
            gaps, used_ms = tab.run(SCROLL, "body", box)
            longest.append(max(gaps[2:]))
            cpu_ms.append(used_ms / len(gaps))
            tab.rest(300)
        remark = f"{statistics.median(cpu_ms):.1f} ms of CPU a frame"
        tab.page.close()
        yield Figure(f"longest frame, {name}", statistics.median(longest), "ms", 50, remark=remark)


def chart(browser: Browser, url: str) -> Iterator[Figure]:
    """Times of the chart of 10,000 points: another axis, toggles, gestures."""
    tab = Tab(
        browser, f"{url}/tasks/1/explorer?slo=ttft_ms:3000,tpot_ms:30", "[role=application] canvas"
    )
    axes = ("ttft_ms", "tok_s_per_gpu", "tpot_ms", "e2e_p90_ms", "tok_s_per_gpu", "ttft_ms")
    for what, limit, changes in (
        (
            "another axis",
            100,
            [("label:has-text('Vertical axis') + * select", key) for key in axes],
        ),
        ("a toggle", 20, [(f"label:has-text('{one}')", None) for one in TOGGLES for _ in range(2)]),
    ):
        times, cpu_ms = [], []
        for selector, value in changes:
            time_ms, used_ms = tab.run(CHANGE, selector, [value])
            times.append(time_ms)
            cpu_ms.append(used_ms)
            tab.rest(400)
        remark = f"longest {max(times):.0f} ms, {statistics.median(cpu_ms):.0f} ms of CPU"
        yield Figure(f"chart: {what}", statistics.median(times), "ms", limit, remark=remark)
    for gesture, (selector, where) in DRAGS.items():
        gaps, used_ms = tab.run(DRAG, selector, [*where, 90])
        remark = f"longest frame {max(gaps):.0f} ms, {used_ms / len(gaps):.1f} ms of CPU a frame"
        rate = 1_000 * len(gaps) / sum(gaps)
        yield Figure(f"chart: {gesture}", rate, "frames/s", 50, at_least=True, remark=remark)
        tab.rest(400)
    tab.page.close()


PARTS: Mapping[str, tuple[Callable[[Browser, str], Iterator[Figure]], tuple[str, ...]]] = {
    "first": (first_view, ()),
    "tables": (tables, ()),
    "chart": (chart, FREE_FRAMES),
}


def main(words: list[str]) -> int:
    """Prints every figure; 1 where one is beyond its limit."""
    if not is_built():
        sys.exit("the UI is not built: make ui-build")
    missed = 0
    with tempfile.TemporaryDirectory() as home:
        fill(Path(home))
        with ui_screenshots.served(Path(home)) as url:
            print(f"ui: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
            for name, (part, flags) in PARTS.items():
                if words and name not in words:
                    continue
                with ui_screenshots.opened_browser(*flags) as browser:
                    for figure in part(browser, url):
                        print(f"ui: {figure}", flush=True)
                        missed += not figure.is_met
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
