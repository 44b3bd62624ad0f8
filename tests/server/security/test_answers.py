import logging

import pytest
from guarded import NETWORK, client

from autotuner.server.security.authentication import NoSecrets, keep_secrets_out
from autotuner.server.security.middleware import content_policy

SECRET = "at_" + "k3" * 22


@pytest.mark.parametrize("path", ["/", "/api/v2/tasks/", "/api/tasks/", "/healthz"])
def test_every_answer_reports_browsers_to_load_and_frame_nothing(path):
    headers = client().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert not [name for name in headers if name.startswith("access-control")]


def test_refusals_carry_the_headers_too():
    refused = client().get("/api/v2/tasks/", headers={"host": "evil.example"})
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert refused.headers["cache-control"] == "no-store"
    assert client(**NETWORK).get("/").headers["x-content-type-options"] == "nosniff"


def test_answers_of_the_api_are_kept_by_no_cache_unless_they_say_so():
    assert client().get("/api/v2/tasks/").headers["cache-control"] == "no-store"
    assert "cache-control" not in client().get("/").headers


def test_a_report_runs_its_own_script_and_has_no_origin_to_act_in():
    policy = content_policy("/api/v2/tasks/7/report")
    assert policy.startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy
    assert "default-src 'none'" in policy
    assert "sandbox" not in content_policy("/api/v2/tasks/7/report/../frontier")


def line(name, message, *args):
    record = logging.LogRecord(name, logging.INFO, __file__, 1, message, args, None)
    assert NoSecrets().filter(record)
    return record


def test_the_access_log_has_no_query_and_keeps_its_form():
    record = line(
        "uvicorn.access",
        '%s - "%s %s HTTP/%s" %d',
        "127.0.0.1:5",
        "GET",
        f"/a?token={SECRET}",
        "1.1",
        200,
    )
    assert record.getMessage() == '127.0.0.1:5 - "GET /a HTTP/1.1" 200'
    assert len(record.args) == 5


def test_the_line_on_an_upgrade_has_no_query():
    record = line("uvicorn.error", '%s - "WebSocket %s" [accepted]', "127.0.0.1:5", "/ws?a=b")
    assert record.getMessage() == '127.0.0.1:5 - "WebSocket /ws" [accepted]'


@pytest.mark.parametrize(
    ("message", "argument"),
    [
        ("header %s", f"Authorization: Bearer {SECRET}"),
        ("header %s", "authorization: basic YWRtaW46YWRtaW4="),
        ("failed: %s", ValueError(f"no token {SECRET}")),
        ("cookie: %s", f"autotuner_session={SECRET.replace('at_', 'ats_')}; theme=dark"),
        ("database %s", "postgresql+psycopg://me:YWRtaW46YWRtaW4=@db/autotuner"),
        ("database %s", "postgresql://me:p@YWRtaW46YWRtaW4@db/autotuner"),
        ("database %s", "postgresql://:YWRtaW46YWRtaW4@db/autotuner"),
    ],
)
def test_no_secret_reaches_a_log(message, argument):
    reported = line("autotuner.server", message, argument).getMessage()
    assert SECRET.removeprefix("at_") not in reported
    assert "YWRtaW46YWRtaW4" not in reported
    assert "***" in reported


def test_what_is_logged_below_a_named_logger_is_cleaned_by_its_handler_once():
    lines = []

    class Kept(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    handler = Kept()
    logger = logging.getLogger("kept_for_a_test")
    logger.addHandler(handler)
    keep_secrets_out("kept_for_a_test")
    keep_secrets_out("kept_for_a_test")
    logging.getLogger("kept_for_a_test.below").warning("token %s", SECRET)
    assert lines == ["token ***"]
    assert len(handler.filters) == 1
