import json
from pathlib import Path

import pytest
from guarded import NETWORK, TOKENS, bearer, client
from starlette.testclient import WebSocketDenialResponse

from autotuner.errors import StoreUnavailableError
from autotuner.server.security.authentication import RememberedTokens, required_scope

HERE = "http://tuner.example.org"
SOCKET = "ws://tuner.example.org/api/ws/tasks/1"
TASKS = "/api/v2/tasks/"
WEB = Path(__file__).parents[3] / "web"
TOKEN_PATH = "/api/v2/tokens/"  # noqa: S105


def asked(method, path, token=None, **settings):
    page = client(base_url=HERE, **(settings or NETWORK))
    return page.request(method, path, headers=bearer(token) if token else {})


def test_on_loopback_nobody_needs_a_token():
    assert client().post(TASKS).status_code == 200
    assert client().delete(TOKEN_PATH).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api", TASKS, "/api/tasks/", "/metrics", "/api/v2/nowhere", "/api/v2/session/"]
)
def test_on_any_other_address_everything_but_the_ui_asks_for_a_token(path):
    answer = asked("GET", path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/", "/tasks/7", "/assets/a.js", "/healthzz", "/API/v2/tasks/"])
def test_the_ui_asks_for_none_and_is_only_read(path):
    assert asked("GET", path).status_code == asked("HEAD", path).status_code == 200
    assert asked("POST", path).status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_reported_without_one(path):
    assert asked("GET", path).status_code == 200
    assert asked("POST", path).status_code == 401


@pytest.mark.parametrize(
    "settings",
    [{"demand_tokens": True}, {"allowed_hosts": ["tuner.example.org"]}, {"host": "192.0.2.7"}],
)
def test_a_loopback_service_that_others_reach_asks_for_one_too(settings):
    answer = client(**settings).get(TASKS)
    assert answer.status_code == 401


def test_a_scope_includes_the_lesser_ones():
    needs = [("GET", TASKS), ("POST", TASKS), ("POST", TOKEN_PATH)]
    allowed = {
        name: [asked(method, path, name).status_code for method, path in needs] for name in TOKENS
    }
    assert allowed == {
        "at_reader": [200, 403, 403],
        "at_writer": [200, 200, 403],
        "at_admin": [200, 200, 200],
    }


def test_who_may_not_is_reported_the_scope_that_is_needed():
    answer = asked("POST", TASKS, "at_reader")
    assert answer.json()["type"] == "/problems/forbidden"
    assert answer.json()["required_scope"] == "write"
    assert 'scope="write"' in answer.headers["www-authenticate"]
    assert "at_reader" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        *(("GET", "/api/tasks/", "read"), ("HEAD", TASKS, "read"), ("OPTIONS", TASKS, "read")),
        *(("POST", "/api/tasks/", "write"), ("PATCH", TASKS, "write"), ("BREW", "/", "write")),
        *(("GET", TOKEN_PATH, "admin"), ("GET", "/api/v2/tokens", "admin")),
        *(("GET", "/api/v2/system/policy", "read"), ("PUT", "/api/v2/policy", "admin")),
        *(("POST", "/api/v2/session", "read"), ("GET", "/tasks/7", None), ("GET", "/", None)),
        *(("DELETE", "/api/v2/system/caches", "admin"), ("GET", "/api/v2/tokens/\n", "admin")),
    ],
)
def test_what_each_request_needs(method, path, scope):
    assert required_scope(method, path) == scope


@pytest.mark.parametrize(
    "header",
    [
        "Bearer at_unknown",
        "Bearer",
        "Bearer ",
        "Basic YWRtaW46YWRtaW4=",
        "at_reader",
        "Bearer at_réader",
    ],
)
def test_what_is_no_valid_token_is_refused(header):
    answer = client(base_url=HERE, **NETWORK).get(TASKS, headers={"Authorization": header.encode()})
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/unauthorized"


def test_a_token_that_is_sent_counts_where_none_is_asked_for():
    assert client().get(TASKS, headers=bearer("at_unknown")).status_code == 401
    assert client().post(TASKS, headers=bearer("at_reader")).status_code == 403
    assert client().post(TASKS, headers=bearer("at_writer")).json()["bearer"] == "writer"


@pytest.mark.parametrize(
    "query", ["token=at_reader", "access_token=x", "api_key=x", "q=at_reader", "Authorization=x"]
)
def test_a_token_in_an_address_is_refused_even_where_none_is_needed(query):
    for page in (client(), client(base_url=HERE, **NETWORK)):
        answer = page.get(f"{TASKS}?{query}")
        assert answer.status_code == 400
        assert "Authorization: Bearer" in answer.json()["detail"]


def test_no_parameter_of_the_api_is_taken_for_a_token():
    paths = json.loads((WEB / "openapi.json").read_text(encoding="utf-8"))["paths"]
    operations = [one for path in paths.values() for one in path.values() if isinstance(one, dict)]
    parameters = [p for one in operations for p in one.get("parameters", ()) if p["in"] == "query"]
    names = sorted({parameter["name"] for parameter in parameters})
    assert "requires_key" in names
    refused = [name for name in names if client().get(f"{TASKS}?{name}=1").status_code == 400]
    assert refused == []


def test_an_upgrade_needs_a_token_too():
    with client(base_url=HERE, **NETWORK) as page:
        with pytest.raises(WebSocketDenialResponse) as refused:
            page.websocket_connect(SOCKET).__enter__()
        assert refused.value.status_code == 401
        with page.websocket_connect(SOCKET, headers=bearer("at_reader")) as socket:
            assert socket.receive_text() == "hello"


def test_while_the_database_is_away_tokens_are_neither_taken_nor_refused():
    def find(clear):
        raise StoreUnavailableError("the database cannot be reached")

    answer = client(base_url=HERE, find_token=find, **NETWORK).get(TASKS, headers=bearer("at_x"))
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/unavailable"
    assert int(answer.headers["retry-after"]) > 0


def test_tokens_that_are_not_valid_are_counted_and_valid_ones_never_refused():
    page = client(base_url=HERE, **NETWORK)
    statuses = [page.get(TASKS, headers=bearer(f"at_{n}")).status_code for n in range(60)]
    assert statuses[:20] == [401] * 20
    assert statuses[-1] == 429
    for token in ("at_reader", "at_admin", "at_reader"):
        assert page.get(TASKS, headers=bearer(token)).status_code == 200, "never seen before"
    assert page.get(TASKS, headers=bearer("at_again")).status_code == 429


def test_failures_count_for_the_client_that_a_trusted_proxy_reports_of():
    def statuses(page, client, times):
        headers = bearer("at_guess") | {"X-Forwarded-For": client}
        return [page.get(TASKS, headers=headers).status_code for _ in range(times)]

    behind = client(base_url=HERE, trusted_proxies=["127.0.0.0/8"], peer="127.0.0.1", **NETWORK)
    assert statuses(behind, "192.0.2.1", 25)[-1] == 429
    assert statuses(behind, "192.0.2.2", 1) == [401]
    forged = client(base_url=HERE, peer="127.0.0.1", **NETWORK)
    assert statuses(forged, "192.0.2.1", 25)[-1] == 429
    assert statuses(forged, "192.0.2.2", 1) == [429], "nobody's word counts who is not trusted"


def test_a_revoked_token_is_refused_within_seconds_and_the_store_is_not_asked_each_time():
    now = [0.0]
    valid = {"at_x": TOKENS["at_reader"]}
    seen = []

    def find(clear):
        seen.append(clear)
        return valid.get(clear)

    tokens = RememberedTokens(find, clock=lambda: now[0])
    assert tokens.known("at_x") is None
    assert tokens.find("at_x") is not None
    del valid["at_x"]
    now[0] = 4.9
    assert tokens.known("at_x") is not None
    assert seen == ["at_x"]
    now[0] = 5.1
    assert tokens.known("at_x") is None
    assert tokens.find("at_x") is None
