"""Documents that break readers of JSON: every address that takes a body refuses them as such."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from autotuner.server.app import API_V1, API_V2, V1_ROUTERS, V2_ROUTERS, create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store

DIGITS = "9" * 5_000
VALUES = {
    "an integer of 5,000 digits": DIGITS,
    "a negative one": f"-{DIGITS}",
    "one in a list": f"[[{DIGITS}]]",
    "one of 4,300 digits": DIGITS[:4_300],
    "one of 65 bits": str(2**64),
    "a float of 5,000 digits": f"{DIGITS}.5",
    "a float too large": "1e400",
    "one that is none": "NaN",
    "one without end": "-Infinity",
    "half a character": '"\\ud800"',
    "a NUL": '"a\\u0000b"',
    "lists 100,000 deep": "[" * 100_000 + "]" * 100_000,
    "lists 70 deep": "[" * 70 + "]" * 70,
    "mappings 10,000 deep": '{"a":' * 10_000 + "1" + "}" * 10_000,
}


REFUSED_AS = {"/api/presets/import": 400}
"""Address -> its status, where it is another than 422: v1's own for a file that is no JSON."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("hostile")
    with Store.open(folder) as store:
        app = create_app(Service(store, folder, ServiceSettings(requests_per_s=0)))
        with TestClient(
            app, base_url="http://127.0.0.1:8700", raise_server_exceptions=False
        ) as opened:
            yield opened


def addresses() -> list[tuple[str, str, bool]]:
    """(method, path, whether it is an upload) of everything that takes a body."""
    found = []
    routers = [(API_V2, router) for router in V2_ROUTERS]
    routers += [(API_V1, router) for router in V1_ROUTERS]
    for prefix, router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.body_field is not None:
                path = prefix + route.path
                for name in route.param_convertors:
                    path = path.replace(f"{{{name}}}", "1" if name.endswith("id") else "a")
                media = getattr(route.body_field.field_info, "media_type", "")
                found += [(m, path, media.startswith("multipart")) for m in sorted(route.methods)]
    return found


def sent(client: TestClient, method: str, path: str, content: str, *, upload: bool) -> Any:
    if upload:
        return client.request(method, path, files={"file": ("a.json", content)})
    return client.request(
        method, path, content=content, headers={"content-type": "application/json"}
    )


@pytest.mark.parametrize("what", list(VALUES))
def test_a_body_that_breaks_readers_is_refused_as_one(what: str, client: TestClient) -> None:
    asked = addresses()
    assert len(asked) > 15
    assert {path.startswith("/api/v2/") for _, path, _ in asked} == {True, False}
    for method, path, upload in asked:
        for content in (VALUES[what], f'{{"name": {VALUES[what]}}}'):
            answer = sent(client, method, path, content, upload=upload)
            assert answer.status_code == REFUSED_AS.get(path, 422), (
                method,
                path,
                answer.text[:200],
            )
            json.loads(answer.text)


def test_keys_are_looked_at_too(client: TestClient) -> None:
    for method, path, upload in addresses():
        for key in ("\\u0000", "\\udfff"):
            answer = sent(client, method, path, f'{{"{key}": 1}}', upload=upload)
            assert answer.status_code == REFUSED_AS.get(path, 422), (
                method,
                path,
                answer.text[:200],
            )


@pytest.mark.parametrize("number", [DIGITS, f"-{DIGITS}", "1e400", "0x10", "²", "%00"])
def test_numbers_in_addresses_and_headers_are_refused_as_such(
    number: str, client: TestClient
) -> None:
    for path in (f"/api/v2/tasks/{number}", f"/api/tasks/{number}", f"/api/presets/{number}"):
        assert client.get(path).status_code in (404, 422), path
    for path in (
        "/api/v2/tasks/?limit=",
        "/api/v2/events?follow=false&after=",
        "/api/tasks/?skip=",
    ):
        assert client.get(f"{path}{number}").status_code == 422, path
    headers = {
        "Last-Event-ID": number.encode(),
        "If-Match": f'"{number}"'.encode(),
        "If-None-Match": f'"{number}"'.encode(),
        "Idempotency-Key": number.encode(),
    }
    for name, value in headers.items():
        for method, path in (("GET", "/api/v2/events?follow=false"), ("DELETE", "/api/v2/tasks/1")):
            answer = client.request(method, path, headers={name: value})
            assert answer.status_code < 500, (name, path)


@pytest.mark.parametrize("length", [DIGITS, "²", "1_0", "+1", "-1"])
def test_a_length_of_a_body_that_is_no_number_is_refused(length: str, client: TestClient) -> None:
    answer = client.post(
        "/api/v2/tasks/", content=b"{}", headers={"content-length": length.encode()}
    )
    assert answer.status_code == 413


def test_text_of_thousands_of_digits_is_no_number_to_a_v1_task(client: TestClient) -> None:
    task = {
        "task_name": "long",
        "model": {"id_or_path": "llama-3-2-1b"},
        "base_runtime": "vllm",
        "deployment_mode": "local",
        "parameters": {"tp-size": [DIGITS], "mem-fraction-static": [DIGITS]},
        "optimization": {"strategy": "grid_search", "max_iterations": DIGITS},
        "benchmark": {"traffic_scenarios": ["D(100,100)"], "num_concurrency": [DIGITS]},
    }
    made = client.post("/api/tasks/", json=task)
    assert made.status_code == 201, made.text
    assert client.post(f"/api/tasks/{made.json()['id']}/start").status_code == 400
