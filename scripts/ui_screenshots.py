"""Screenshots of every page of the web UI in its states, to be looked at.

python scripts/ui_screenshots.py FOLDER [WORD…]

Serves a home with sample tasks in a process of its own, opens every page with Chromium, and writes
a PNG for each page and state: light, dark, narrow (375 px), loading, error and empty. With words,
only pages whose names contain one of them.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Route, sync_playwright
from service_process import ServiceProcess

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REPLAY = ROOT / "examples" / "v2" / "replay-qwen235b.yaml"
LONG = "A name that somebody pasted: " + "unbroken" * 18 + " <b>and</b> \u202emore\u202c"
SMALL: Mapping[str, Any] = {
    "version": 2,
    "name": "SmolLM2 on this CPU",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 64, "osl": 32},
    "system": {"gpu_type": "cpu"},
    "scheduling": {"max_running_requests": [1, 2, 4]},
    "slo": {"ttft_ms": 500, "tpot_ms": 50},
}
PAGES: Mapping[str, str] = {
    "tasks": "/tasks",
    "new-task": "/tasks/new",
    "new-task-advanced": "/tasks/new?mode=advanced",
    "overview": "/tasks/1",
    "explorer": "/tasks/1/explorer",
    "search": "/tasks/1/search",
    "experiments": "/tasks/1/experiments",
    "experiment": "/tasks/1/experiments/1",
    "configuration": "/tasks/1/configuration",
    "comparison": "/tasks/1/comparison",
    "log": "/tasks/1/log",
    "overview-queued": "/tasks/2",
    "overview-long-name": "/tasks/3",
    "no-such-task": "/tasks/999",
}
"""Name -> address on the sample home: task 1 is a finished replay, 2 waits, 3 has a long name."""


@dataclass(frozen=True)
class State:
    """What a page is shown in: its window, its colours, and what the API answers."""

    width: int = 1280
    height: int = 800
    scheme: str = "light"
    answer: Callable[[Route], None] | None = None


def _never(route: Route) -> None:
    """Leaves a request without an answer."""


STATES: Mapping[str, State] = {
    "light": State(),
    "dark": State(scheme="dark"),
    "narrow": State(width=375, height=812),
    "loading": State(answer=_never),
    "error": State(answer=lambda route: route.abort()),
}
_READ = re.compile(r"/api/v2/(?!session|events)")


def fill(home: Path) -> None:
    """Tunes the replay into a home; it is task 1."""
    subprocess.run(
        [sys.executable, "-m", "autotuner", "tune", str(REPLAY), "--home", str(home)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextlib.contextmanager
def served(home: Path) -> Iterator[str]:
    """Address of a service on a home, without a worker; it ends with the block."""
    service = ServiceProcess(home)
    service.start("--no-worker")
    try:
        yield service.url
    finally:
        service.stop()


def add_tasks(url: str) -> None:
    """Adds tasks that nobody runs: one that waits, one with a long name."""
    for document, start in ((SMALL, True), ({**SMALL, "name": LONG, "description": LONG}, False)):
        answer = httpx.post(f"{url}/api/v2/tasks/", params={"start": start}, json=document)
        answer.raise_for_status()


def browser_program() -> str | None:
    """Path of Chromium on this machine; None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def opened_browser(*flags: str) -> Iterator[Browser]:
    """Chromium of this machine, without a window, with further flags of its own."""
    program = browser_program()
    if program is None:
        sys.exit("there is no Chromium: make browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *flags])
        yield browser
        browser.close()


def show(page: Page, url: str, state: State) -> None:
    """Opens an address and waits until it is still."""
    if state.answer is not None:
        page.route(_READ, state.answer)
    page.goto(url)
    page.get_by_role("main").wait_for()
    page.wait_for_timeout(1_500)


def main(folder: str, words: list[str]) -> int:
    """Writes the screenshots; says how many."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    written = 0
    with tempfile.TemporaryDirectory() as home, opened_browser() as browser:
        fill(Path(home))
        with served(Path(home)) as url:
            add_tasks(url)
            for name, path in PAGES.items():
                if words and not any(word in name for word in words):
                    continue
                for kind, state in STATES.items():
                    page = browser.new_page(
                        viewport={"width": state.width, "height": state.height},
                        color_scheme="dark" if state.scheme == "dark" else "light",
                        reduced_motion="reduce",
                    )
                    show(page, url + path, state)
                    page.screenshot(path=target / f"{name}.{kind}.png")
                    page.close()
                    written += 1
    print(f"{written} screenshots in {target}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
