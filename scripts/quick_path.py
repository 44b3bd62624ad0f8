"""Seconds and clicks from the empty list of tasks to a started task, by the Quick form.

    python scripts/quick_path.py [--tries N]

A real service on an empty home, Chromium, and everything as it is suggested: keys, clicks and waits
are measured. Version 1's form suggested nothing; its fields are counted. What a person needs is
estimated for both alike by the keystroke-level model (Card, Moran, Newell 1980), with its times.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect
from service_process import ServiceProcess
from ui_screenshots import opened_browser

KEY_S, POINT_S, CLICK_S, HAND_S, THINK_S = 0.28, 1.1, 0.2, 0.4, 1.35
"""One key of an average typist, pointing, a click, a hand to the mouse or back, one decision."""
TRIES = 5
COUNT = """
window.effort = {keys: 0, clicks: 0, hands: 0};
let hand = "mouse";
const count = (kind, now) => (event) => {
  if (!event.isTrusted) return;
  window.effort[kind] += 1;
  if (hand !== now) window.effort.hands += 1;
  hand = now;
};
addEventListener("keydown", count("keys", "keys"), true);
addEventListener("pointerdown", count("clicks", "mouse"), true);
"""


@dataclass(frozen=True)
class Effort:
    """Work of a person at a form, and what the machine lets them wait."""

    fields: int
    keys: int
    clicks: int
    hands: int
    waits_s: float = 0.0

    @property
    def seconds(self) -> float:
        """Duration by the keystroke-level model."""
        return (
            self.fields * THINK_S
            + self.keys * KEY_S
            + self.clicks * (POINT_S + CLICK_S)
            + self.hands * HAND_S
            + self.waits_s
        )


V1_CHOSEN = 2
"""Keys that choose an entry of a list which has the focus."""
V1_FIELDS: dict[str, str | int] = {
    "task_name": "llama-chat",
    "model.id_or_path": "meta-llama/Llama-3.1-8B-Instruct",
    "base_runtime": V1_CHOSEN,
    "parameters: first name": "tensor-parallel-size",
    "parameters: first values": "1,2",
    "parameters: second name": "gpu-memory-utilization",
    "parameters: second values": "0.85,0.92",
    "parameters: third name": "max-num-seqs",
    "parameters: third values": "64,256",
    "optimization.strategy": V1_CHOSEN,
    "optimization.objective": V1_CHOSEN,
    "optimization.max_iterations": "12",
    "benchmark.task": V1_CHOSEN,
    "benchmark.model_name": "llama",
    "benchmark.model_tokenizer": "meta-llama/Llama-3.1-8B-Instruct",
    "benchmark.traffic_scenarios": "D(512,128)",
    "benchmark.num_concurrency": "1,8,32",
    "benchmark.max_requests_per_iteration": "200",
}
"""Fields of a task of version 1 -> what is typed, or the keys of a choice. Left out are those whose
default may do: description, deployment mode, namespace, image, timeouts, sampling parameters."""


def v1_effort() -> Effort:
    """The least that version 1's form asks for: all by keys, Tab between fields, no mistake."""
    keys = sum(len(typed) if isinstance(typed, str) else typed for typed in V1_FIELDS.values())
    # Two clicks: the form is opened, and sent; between them a hand goes to the keys and back.
    return Effort(fields=len(V1_FIELDS), keys=keys + len(V1_FIELDS), clicks=2, hands=2)


def walked(page: Page, url: str) -> Effort:
    """Effort of a path from the empty list of tasks to the page of the started task."""
    page.goto(f"{url}/tasks")
    page.get_by_role("main").get_by_role("link", name="Create the first task").click()
    begin = page.get_by_role("button", name="Create and start")
    began = time.monotonic()
    expect(begin).to_be_visible(timeout=30_000)
    waits_s = time.monotonic() - began
    began = time.monotonic()
    expect(begin).to_be_enabled(timeout=30_000)
    begin.click()
    page.wait_for_url(re.compile(r"/tasks/\d+$"))
    waits_s += time.monotonic() - began
    counts = page.evaluate("effort")
    # The one decision is that it is right as it stands.
    return Effort(fields=1, waits_s=waits_s, **counts)


def measured() -> Effort:
    """Effort of one try on a service and in a browser that are fresh."""
    with tempfile.TemporaryDirectory() as folder, opened_browser() as browser:
        service = ServiceProcess(Path(folder))
        service.start("--no-worker")
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(COUNT)
            return walked(page, service.url)
        finally:
            service.stop()


def main() -> None:
    """Prints a row for each path, and one for version 1's form."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=TRIES)
    tries = parser.parse_args().tries
    least = v1_effort()
    print(f"{'':24} fields  keys clicks   waits  in all")
    efforts = sorted((measured() for _ in range(tries)), key=lambda one: one.waits_s)
    effort = efforts[len(efforts) // 2]
    share = effort.seconds / least.seconds
    print(row("Quick, as suggested", effort), f"{share:.0%} of version 1's")
    print(row("version 1, estimated", least))


def row(name: str, effort: Effort) -> str:
    """One line of the table."""
    return (
        f"{name:24} {effort.fields:6} {effort.keys:5} {effort.clicks:6} "
        f"{effort.waits_s:5.1f} s {effort.seconds:5.0f} s"
    )


if __name__ == "__main__":
    main()
