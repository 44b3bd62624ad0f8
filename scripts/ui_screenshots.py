"""Screenshots of every page of the web UI in its states, to be looked at.

python scripts/ui_screenshots.py FOLDER [WORD…]
python scripts/ui_screenshots.py --docs

Serves homes with sample tasks in processes of their own, opens every page with Chromium, and writes
a PNG for each page and state: light, dark, narrow (375 px), loading and error, and further scenes:
tasks in every status, dialogs, notices, an empty service, the way in. With words, only what has a
name that contains one of them. `--docs` makes the pictures of README and docs/ui.md anew.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import httpx
import ui_samples
from playwright.sync_api import Browser, Page, Route, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from service_process import ServiceProcess
from ui_scenes import SCENES, Scene

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
OLD: Mapping[str, Any] = {
    "task_name": "Llama by version 1",
    "deployment_mode": "docker",
    "model": {"id_or_path": "meta-llama/Llama-3.1-8B-Instruct"},
    "base_runtime": "house-blend",
    "parameters": {"some-flag": [1, 2]},
    "optimization": {"strategy": "grid_search", "objective": "minimize_latency"},
    "benchmark": {"task": "text-to-text", "traffic_scenarios": ["D(100,100)"]},
}
PAGES: Mapping[str, str] = {
    "start": "/start",
    "start-recommend": "/start?model=meta-llama%2FLlama-3.1-8B-Instruct&gpu=h100_sxm&gpus=2"
    "&engine=vllm&isl=1000&osl=200&ttft=800&tpot=30",
    "start-nothing-fits": "/start?model=meta-llama%2FLlama-3.1-8B-Instruct&gpu=h100_sxm&tpot=0.5"
    "&engine=vllm",
    "tasks": "/tasks",
    "new-task": "/tasks/new",
    "new-task-advanced": "/tasks/new?mode=advanced",
    "overview": "/tasks/1",
    "explorer": "/tasks/1/explorer",
    "search": "/tasks/1/search",
    "experiments": "/tasks/1/experiments",
    "experiment": "/tasks/1/experiments/1",
    "performance": "/tasks/1/performance",
    "performance-nothing": "/tasks/2/performance",
    "sizing": "/tasks/1/sizing?rate=40&growth=10&months=6",
    "sizing-nothing": "/tasks/1/sizing?users=200&slo=tpot_ms%3D1",
    "sizing-empty": "/tasks/2/sizing",
    "configuration": "/tasks/1/configuration",
    "comparison": "/tasks/1/comparison",
    "log": "/tasks/1/log",
    "overview-queued": "/tasks/2",
    "overview-long-name": "/tasks/3",
    "profiles": "/profiles?profile=balanced&beside=low_latency&gpu=h100_sxm&gpus=8&engine=vllm",
    "profile-edit": "/profiles/edit?copy=balanced",
    "compare": "/compare?tasks=1,2",
    "verify": "/verify",
    "verify-sides": "/verify?predicted=calibrated:1&actual=measured:1&ttft=2000",
    "system": "/system",
    "migration": "/migration",
    "legacy": "/tasks/legacy",
    "legacy-task": "/tasks/legacy/1",
    "no-such-task": "/tasks/999",
}
"""Name -> address on the sample home: task 1 is a finished replay, 2 waits, 3 has a long name; v1
task 1 waits for a task of version 2."""


@dataclass(frozen=True)
class State:
    """What a page is shown in: its window, its colours, and what the API answers."""

    width: int = 1280
    height: int = 800
    scheme: Literal["light", "dark"] = "light"
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
_COMING = "main [aria-busy=true], main .mantine-Skeleton-root"
_READ = re.compile(r"/api/(?!v2/session|v2/events)")
ALL: Mapping[str, Scene] = {
    **{
        # Of a list that draws what is in sight, the window is the whole picture.
        name: Scene(path, states=tuple(STATES), is_whole=name != "search")
        for name, path in PAGES.items()
    },
    **SCENES,
}
IMAGES = ROOT / "docs" / "images"
PICTURES: Mapping[str, tuple[str, int]] = {
    "overview-slo": ("task", 1_110),
    "explorer-slo": ("explorer", 1_060),
    "new-task-filled": ("new_task", 960),
    "performance-slo": ("performance", 900),
    "profiles": ("profiles", 900),
}
"""Scene -> picture of the documents, of which there is a light and a dark one, and its height."""


@dataclass(frozen=True)
class Places:
    """Where scenes are shown: addresses of services, and what stands for what in their paths."""

    urls: Mapping[str, str]
    words: Mapping[str, object]

    def address(self, scene: Scene) -> str:
        """The address of a scene."""
        return self.urls[scene.home] + scene.path.format_map(self.words)


def fill(home: Path) -> None:
    """Tunes the replay into a home; it is task 1."""
    ui_samples.tune(home, REPLAY)


@contextlib.contextmanager
def served(home: Path, **settings: str) -> Iterator[str]:
    """Address of a service on a home, without a worker; it ends with the block."""
    service = ServiceProcess(home)
    service.start("--no-worker", **settings)
    try:
        yield service.url
    finally:
        service.stop()


def add_tasks(url: str) -> None:
    """Adds tasks that nobody runs: one that waits, one with a long name, one of version 1."""
    for document, start in ((SMALL, True), ({**SMALL, "name": LONG, "description": LONG}, False)):
        answer = httpx.post(f"{url}/api/v2/tasks/", params={"start": start}, json=document)
        answer.raise_for_status()
    httpx.post(f"{url}/api/tasks/", json=dict(OLD)).raise_for_status()


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
    """Opens an address and waits until it is still, and where the service answers until it has."""
    if state.answer is not None:
        page.route(_READ, state.answer)
    page.goto(url)
    page.get_by_role("main").wait_for()
    page.wait_for_timeout(1_000)
    if state.answer is None:
        page.locator(_COMING).first.wait_for(state="detached")
    elif state.answer is not _never:
        # What fails for a moment is asked for again before it is said.
        page.get_by_role("alert").first.wait_for()
    page.wait_for_timeout(500)


@contextlib.contextmanager
def services() -> Iterator[Places]:
    """Services with sample tasks, with none, and one that asks for a token."""
    with contextlib.ExitStack() as block:
        homes = [Path(block.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)]
        fill(homes[0])
        url = block.enter_context(served(homes[0]))
        add_tasks(url)
        ui_samples.tune_all(homes[0])
        ui_samples.add_all(url)
        ui_samples.put_back(homes[0])
        numbers = ui_samples.numbers(url)
        yield Places(
            {
                "samples": url,
                "empty": block.enter_context(served(homes[1])),
                "guarded": block.enter_context(served(homes[2], AUTOTUNER_DEMAND_TOKENS="true")),
            },
            numbers | dict(zip("ab", _two_points(url, numbers["chat"]), strict=True)),
        )


def _two_points(url: str, number: int) -> list[str]:
    """Two points of a task's frontier, as addresses name them."""
    path = f"{url}/api/v2/tasks/{number}/points"
    points = httpx.get(path, params={"kind": "measured"}, timeout=60).json()["items"]
    frontier = [point["id"] for point in points if point["on_frontier"]]
    return [quote(str(each)) for each in (frontier[0], frontier[-1])]


def asked_for(words: list[str]) -> Iterator[tuple[str, Scene]]:
    """Name and scene of what has one of the words in its name; of all without words."""
    for name, scene in ALL.items():
        if not words or any(word in name for word in words):
            yield name, scene


def open_scene(page: Page, scene: Scene, state: State, places: Places) -> None:
    """Opens a scene and does what is done there."""
    for pattern, answer in scene.routes.items():
        page.route(pattern, answer)
    show(page, places.address(scene), state)
    for act in scene.acts:
        act(page)
    page.wait_for_timeout(300)


def opened(browser: Browser, state: State) -> Page:
    """A page in a fresh profile, in the window and the colours of a state."""
    return browser.new_page(
        viewport={"width": state.width, "height": state.height},
        color_scheme=state.scheme,
        reduced_motion="reduce",
    )


def turn(page: Page, state: State) -> None:
    """Gives an open page the window and the colours of a state."""
    page.set_viewport_size({"width": state.width, "height": state.height})
    page.emulate_media(color_scheme=state.scheme)
    page.wait_for_timeout(1_000)


def _together(states: Sequence[str]) -> list[list[str]]:
    """States that one page is shown in, one after another; each kind of answer needs its own."""
    alike = [each for each in states if STATES[each].answer is None]
    return [alike, *([each] for each in states if STATES[each].answer is not None)]


def main(folder: str, words: list[str]) -> int:
    """Writes the screenshots; says how many."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with services() as places, opened_browser() as browser:
        return shoot(browser, places, target, words)


def shoot(browser: Browser, places: Places, target: Path, words: list[str]) -> int:
    """Writes a picture of each scene; names those that do not come, and goes on."""
    written, missing = 0, []
    for name, scene in asked_for(words):
        for states in _together(scene.states):
            page = opened(browser, STATES[states[0]])
            try:
                open_scene(page, scene, STATES[states[0]], places)
            except PlaywrightError as error:
                missing.append(f"{name}: {error.message.splitlines()[0]}")
            for state in states:
                turn(page, STATES[state])
                page.screenshot(path=target / f"{name}.{state}.png", full_page=scene.is_whole)
                written += 1
            page.unroute_all(behavior="ignoreErrors")
            page.close()
    print(f"{written} screenshots in {target}")
    for line in missing:
        print(f"not as it should be: {line}")
    return 1 if missing else 0


def write_pictures() -> int:
    """Makes the pictures of the documents anew."""
    with services() as places, opened_browser() as browser:
        for name, (picture, height) in PICTURES.items():
            for kind in ("light", "dark"):
                state = replace(STATES[kind], height=height)
                page = opened(browser, state)
                open_scene(page, ALL[name], state, places)
                file = IMAGES / f"ui_{picture}_{kind}.png"
                page.screenshot(path=file)
                page.close()
                print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--docs"]:
        sys.exit(write_pictures())
    # No folder is called as an option is.
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
