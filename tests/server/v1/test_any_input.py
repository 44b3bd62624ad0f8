"""Whatever a client sends, it is answered: no request ends in an error of the service."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from v1_client import TASK

from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
CHANGES = st.dictionaries(
    st.sampled_from([*TASK, "slo", "quant_config", "parallel_config", "system_config", "metadata"]),
    JSON | st.dictionaries(st.sampled_from(["tp", "a", "threads", "latency", "presets"]), JSON),
    max_size=3,
)
PRESETS = st.dictionaries(
    st.sampled_from(["name", "category", "parameters", "runtime", "metadata"]),
    JSON | st.dictionaries(st.text(max_size=4), st.lists(JSON, max_size=2), max_size=2),
    max_size=5,
)
PATHS = st.text(st.characters(exclude_characters="/?#", exclude_categories=["Cs"]), max_size=8)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("any-input")
    limits = ServiceSettings(requests_per_s=100_000, request_burst=100_000)
    with (
        Store.open(folder) as store,
        TestClient(
            create_app(Service(store, Path(folder), limits)),
            base_url="http://127.0.0.1:8787",
            raise_server_exceptions=False,
        ) as opened,
    ):
        yield opened


@pytest.mark.slow
@given(CHANGES, st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_task_is_kept_or_refused_and_can_be_started_or_not(
    client: TestClient, changes: dict[str, Any], again: bool
) -> None:
    made = client.post("/api/tasks/", json={**TASK, **changes})
    assert made.status_code in (201, 400, 422), made.text
    if made.status_code != 201:
        assert "detail" in made.json()
        return
    path = f"/api/tasks/{made.json()['id']}"
    assert made.json() == client.get(path).json()
    begun = client.post(f"{path}/start")
    assert begun.status_code in (200, 400, 403), begun.text
    assert client.get(f"{path}/logs").status_code == 200
    if begun.status_code == 200:
        assert client.post(f"{path}/cancel").status_code == 200
        if again:
            assert client.post(f"{path}/restart").status_code == 200
            assert client.post(f"{path}/cancel").status_code == 200
    assert client.delete(path).status_code == 204


@given(PRESETS)
@settings(max_examples=60)
def test_any_preset_is_kept_or_refused(client: TestClient, body: dict[str, Any]) -> None:
    made = client.post("/api/presets/", json=body)
    assert made.status_code in (201, 409, 422), made.text
    if made.status_code == 201:
        number = made.json()["id"]
        merged = client.post("/api/presets/merge", json={"preset_ids": [number, 1]})
        assert merged.status_code == 200, merged.text
        exported = client.get(f"/api/presets/{number}/export").json()
        assert exported["preset"]["parameters"] == body["parameters"]
        assert client.delete(f"/api/presets/{number}").status_code == 204


@given(PATHS, st.sampled_from(["tasks", "tasks/name", "experiments", "presets", "runtime-params"]))
@settings(max_examples=60)
def test_any_address_is_answered(client: TestClient, name: str, kind: str) -> None:
    answer = client.get(f"/api/{kind}/{quote(name)}")
    assert answer.status_code < 500, answer.text
