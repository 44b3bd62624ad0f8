"""`/recommendation`: an answer by prediction alone, why nothing fits, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.server.v2 import recommendations
from autotuner.server.v2.recommendation_views import RecommendationView
from autotuner.workers.policy import Policy

PATH = "/api/v2/recommendation"
ASKED: dict[str, Any] = {
    "model": "meta-llama/Llama-3.1-8B-Instruct",
    "gpu": "h100",
    "gpus": 2,
    "isl": 1000,
    "osl": 200,
    "ttft_ms": 800,
    "tpot_ms": 30,
    "engine": "vllm",
    "predictor": "roofline",
}


@pytest.fixture
def database() -> None:
    """None of this depends on the database."""


def recommended(client: TestClient, **asked: Any) -> RecommendationView:
    answer = client.get(PATH, params={**ASKED, **asked})
    assert answer.status_code == 200, answer.text
    return RecommendationView.model_validate(answer.json())


def test_the_best_point_has_its_command_its_interval_and_what_measuring_takes(
    client: TestClient,
) -> None:
    found = recommended(client, engine=["vllm", "sglang"])
    best = found.recommended
    assert found.meets_slo and best is not None
    assert best.engine in best.command
    assert {limit.name: limit.limit_ms for limit in best.limits} == {"ttft_ms": 800, "tpot_ms": 30}
    assert best.intervals["tok_s"][0] < best.tok_s < best.intervals["tok_s"][1]
    assert {one.engine for one in found.engines} == {"vllm", "sglang"}
    assert found.measuring is not None
    assert found.measuring.tasks[0].engine == best.engine


def test_where_nothing_fits_the_nearest_point_stands_with_the_reason(client: TestClient) -> None:
    found = recommended(client, tpot_ms=0.1, users=8)
    assert not found.meets_slo
    assert found.recommended is not None and found.why_not
    assert found.recommended.load.value == 8


def test_an_engine_that_cannot_serve_it_says_why(client: TestClient) -> None:
    found = recommended(client, model="meta-llama/Llama-3.1-70B-Instruct", gpu="t4", gpus=1)
    assert found.recommended is None
    assert "GiB" in found.refused["vllm"]


@pytest.mark.parametrize(
    ("query", "path", "words"),
    [
        ({"gpu": "h1000"}, "query.gpu", "h1000"),
        ({"gpu": "cpu"}, "query.gpus", "CPU has none"),
        ({"gpus": 0}, "query.gpus", "1 or more"),
        ({"engine": "vlm"}, "query.engine", "vllm"),
        ({"model": "no-such-model"}, "query.model", "no-such-model"),
        ({"model": "org/odd"}, "query.model", "give a folder with its config.json"),
        ({"users": 4, "rate": 2}, "query.rate", "leave one out"),
        ({"ttft_ms": -1}, "query.ttft_ms", "above 0"),
        ({"model": ""}, "query.model", ""),
        ({"model": " "}, "query.model", "is empty"),
        ({"model": "-foo/bar"}, "query.model", "'-foo/bar' begins with a dash"),
        ({"model": "org/a\u00a0b"}, "query.model", "'org/a\\xa0b' holds a character"),
    ],
)
def test_mistakes_name_the_parameter(
    query: dict[str, Any], path: str, words: str, client: TestClient
) -> None:
    answer = client.get(PATH, params={**ASKED, **query})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-parameter")
    [fault] = answer.json()["errors"]
    assert fault["path"] == path
    assert words in fault["message"]


def test_what_the_operator_does_not_allow_is_not_opened(service: Service) -> None:
    narrow = replace(service, settings=ServiceSettings(policy=Policy(engines=("vllm",))))
    with TestClient(create_app(narrow), base_url="http://127.0.0.1:8700") as client:
        for query in ({"model": "/etc/passwd"}, {"engine": "sglang"}):
            refused = client.get(PATH, params={**ASKED, **query})
            assert (refused.status_code, refused.json()["type"]) == (
                403,
                "/problems/policy-refused",
            )
        every = client.get(PATH, params={**ASKED, "engine": []}).json()
        assert [one["engine"] for one in every["engines"]] == ["vllm"]


def test_predicting_for_too_long_is_refused_with_the_remedy(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommendations, "LONGEST_S", -1.0)
    refused = client.get(PATH, params=ASKED)
    assert refused.status_code == 422
    assert "name one engine" in refused.json()["detail"]
