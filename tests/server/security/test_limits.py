import pytest
from fastapi import FastAPI
from guarded import NETWORK, bearer, client

from autotuner.server.security.rate_limits import Buckets

TASKS = "/api/v2/tasks/"


def in_chunks(size, chunk=100):
    yield from (b"x" * min(chunk, size - at) for at in range(0, size, chunk))


def test_a_body_is_refused_by_what_its_head_says():
    answer = client(max_body_bytes=1000).post(TASKS, content=b"x" * 1001)
    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/body-too-large"
    assert answer.json()["limit_bytes"] == 1000


def test_a_body_is_refused_that_turns_out_too_long():
    answer = client(max_body_bytes=1000).post(TASKS, content=in_chunks(1001))
    assert answer.status_code == 413
    assert answer.json()["limit_bytes"] == 1000


@pytest.mark.parametrize("content", [b"x" * 1000, in_chunks(1000), b""])
def test_a_body_within_the_limit_arrives_whole(content):
    answer = client(max_body_bytes=1000).post(TASKS, content=content)
    assert answer.status_code == 200
    assert answer.json()["bytes"] in (1000, 0)


def test_an_upload_may_be_larger():
    page = client(max_body_bytes=10, max_upload_bytes=1000)
    paths = ["/api/presets/import", "/api/v2/profiles/import", "/api/v2/verify/compare"]
    assert {page.post(path, content=b"x" * 1000).status_code for path in paths} == {200}
    assert page.post(paths[0], content=b"x" * 1001).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "ten", "0x10"])
def test_a_length_that_is_no_number_is_refused(length):
    answer = client().post(TASKS, content=b"", headers={"content-length": length})
    assert answer.status_code == 413


def test_what_a_framework_says_of_a_body_cut_short_is_not_heard():
    app = FastAPI()

    @app.post(TASKS)
    def create(body: dict[str, str]) -> None:
        raise AssertionError(body)

    answer = client(app=app, max_body_bytes=1000).post(
        TASKS, content=in_chunks(5000), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


def test_an_answer_that_has_begun_is_not_broken():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun, ", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        await send({"type": "http.response.body", "body": b"ended"})

    answer = client(app=app, max_body_bytes=1000).post(TASKS, content=in_chunks(5000))
    assert (answer.status_code, answer.text) == (200, "begun, ended")


def test_too_many_requests_are_reported_how_long_to_wait():
    page = client(requests_per_s=0.5, request_burst=3)
    answers = [page.get(TASKS) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["type"] == "/problems/rate-limited"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2


def test_health_is_reported_at_any_rate_and_without_a_limit_everything_is():
    page = client(requests_per_s=0.01, request_burst=1)
    assert [page.get("/healthz").status_code for _ in range(5)] == [200] * 5
    free = client(requests_per_s=0, request_burst=1)
    assert [free.get(TASKS).status_code for _ in range(5)] == [200] * 5


def test_each_token_has_a_limit_of_its_own():
    page = client(
        base_url="http://tuner.example.org", requests_per_s=0.01, request_burst=2, **NETWORK
    )
    tokens = ["at_reader", "at_reader", "at_reader", "at_writer"]
    assert [page.get(TASKS, headers=bearer(t)).status_code for t in tokens] == [200, 200, 429, 200]


def test_permits_come_back_at_the_rate_and_no_more_than_the_burst():
    now = [100.0]
    buckets = Buckets(2.0, 3, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    now[0] += 0.25
    assert buckets.take("a") == pytest.approx(0.25)
    now[0] += 0.25
    assert buckets.take("a") == 0
    now[0] += 1000
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0


def test_asking_how_long_to_wait_takes_nothing():
    buckets = Buckets(1.0, 1, clock=lambda: 0.0)
    assert [buckets.waiting_s("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == 0
    assert buckets.waiting_s("a") == 1


def test_clients_that_come_and_go_take_no_memory():
    buckets = Buckets(1.0, 2, most_clients=50)
    for number in range(10_000):
        buckets.take(f"client {number}")
    assert len(buckets) == 50
