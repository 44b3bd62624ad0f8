"""What is shown of the web UI: scenes, each an address on a sample home and what is done there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, Route

Act = Callable[[Page], None]
SEEN = ("light", "dark", "narrow")


@dataclass(frozen=True)
class Scene:
    """An address, and what is done there before it is looked at."""

    path: str
    """`{chat}` and the like stand for the number of a sample task."""
    acts: Sequence[Act] = ()
    states: Sequence[str] = SEEN
    home: str = "samples"
    """Which service: "samples", "empty", or "guarded", which asks for a token."""
    routes: Mapping[str, Callable[[Route], None]] = field(default_factory=dict)
    """Requests that are answered otherwise: patterns of addresses."""
    is_whole: bool = True
    """Whether what lies beneath the window is shown too."""


def _press(keys: str) -> Act:
    return lambda page: page.keyboard.press(keys)


def _click(name: str) -> Act:
    exact = re.compile(rf"^{name}$")
    return lambda page: page.get_by_role("button", name=exact).first.click()


def _pick(label: str) -> Act:
    exact = re.compile(rf"^{label}$")
    return lambda page: page.locator("label").filter(has_text=exact).first.click()


def _field(page: Page, label: str) -> Locator:
    return page.get_by_label(label).and_(page.locator("input:visible, textarea:visible")).first


def _fill(label: str, text: str) -> Act:
    return lambda page: _field(page, label).fill(text)


def _wait(ms: int) -> Act:
    return lambda page: page.wait_for_timeout(ms)


def _see(text: str) -> Act:
    return lambda page: page.get_by_text(text).first.wait_for(timeout=60_000)


def _check(label: str) -> Act:
    return lambda page: page.get_by_label(label).first.check()


def _abort(route: Route) -> None:
    route.abort()


def _keep(route: Route) -> None:
    """Nothing is deleted: other scenes need it."""
    if route.request.method == "DELETE":
        route.abort()
    else:
        route.continue_()


def _choose(label: str, option: str) -> Act:
    def act(page: Page) -> None:
        _field(page, label).click()
        page.get_by_role("option", name=re.compile(option)).first.click()

    return act


_FILLED = (
    _fill("Model", "Qwen/Qwen3-32B"),
    _press("Escape"),
    _wait(1_200),
    _choose("Device", "^h200"),
    _wait(1_500),
    _see("Up to date"),
    lambda page: page.get_by_role("heading", name="New task").click(),
)
_MENU = re.compile("^More actions for task")


def _more(item: str) -> Act:
    def act(page: Page) -> None:
        page.get_by_role("button", name=_MENU).click()
        page.get_by_role("menuitem", name=item).click()

    return act


SCENES: Mapping[str, Scene] = {
    "sign-in": Scene("/tasks", home="guarded"),
    "sign-in-refused": Scene(
        "/tasks", (_fill("Token", "at_wrong"), _click("Sign in"), _wait(800)), home="guarded"
    ),
    "tasks-empty": Scene("/tasks", home="empty"),
    "tasks-no-match": Scene("/tasks?q=nothing-of-this-name"),
    "tasks-selected": Scene("/tasks", (_check("Select all tasks"),)),
    "tasks-menu": Scene(
        "/tasks", (lambda page: page.locator("[data-menu]").nth(3).click(),), is_whole=False
    ),
    "undo": Scene(
        "/tasks/{cancelled}",
        (_more("Delete"), _wait(500)),
        routes={"**/api/v2/tasks/*": _keep},
        is_whole=False,
    ),
    "restart": Scene("/tasks/{chat}", (_more("Restart"),), is_whole=False),
    "rename": Scene("/tasks/{chat}", (_more("Rename"), _wait(500)), is_whole=False),
    "palette": Scene("/tasks/{chat}", (_press("Control+k"), _wait(600)), is_whole=False),
    "shortcuts": Scene("/tasks/{chat}", (_press("?"),), is_whole=False),
    "offline": Scene(
        "/tasks/{chat}", (_wait(3_000),), routes={"**/api/v2/events*": _abort}, is_whole=False
    ),
    "overview-slo": Scene("/tasks/{chat}"),
    "deploy": Scene("/tasks/{chat}", (_click("Deploy…"), _wait(1_500)), is_whole=False),
    "overview-failed": Scene("/tasks/{out-of-memory}"),
    "overview-running": Scene("/tasks/{retrieval}"),
    "overview-paused": Scene("/tasks/{paused}"),
    "overview-v1": Scene("/tasks/{v1}"),
    "overview-cpu": Scene("/tasks/{cpu}"),
    "overview-hostile": Scene("/tasks/{hostile}"),
    "performance-slo": Scene("/tasks/{chat}/performance"),
    "compare-two": Scene("/compare?tasks={chat},{retrieval}"),
    "explorer-slo": Scene("/tasks/{chat}/explorer"),
    "explorer-running": Scene("/tasks/{retrieval}/explorer"),
    "explorer-pinned": Scene("/tasks/{chat}/explorer?pin={a}&with={b}"),
    "explorer-order": Scene(
        "/tasks/{chat}/explorer?x=ttft_ms&y=tok_s&log=xy&color=order&kind=measured"
    ),
    "explorer-nothing-meets": Scene("/tasks/{chat}/explorer?slo=ttft_ms:100,tpot_ms:5&at=40"),
    "explorer-table": Scene("/tasks/{chat}/explorer?view=table"),
    "explorer-failed": Scene("/tasks/{out-of-memory}/explorer"),
    "explorer-empty": Scene("/tasks/3/explorer"),
    "search-slo": Scene("/tasks/{chat}/search", is_whole=False),
    "search-failed": Scene("/tasks/{out-of-memory}/search", is_whole=False),
    "search-running": Scene("/tasks/{retrieval}/search", is_whole=False),
    "search-empty": Scene("/tasks/3/search"),
    "experiments-slo": Scene("/tasks/{chat}/experiments"),
    "experiments-diff": Scene("/tasks/{chat}/experiments?marked=%5B1,2,3%5D&diff=true"),
    "experiments-empty": Scene("/tasks/3/experiments"),
    "experiment-failed": Scene("/tasks/{cpu}/experiments/2"),
    "experiment-cpu": Scene("/tasks/{cpu}/experiments/1"),
    "experiment-running": Scene("/tasks/{retrieval}/experiments/9"),
    "configuration-hostile": Scene("/tasks/{hostile}/configuration"),
    "comparison-slo": Scene("/tasks/{chat}/comparison"),
    "comparison-empty": Scene("/tasks/3/comparison"),
    "log-engine": Scene("/tasks/{cpu}/log?of=engine"),
    "log-empty": Scene("/tasks/3/log"),
    "new-task-filled": Scene("/tasks/new", _FILLED),
    "new-task-unknown": Scene("/tasks/new", (_fill("Model", "nobody/nothing"), _wait(3_000))),
    "new-task-groups": Scene("/tasks/new?mode=advanced&from={cpu}&tab=misc", (_wait(2_000),)),
    "new-task-plan": Scene(
        "/tasks/new?mode=advanced&from={paused}&tab=scheduling",
        (_wait(1_000), _pick("Plan")),
    ),
    "import": Scene("/tasks/new", (_click("Import"),), is_whole=False),
    "import-read": Scene(
        "/tasks/new",
        (
            _click("Import"),
            _fill(
                "File or command line", "vllm serve Qwen/Qwen3-32B --tensor-parallel-size 2 --foo 1"
            ),
            _click("Read it"),
            _wait(1_000),
        ),
        is_whole=False,
    ),
}
