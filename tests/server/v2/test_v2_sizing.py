"""`/tasks/{task_id}/sizing`: by measurements, by prediction, and refused."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from fastapi.testclient import TestClient
from made_runs import created, run
from test_v2_performance import ON_PAPER

from autotuner.profiles import USERS
from autotuner.report.size_views import SizeView
from autotuner.server.service import Service
from autotuner.server.v2 import sizing


def size(client: TestClient, task_id: int, **query: Any) -> SizeView:
    answer = client.get(f"/api/v2/tasks/{task_id}/sizing", params=query)
    assert answer.status_code == 200, answer.text
    return SizeView.model_validate(answer.json())


def test_a_finished_task_is_sized_by_its_measurements(service: Service, client: TestClient) -> None:
    task_id = created(client)
    run(service, task_id)
    found = size(client, task_id, rate=50, headroom=0.5, usd_per_gpu_hour=2)
    assert (found.source, found.candidates, found.holding) == ("measured", 2, 2)
    best = found.deployments[0]
    assert best.capacity.interval == (best.capacity.requests_per_s,) * 2
    assert best.replicas == math.ceil(50 / (0.5 * best.capacity.requests_per_s) - 1e-9)
    assert best.usd_per_hour == 2 * best.replicas
    strict = size(client, task_id, users=3, tpot_ms=0.001)
    assert (strict.deployments, strict.slo) == ([], {"tpot_ms": 0.001})
    assert strict.nearest is not None and strict.nearest.limit == "tpot_ms"


def test_a_waiting_task_is_sized_by_prediction_on_gpus_that_are_named(client: TestClient) -> None:
    task_id = created(client, **ON_PAPER, slo={"tpot_ms": 50})
    own = size(client, task_id, rate=40, growth_per_month=0.1, months=3)
    assert (own.source, [row.gpu for row in own.gpus]) == ("predicted", ["h100_sxm"])
    assert [month.month for month in own.growth] == [0, 1, 2, 3]
    assert size(client, task_id, rate=40, ttft_ms=900).slo == {"tpot_ms": 50, "ttft_ms": 900}
    assert size(client, task_id, rate=40, unlimited="tpot_ms").slo == {}
    assert size(client, task_id, rate=40, tpot_ms=60).slo == {"tpot_ms": 60}
    assert own.growth[3].traffic.requests_per_s == pytest.approx(40 * 1.1**3)
    two = size(client, task_id, rate=40, gpu=["h200", "h100"], predictor="roofline")
    assert {row.gpu for row in two.gpus} == {"h200_sxm", "h100_sxm"}
    assert all(made.replicas_interval[0] <= made.replicas for made in two.deployments)


def test_a_model_of_which_nothing_is_known_is_named_with_the_remedy(client: TestClient) -> None:
    task_id = created(client, **{**ON_PAPER, "model": {"id": "org/odd"}})
    found = size(client, task_id, rate=40)
    assert found.deployments == []
    assert "nothing is known of org/odd" in found.refused["h100_sxm"]
    assert "give a folder with its config.json" in found.refused["h100_sxm"]


@pytest.mark.parametrize(
    ("query", "path", "words"),
    [
        ({}, "query.rate", "give one of the two"),
        ({"rate": 1, "users": 2}, "query.rate", "give one of the two"),
        ({"rate": 0}, "query.rate", "above 0"),
        ({"rate": 1e300}, "query.rate", "no service"),
        ({"rate": 1, "think_s": 3}, "query.think_s", "users"),
        ({"users": 1, "think_s": 1e9}, "query.think_s", "think time"),
        ({"rate": 1, "headroom": 1}, "query.headroom", "below 1"),
        ({"rate": 1, "months": 3}, "query.months", "growth"),
        ({"rate": 1e8, "growth_per_month": 9}, "query.growth_per_month", "after 12 months"),
        ({"rate": 1, "gpu": "h1000"}, "query.gpu", "h1000"),
        ({"rate": 1, "gpu": "cpu"}, "query.gpu", "no GPU"),
        ({"rate": 1, "gpu": "h100", "source": "measured"}, "query.gpu", "own device"),
        ({"rate": 1, "tpot_ms": "nan"}, "query.tpot_ms", "finite"),
        ({"rate": 1, "predictor": "rooflin"}, "query.predictor", "roofline"),
        ({"rate": 1, "rates": 2}, "query.rates", ""),
    ],
)
def test_mistakes_name_the_parameter(
    query: dict[str, Any], path: str, words: str, client: TestClient
) -> None:
    answer = client.get(f"/api/v2/tasks/{created(client)}/sizing", params=query)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-parameter")
    [fault] = answer.json()["errors"]
    assert fault["path"] == path
    assert words in fault["message"]


def test_what_the_operator_does_not_allow_is_not_predicted(
    service: Service, client: TestClient
) -> None:
    sly = {
        "name": "sly",
        "description": "flags of its own",
        "layers": [{"set": {"misc": {"extra_args": ["--lora-modules", "a=/etc"]}}}],
    }
    folder = service.folder / USERS
    folder.mkdir(parents=True)
    (folder / "sly.yaml").write_text(json.dumps(sly), encoding="utf-8")
    task_id = created(client, **ON_PAPER, profiles=["sly"])
    refused = client.get(f"/api/v2/tasks/{task_id}/sizing", params={"rate": 1})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/policy-refused")


def test_predicting_for_too_long_is_refused_with_the_remedy(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizing, "LONGEST_S", -1.0)
    refused = client.get(
        f"/api/v2/tasks/{created(client, **ON_PAPER)}/sizing", params={"rate": 1, "gpu": "h200"}
    )
    assert refused.status_code == 422
    assert "name fewer GPUs" in refused.json()["detail"]
