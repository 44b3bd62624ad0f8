"""Operating points of a task, by HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from made_runs import begin, claimed, created, finish, measurement, run

from autotuner.measure import Measurement
from autotuner.server.service import Service
from autotuner.server.v2.points import PointPage
from autotuner.tuning.task_points import PointReader, TaskPoints


@pytest.fixture
def address(service: Service, client: TestClient) -> str:
    """Of the points of a task that has run: c1 and c2 were measured, c3 failed."""
    task_id = created(client, slo={"ttft_ms": 10})
    run(service, task_id)
    return f"/api/v2/tasks/{task_id}/points"


def points(client: TestClient, address: str, **query: Any) -> dict[str, dict[str, Any]]:
    """Id -> point, of the page that a query gets."""
    answer = client.get(address, params=query)
    assert answer.status_code == 200, answer.text
    found = {item["id"]: item for item in answer.json()["items"]}
    assert len(found) == len(answer.json()["items"]), "every id is given once"
    return found


def test_the_page_is_what_the_openapi_says(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert PointPage.model_validate_json(answer.content).model_dump(mode="json") == answer.json()
    page = answer.json()
    assert (page["objectives"], page["slo"]) == (
        ["tok_s_per_gpu", "tok_s_per_user"],
        {"ttft_ms": 10.0},
    )
    assert (page["total"], page["next_cursor"]) == (10, None)


def test_points_come_launch_by_launch_and_what_failed_is_only_predicted(
    client: TestClient, address: str
) -> None:
    assert list(points(client, address)) == [
        *("1:concurrency:1", "1:concurrency:4", "c1:concurrency:1", "c1:concurrency:4"),
        *("2:concurrency:1", "2:concurrency:4", "c2:concurrency:1", "c2:concurrency:4"),
        *("c3:concurrency:1", "c3:concurrency:4"),
    ]


def test_a_measured_point_has_its_figures_and_stands_to_the_limits(
    client: TestClient, address: str
) -> None:
    point = points(client, address)["2:concurrency:4"]
    assert (point["kind"], point["experiment_index"], point["candidate"]) == ("measured", 2, "c2")
    assert point["load"] == {"kind": "concurrency", "value": 4}
    assert point["settings"] == {"misc.threads": 2, "system.backend": "llamacpp"}
    figures = {name: found and found["value"] for name, found in point["figures"].items()}
    assert figures["tok_s"] == figures["tok_s_per_gpu"] == 80.0
    assert figures["requests_per_s"] == 10.0
    assert (figures["ttft_ms"], figures["ttft_p99_ms"], figures["e2e_p90_ms"]) == (
        20.0,
        20.0,
        370.0,
    )
    assert (figures["tpot_ms"], figures["tok_s_per_user"]) == (50.0, 20.0)
    assert figures["usd_per_million_tokens"] is None
    assert (point["verdicts"], point["meets_slo"]) == ({"ttft_ms": "misses"}, False)
    assert (point["gpus"], point["is_steady"], point["note"]) == (0, True, "")
    assert points(client, address)["2:concurrency:1"]["meets_slo"] is True


def test_a_predicted_point_has_intervals_and_the_verdict_of_them(
    client: TestClient, address: str
) -> None:
    point = points(client, address)["c2:concurrency:1"]
    ttft, speed = point["figures"]["ttft_ms"], point["figures"]["tok_s_per_user"]
    assert (point["kind"], point["experiment_index"], point["source"]) == (
        "predicted",
        2,
        "made up",
    )
    assert ttft["value"] == 6.0
    assert ttft["low"] * ttft["high"] == pytest.approx(36), "the same ratio on both sides"
    assert ttft["low"] < 6 < ttft["high"] < 10
    assert speed["value"] == 24.0
    assert speed["high"] / 24 == pytest.approx(ttft["high"] / 6)
    assert point["figures"]["ttft_p90_ms"] is None
    assert (point["verdicts"], point["meets_slo"]) == ({"ttft_ms": "meets"}, True)


def test_the_frontier_is_marked_and_can_be_asked_for(client: TestClient, address: str) -> None:
    on_front = points(client, address, on_frontier=True)
    beaten = points(client, address, on_frontier=False)
    frontier = client.get(address.replace("points", "frontier")).json()["actual"]
    assert {p["id"] for p in on_front.values() if p["kind"] == "measured"} == {
        f"{p['index']}:concurrency:{p['load']['value']:g}" for p in frontier
    }
    assert all(point["on_frontier"] for point in on_front.values())
    assert not any(point["on_frontier"] for point in beaten.values())
    assert on_front | beaten == points(client, address)
    assert client.get(address, params={"on_frontier": True}).json()["total"] == len(on_front)


def test_one_kind_can_be_asked_for(client: TestClient, address: str) -> None:
    for kind in ("measured", "predicted"):
        found = points(client, address, kind=kind)
        assert {point["kind"] for point in found.values()} == {kind}
    assert client.get(address, params={"kind": "imagined"}).status_code == 422


def test_the_recommended_point_is_named(client: TestClient, address: str) -> None:
    recommended = client.get(address.replace("points", "frontier")).json()["recommended"]
    page = client.get(address, params={"kind": "predicted"}).json()
    assert page["recommended_id"] == page["recommended"]["id"] == "2:concurrency:1"
    assert page["recommended"]["meets_slo"] is True
    assert recommended["experiment"] == "c2"
    assert recommended["load"]["value"] == 1


def test_pages_go_through_all_points(client: TestClient, address: str) -> None:
    ids: list[str] = []
    cursor = None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = client.get(address, params=query).json()
        ids += [item["id"] for item in page["items"]]
        assert page["total"] == 10
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert ids == list(points(client, address))
    assert client.get(address, params={"cursor": "x"}).json()["type"] == "/problems/invalid-cursor"
    assert client.get(address, params={"limit": 5_001}).status_code == 422


def test_a_launch_under_way_shows_what_it_has_measured(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    claimed(service, task_id)
    address = f"/api/v2/tasks/{task_id}/points"
    assert client.get(address).json()["items"] == []
    assert client.get(address).json()["recommended"] is None
    number = begin(service, task_id, 1)
    service.store.add_measurement(number, measurement(4, 40.0))
    (point,) = points(client, address).values()
    assert (point["id"], point["on_frontier"]) == ("1:concurrency:4", True)


def test_a_level_that_is_no_operating_point_says_why(service: Service, client: TestClient) -> None:
    task_id = created(client, slo={"ttft_ms": 10})
    claimed(service, task_id)
    number = begin(service, task_id, 1)
    good = measurement(4, 40.0)
    for changes in (
        {"valid": False, "requests_failed": 2},
        {"load": {"kind": "rate", "value": 2.0}, "saturated": True},
    ):
        changed = type(good).model_validate(good.model_dump() | changes)
        service.store.add_measurement(number, changed)
    failed, slow = points(client, f"/api/v2/tasks/{task_id}/points").values()
    assert failed["note"] == "2 of 10 requests failed"
    assert (slow["id"], slow["note"]) == (
        "1:rate:2",
        "the engine does not keep up with 2 requests/s",
    )
    for point in (failed, slow):
        assert (point["is_steady"], point["on_frontier"]) == (False, False)
        assert (point["meets_slo"], point["verdicts"]) == (None, {})
        assert point["figures"]["ttft_ms"]["value"] == 20.0


def test_the_price_of_a_device_makes_the_cost_of_tokens(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    run(service, task_id)
    task = service.store.tasks.get(task_id)
    assert task is not None
    service.store.tasks.update_plan(task_id, plan=task.plan | {"usd_per_gpu_hour": 3.6})
    found = points(client, f"/api/v2/tasks/{task_id}/points")
    cost = found["2:concurrency:4"]["figures"]["usd_per_million_tokens"]
    assert cost == {"value": pytest.approx(3.6 / (80 * 3600) * 1e6), "low": None, "high": None}
    measured, predicted = (found[f"{name}:concurrency:4"]["figures"] for name in ("2", "c2"))
    assert predicted["usd_per_million_tokens"]["low"] > 0
    for figures in (measured, predicted):
        output, read, both = (
            figures[f"usd_per_million_{name}tokens"]["value"] for name in ("", "input_", "total_")
        )
        assert read != output
        assert 1 / both == pytest.approx(1 / output + 1 / read)


def test_points_that_have_not_changed_are_not_sent_again(
    service: Service, client: TestClient, address: str
) -> None:
    tag = client.get(address).headers["etag"]
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    service.store.add_event(int(address.split("/")[-2]), "level_measured", {})
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_a_task_that_is_not_there_has_no_points(client: TestClient) -> None:
    answer = client.get("/api/v2/tasks/999/points")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


def read(service: Service, task_id: int, reader: PointReader) -> TaskPoints:
    task = service.store.tasks.get(task_id)
    assert task is not None
    return reader.read(service.store, task)


@pytest.mark.parametrize("changes", [{}, {"slo": {"ttft_ms": 10}}, {"slo": {"ttft_ms": 1}}])
def test_who_reads_along_sees_what_a_newcomer_sees(
    service: Service, client: TestClient, changes: dict[str, Any]
) -> None:
    task_id, along = created(client, **changes), PointReader()
    claimed(service, task_id)

    def agree() -> None:
        assert read(service, task_id, along) == read(service, task_id, PointReader())

    agree()
    for threads in (2, 1, 3):
        begin(service, task_id, threads)
        agree()
    for threads, failed in ((1, False), (3, True), (2, False)):
        finish(service, task_id, threads, failed=failed)
        agree()
    number = begin(service, task_id, 4)
    service.store.add_measurement(number, measurement(2, 500.0))
    agree()
    assert "4:concurrency:2" in read(service, task_id, along).on_frontier


def test_what_is_finished_is_read_once(
    service: Service, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id, validated = created(client), []
    validate = Measurement.model_validate_json

    def counted(document: str, **how: Any) -> Measurement:
        validated.append(document)
        return validate(document, **how)

    run(service, task_id)
    monkeypatch.setattr(Measurement, "model_validate_json", counted)
    for _ in range(3):
        assert client.get(f"/api/v2/tasks/{task_id}/points").status_code == 200
    assert len(validated) == 6
    number = begin(service, task_id, 4)
    service.store.add_measurement(number, measurement(4, 40.0))
    assert "4:concurrency:4" in points(client, f"/api/v2/tasks/{task_id}/points")
    assert len(validated) == 7


def test_a_task_that_is_restarted_has_its_own_points_alone(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    run(service, task_id)
    assert len(points(client, f"/api/v2/tasks/{task_id}/points")) == 10
    assert client.post(f"/api/v2/tasks/{task_id}/restart").status_code == 200
    assert points(client, f"/api/v2/tasks/{task_id}/points") == {}
    claimed(service, task_id)
    begin(service, task_id, 1)
    finish(service, task_id, 1)
    assert len(points(client, f"/api/v2/tasks/{task_id}/points")) == 4
