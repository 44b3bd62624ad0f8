import pytest
from guarded import NETWORK, bearer, client
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import WebSocketDenialResponse

from autotuner.server.problems import MEDIA_TYPE
from autotuner.server.security.hosts import answers_to, is_same
from autotuner.server.settings import is_loopback, split_host

TASKS = "/api/v2/tasks/"
SOCKET = "/api/ws/tasks/1"


def status(method="GET", path=TASKS, *, settings=None, **headers):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client(**(settings or {})).request(method, path, headers=sent).status_code


@pytest.mark.parametrize(
    "host", ["localhost:8700", "127.0.0.1:8700", "[::1]:8700", "LOCALHOST:8700"]
)
def test_a_loopback_service_answers_to_its_own_names(host):
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "evil.example:8700",
            "localhost.evil.example:8700",
            "127.0.0.1.nip.io:8700",
        ),
        *("localhost", "localhost:80", "10.0.0.1:8700", "0.0.0.0:8700", "[::2]:8700"),
        *(
            "localhost:8700@evil.example",
            "localhost:8700/x",
            "",
            " ",
            "localhost:",
            "localhost:99999999",
        ),
    ],
)
def test_other_names_are_refused_whatever_points_them_here(host):
    answer = client().get(TASKS, headers={"host": host})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["type"] == "/problems/wrong-host"
    assert "allowed_hosts" in answer.json()["detail"]


def test_a_wrong_host_is_refused_on_every_path():
    paths = ["/", "/healthz", "/api/tasks/", "/api/v2/tasks/", "/metrics", "/nowhere"]
    assert {status(path=path, host="evil.example") for path in paths} == {421}


def test_two_hosts_are_one_too_many():
    sent = [("host", "localhost:8700"), ("host", "evil.example")]
    answer = client().get(TASKS, headers=sent)
    assert answer.status_code == 400


def test_the_operator_adds_names_with_a_port_or_at_any():
    settings = {"allowed_hosts": ["tuner.example.org", "Box:9000"]}

    def answered(host):
        headers = {"host": host, **bearer("at_reader")}
        return client(**settings).get(TASKS, headers=headers).status_code

    assert [answered(h) for h in ("tuner.example.org", "tuner.example.org:443", "box:9000")] == [
        200
    ] * 3
    assert [answered(h) for h in ("box", "box:9001", "other.example.org")] == [421] * 3


def test_an_address_in_digits_is_answered_at_where_it_was_reached_and_no_name_is():
    assert answers_to("10.1.2.3:8700", frozenset(), address="10.1.2.3", port=8700)
    assert not answers_to("10.1.2.4:8700", frozenset(), address="10.1.2.3", port=8700)
    assert not answers_to("evil.example:8700", frozenset(), address="evil.example", port=8700)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost:5173",
        "null",
        "http://localhost",
        "file://",
        "http://[",
    ],
)
def test_pages_of_other_origins_are_refused(method, origin):
    answer = client().request(method, TASKS, headers={"origin": origin})
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/wrong-origin"


def test_the_services_own_pages_are_answered():
    assert status("POST", origin="http://localhost:8700") == 200
    assert status("POST", origin="http://127.0.0.1:8700", host="127.0.0.1:8700") == 200


def test_a_loopback_name_is_not_the_same_origin_as_another():
    assert status("POST", origin="http://127.0.0.1:8700", host="localhost:8700") == 403


def test_behind_a_proxy_that_speaks_tls_the_origin_is_the_hosts():
    headers = {"host": "tuner.example.org", "origin": "https://tuner.example.org"}
    answer = client(**NETWORK).post(TASKS, headers={**headers, **bearer("at_writer")})
    assert answer.status_code == 200


def test_a_page_that_embeds_or_posts_across_sites_is_refused_and_a_link_is_followed():
    assert status("POST", sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 403
    assert status("GET", sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
    assert status("GET", sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 200
    assert status("POST", sec_fetch_site="same-origin", sec_fetch_mode="cors") == 200


def test_cors_is_closed():
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = client().options(TASKS, headers=asked)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_origin_that_the_operator_names_is_opened_to_and_no_other():
    settings = {"allowed_origins": ["http://localhost:5173"], "demand_tokens": True}
    asked = {
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization,if-match",
    }
    with client(**settings) as page:
        own = page.options(TASKS, headers={"origin": "http://localhost:5173", **asked})
        other = page.options(TASKS, headers={"origin": "http://localhost:5174", **asked})
        refused = page.get(TASKS, headers={"origin": "http://localhost:5173"})
    assert own.status_code == 200
    assert own.headers["access-control-allow-origin"] == "http://localhost:5173"
    assert "access-control-allow-credentials" not in own.headers
    assert other.status_code == 403
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "http://localhost:5173"


def test_an_upgrade_is_refused_to_other_origins_and_hosts():
    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        with pytest.raises(WebSocketDenialResponse) as refused, client() as page:
            page.websocket_connect(SOCKET, headers=headers).__enter__()
        assert refused.value.status_code in (403, 421)


def test_an_upgrade_of_ones_own_page_or_of_no_page_is_answered():
    for headers in ({"origin": "http://localhost:8700"}, {}):
        with (
            client() as page,
            page.websocket_connect(f"ws://localhost:8700{SOCKET}", headers=headers) as socket,
        ):
            assert socket.receive_text() == "hello"


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_hosts_and_origins(text):
    found = split_host(text)
    assert found is None or found[0] == found[0].lower()
    assert not answers_to(f"{text}.evil.example", frozenset(), address="127.0.0.1", port=80)
    assert not is_same(text, "localhost:8700") or "localhost" in text.lower()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("tuner", False)),  # noqa: S104
    ],
)
def test_what_is_reached_from_this_machine_only(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8700", "http://[::1]:8700"])
def test_a_page_under_another_name_of_this_machine_reads_and_changes_nothing(origin):
    headers = {"host": "localhost:8700", "origin": origin, "sec-fetch-site": "cross-site"}
    answer = client().get(TASKS, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert client().delete(TASKS, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8701", "localhost:8700"),
        ("http://127.0.0.1", "localhost:8700"),
        ("http://evil.example:8700", "localhost:8700"),
        ("http://localhost.evil.example:8700", "localhost:8700"),
    ],
)
def test_no_other_page_reads(origin, host):
    assert status(origin=origin, host=host) == 403


def test_v1s_own_development_addresses_are_let_in_where_the_operator_says_so():
    for origin in ("http://localhost:3000", "http://127.0.0.1:5173"):
        assert status("POST", origin=origin) == 403
        assert status("POST", origin=origin, settings={"v1_origins": True}) == 200
    assert status("POST", origin="http://localhost:3001", settings={"v1_origins": True}) == 403


def test_v1s_development_server_may_pass_on_the_host_that_it_was_sent():
    headers = {"origin": "http://localhost:3000", "host": "localhost:3000"}
    assert status("POST", **headers) == 421
    assert status("POST", **headers, settings={"v1_origins": True}) == 200
