"""The web UI as a browser gets it: its page, its files, and nothing beside them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from urllib.parse import quote

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from hatchling.builders.wheel import WheelBuilder
from hypothesis import given
from hypothesis import strategies as st

from autotuner.server.app import create_app
from autotuner.server.security.authentication import required_scope
from autotuner.server.security.middleware import is_ui
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store

ADDRESS = "http://127.0.0.1:8700"
ROOT = Path(__file__).parents[2]
PAGE = "<!doctype html><title>the UI</title>"
SCRIPT = "export const long = 1;\n" * 200
SECRET = "not of the UI"  # noqa: S105
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built UI, beside a file that is not of it."""
    place = tmp_path_factory.mktemp("place")
    (place / "secret.txt").write_text(SECRET)
    built = place / "web_ui"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text(PAGE)
    (built / "favicon.svg").write_text("<svg/>")
    (built / ".hidden").write_text(SECRET)
    (built / "assets" / "index-B1x_-9.js").write_text(SCRIPT)
    (built / "assets" / "font-Ab3.woff2").write_bytes(b"\0" * 5000)
    (built / "assets" / "link.txt").symlink_to(place / "secret.txt")
    return built


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("home")
    with Store.open(home) as store:
        yield Service(store, home, ServiceSettings(requests_per_s=0))


@pytest.fixture(scope="module")
def page(service: Service, folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(service, web_ui=folder), base_url=ADDRESS) as opened:
        yield opened


SCRIPT_PATH = "/assets/index-B1x_-9.js"


def test_the_page_is_asked_for_again_and_sent_once(page: TestClient) -> None:
    first = page.get("/", headers=BROWSER)
    assert (first.status_code, first.text) == (200, PAGE)
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    again = page.get("/", headers={**BROWSER, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = page.get("/", headers={**BROWSER, "If-None-Match": '"other"'})
    assert (other.status_code, other.text) == (200, PAGE)


def test_a_client_that_is_no_browser_learns_what_answers(page: TestClient) -> None:
    answer = page.get("/")
    assert (answer.status_code, answer.json()["status"]) == (200, "running")
    assert "Accept" in answer.headers["vary"]
    assert page.get(answer.json()["docs"]).json()["openapi"].startswith("3")
    assert page.post("/", headers=BROWSER).status_code == 405


def test_files_with_a_hash_are_kept_for_ever_and_others_asked_for_again(page: TestClient) -> None:
    script = page.get(SCRIPT_PATH)
    assert script.text == SCRIPT
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    icon = page.get("/favicon.svg")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/tasks/7", "/tasks/7/explorer?x=ttft_ms", "/new", "/é/%20/..b"])
def test_a_link_into_the_ui_opens_it(page: TestClient, path: str) -> None:
    opened = page.get(path, headers=BROWSER)
    assert (opened.status_code, opened.text) == (200, PAGE)
    assert "Accept" in opened.headers["vary"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html;q=0, */*", ""])
def test_whoever_asks_for_no_html_learns_that_nothing_is_there(
    page: TestClient, accept: str
) -> None:
    answer = page.get("/tasks/7", headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


def test_a_file_that_is_missing_is_never_the_page(page: TestClient) -> None:
    for path in ("/assets/gone.js", "/assets/", "/assets/index-B1x_-9.js/x"):
        assert page.get(path, headers=BROWSER).status_code == 404


@pytest.mark.parametrize(
    "path", ["/api/v2/nothing", "/api/nothing", "/api", "/healthz/x", "/metrics/x", "/readyz/x"]
)
def test_what_the_service_has_not_is_no_page(page: TestClient, path: str) -> None:
    answer = page.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"] in ("application/problem+json", "application/json")


def test_the_service_goes_on_as_before(page: TestClient) -> None:
    assert page.get("/healthz", headers=BROWSER).json() == {"status": "ok"}
    assert page.get("/healthz/", headers=BROWSER).json() == {"status": "ok"}, "as ever redirected"
    assert page.get("/metrics", headers=BROWSER).text.startswith("# HELP")
    assert page.get("/api/v2/tasks", headers=BROWSER).json()["items"] == []
    assert page.get("/api/tasks/", headers=BROWSER).json() == []


@pytest.mark.parametrize("path", ["/", SCRIPT_PATH, "/tasks/7"])
def test_a_head_has_the_headers_and_no_body(page: TestClient, path: str) -> None:
    head, whole = page.head(path, headers=BROWSER), page.get(path, headers=BROWSER)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == whole.headers


@pytest.mark.parametrize("path", ["/", SCRIPT_PATH, "/tasks/7"])
def test_nothing_of_it_can_be_changed(page: TestClient, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = page.request(method, path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"
    assert page.options(path).headers["allow"] == "GET, HEAD"


def test_what_gains_by_it_is_sent_compressed_to_whoever_can_read_that(page: TestClient) -> None:
    small = page.head(SCRIPT_PATH, headers={"Accept-Encoding": "br, gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(SCRIPT) / 10
    assert page.get(SCRIPT_PATH, headers={"Accept-Encoding": "gzip"}).text == SCRIPT
    for refused in ("identity", "gzip;q=0", ""):
        whole = page.head(SCRIPT_PATH, headers={"Accept-Encoding": refused})
        assert "content-encoding" not in whole.headers
        assert whole.headers["etag"] != small.headers["etag"]
    assert "content-encoding" not in page.get("/assets/font-Ab3.woff2").headers


@pytest.mark.parametrize("path", ["/", "/tasks/7", SCRIPT_PATH])
def test_a_page_runs_its_own_scripts_only_and_is_framed_by_none(
    page: TestClient, path: str
) -> None:
    headers = page.get(path, headers=BROWSER).headers
    policy = {name: rest for name, *rest in map(str.split, headers[CSP].split(";"))}
    assert policy["default-src"] == ["'self'"]
    assert "script-src" not in policy, "scripts are those of default-src"
    assert policy["style-src"] == ["'self'", "'unsafe-inline'"]
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == ["'none'"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]


CSP = "content-security-policy"
ESCAPES = (
    "/../secret.txt",
    "/assets/../../secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/..\\secret.txt",
    "/assets/%2e%2e%5c%2e%2e%5csecret.txt",
    "//secret.txt",
    "/.hidden",
    "/assets/./../.hidden",
    "/assets/link.txt",
    "/secret.txt%00.js",
    "/~/secret.txt",
)


@pytest.mark.parametrize("path", ESCAPES)
def test_no_path_leads_out_of_the_folder(page: TestClient, path: str) -> None:
    for headers in (BROWSER, {"Accept": "*/*"}):
        answer = page.get(path, headers=headers)
        assert SECRET not in answer.text
        is_root = answer.request.url.path == "/"  # of another host, as the client reads it
        assert answer.status_code == 404 or answer.text == PAGE or is_root


STEPS = st.sampled_from(("..", ".", "", "assets", "web_ui", "secret.txt", "~", "\\", "\0", "C:"))


@given(st.lists(STEPS | st.text(max_size=12), max_size=8), st.sampled_from(("", "%2f", "\\")))
def test_made_up_paths_find_the_ui_or_nothing(
    page: TestClient, steps: list[str], between: str
) -> None:
    path = (between or "/").join(quote(step, safe="\\") for step in steps)
    answer = page.get(f"/{path.lstrip('/')}", headers=BROWSER)
    if answer.status_code == 200:
        assert answer.text == PAGE or answer.request.url.path in ("/favicon.svg", "/healthz")
    else:
        assert answer.status_code in (400, 404)
    assert SECRET not in answer.text


@pytest.mark.parametrize("path", ["/" + "a" * 5000, "/" + "a/" * 2000, "/assets/" + "a" * 254])
def test_a_path_that_no_file_system_takes_is_nothing(page: TestClient, path: str) -> None:
    assert page.get(path).status_code == 404


def test_without_a_build_the_page_says_how_to_get_it_and_a_build_is_found_at_once(
    service: Service, tmp_path: Path
) -> None:
    later = tmp_path / "web_ui"
    client = TestClient(create_app(service, web_ui=later), base_url=ADDRESS)
    for path in ("/", "/tasks/7"):
        answer = client.get(path, headers=BROWSER)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["cache-control"] == "no-store"
        assert "<code>make ui-build</code>" in answer.text
        assert "<script" not in answer.text
    later.mkdir()
    for content in ("first", "second one"):
        (later / "index.html").write_text(content)
        assert client.get("/", headers=BROWSER).text == content


def test_the_ui_needs_no_token_and_all_else_does(tmp_path: Path, folder: Path) -> None:
    settings = ServiceSettings(demand_tokens=True)
    with Store.open(tmp_path) as store:
        app = create_app(Service(store, tmp_path, settings), web_ui=folder)
        client = TestClient(app, base_url=ADDRESS)
        for path in ("/", SCRIPT_PATH, "/tasks/7"):
            assert client.get(path, headers=BROWSER).status_code == 200
        for path in ("/api/v2/tasks/", "/api/tasks/", "/metrics", "/api/nothing"):
            assert client.get(path, headers=BROWSER).status_code == 401
        assert client.post("/tasks/7").status_code == 401


def test_no_path_of_the_service_is_taken_for_one_of_the_ui(page: TestClient) -> None:
    """A route beside those paths would be open to all."""
    routes = page.app.router.routes  # type: ignore[attr-defined]
    paths = {route.path for route in iter_route_contexts(routes)} - {"/{path:path}"}
    assert {"/api/v2/tasks/", "/api/tasks/", "/metrics"} <= paths
    assert [path for path in paths if is_ui(path)] == ["/"], "which tells nothing secret"
    free = {path for path in paths if required_scope("GET", path) is None}
    assert free == {"/", "/health", "/healthz", "/readyz"}


def test_the_metrics_have_one_name_for_all_of_the_ui(page: TestClient) -> None:
    page.get("/tasks/123456", headers=BROWSER)
    text = page.get("/metrics").text
    assert 'route="/{path}"' in text
    assert "123456" not in text


@pytest.mark.parametrize("is_built", [True, False])
def test_a_wheel_contains_the_ui_where_it_is_built(tmp_path: Path, is_built: bool) -> None:
    """By the project's own build settings and list of ignored files, on a small tree."""
    for name in ("pyproject.toml", ".gitignore", "README.md", "LICENSE"):
        copyfile(ROOT / name, tmp_path / name)
    package = tmp_path / "src" / "autotuner"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    if is_built:
        (package / "web_ui" / "assets").mkdir(parents=True)
        (package / "web_ui" / "index.html").write_text(PAGE)
        (package / "web_ui" / "assets" / "index-B1x.js").write_text(SCRIPT)
    (wheel,) = WheelBuilder(str(tmp_path)).build(directory=str(tmp_path / "dist"))
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("autotuner/")}
    expected = {"autotuner/web_ui/index.html", "autotuner/web_ui/assets/index-B1x.js"}
    assert names - {"autotuner/__init__.py"} == (expected if is_built else set())
