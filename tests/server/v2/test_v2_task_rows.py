"""What a row of the list of tasks has, so that it needs no second request; and why tasks wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from made_runs import DOCUMENT, PLAN, begin, brought_to, claimed, created, finish, run

from autotuner.server.liveness import DEAD_AFTER_S, Liveness
from autotuner.server.service import Service
from autotuner.server.v2.task_views import TaskPage
from autotuner.server.v2.waiting import why_waiting
from autotuner.store.maintenance import KnownWorker, known_workers
from autotuner.store.transitions import STATUSES, allowed_actions
from autotuner.store.workers import WorkerRecord

TASKS = "/api/v2/tasks/"
BEST = {
    "experiment_index": 2,
    "candidate": "c2",
    "load": {"kind": "concurrency", "value": 4},
    "tok_s": 80.0,
    "tok_s_per_gpu": 80.0,
    "ttft_ms": 20.0,
    "tpot_ms": None,
    "e2e_p90_ms": 370.5,
    "meets_slo": None,
    "levels": 6,
    "disturbed_levels": 2,
}


def row(client: TestClient, task_id: int) -> dict[str, Any]:
    """The task as the list has it, which is as the task has it itself."""
    page = client.get(TASKS, params={"limit": 200})
    TaskPage.model_validate_json(page.content)
    found: dict[str, Any] = next(i for i in page.json()["items"] if i["id"] == task_id)
    whole = client.get(f"{TASKS}{task_id}").json()
    assert {name: whole[name] for name in found} == found
    return found


def test_a_new_task_has_nothing_planned_and_nothing_measured(client: TestClient) -> None:
    found = row(client, created(client))
    unknown = ("launches", "left_s", "best", "v1_task_id")
    assert [found[name] for name in unknown] == [None] * len(unknown)
    assert (found["is_replay"], found["engine_version"]) == (False, "")


@pytest.mark.parametrize("status", STATUSES)
def test_a_row_has_the_actions_that_its_task_allows(
    service: Service, client: TestClient, status: str
) -> None:
    task_id = brought_to(service, client, status)
    assert row(client, task_id)["allowed_actions"] == list(allowed_actions(status))


def test_a_running_task_that_no_worker_holds_allows_nothing(
    service: Service, client: TestClient
) -> None:
    task_id = service.store.tasks.create(
        name="by hand", content_id="c", config=DOCUMENT, model="m", engine="e", status="running"
    ).id
    assert row(client, task_id)["allowed_actions"] == []
    refused = client.post(f"{TASKS}{task_id}/cancel")
    assert (refused.status_code, refused.json()["allowed"]) == (409, [])


@pytest.mark.parametrize(("budget", "launches"), [(None, 3), (2, 2), (9, 3)])
def test_planned_launches_are_the_candidates_within_the_budget(
    service: Service, client: TestClient, budget: int | None, launches: int
) -> None:
    limits = {} if budget is None else {"optimization": {"budget": {"experiments": budget}}}
    task_id = created(client, **limits)
    service.store.tasks.update_plan(task_id, plan=PLAN)
    assert row(client, task_id)["launches"] == launches
    whole = client.get(f"{TASKS}{task_id}").json()
    assert whole["progress"]["launches"] == launches


def test_a_replay_is_marked_whether_created_or_changed(client: TestClient) -> None:
    replay = {
        **{key: DOCUMENT[key] for key in ("version", "name")},
        "model": {"id": "any"},
        "deployment_mode": "replay",
        "replay": {"landscape": "landscapes/a.csv"},
    }
    task_id = created(client)
    changed = client.patch(f"{TASKS}{task_id}", json={"config": replay})
    assert changed.status_code == 200, changed.text
    assert row(client, task_id)["is_replay"] is True
    back = client.patch(f"{TASKS}{task_id}", json={"config": DOCUMENT})
    assert back.json()["is_replay"] is False


def test_best_point_and_time_left_are_shown_and_go_with_a_restart(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    lease = claimed(service, task_id)
    tasks = service.store.fenced(task_id, lease.number).tasks
    tasks.keep_standing(task_id, best=BEST, expected_wall_s=90.0)
    tasks.keep_wall_time(task_id, 30.0)
    before = client.get(f"{TASKS}{task_id}").headers["etag"]
    assert (row(client, task_id)["best"], row(client, task_id)["left_s"]) == (BEST, 60.0)
    tasks.keep_wall_time(task_id, 100.0)
    assert row(client, task_id)["left_s"] == 0, "late is not negative"
    assert client.get(f"{TASKS}{task_id}").headers["etag"] != before
    tasks.end(task_id, status="completed", reason="all launched", add_wall_s=0.0)
    assert (row(client, task_id)["best"], row(client, task_id)["left_s"]) == (BEST, None)
    client.post(f"{TASKS}{task_id}/restart")
    assert (row(client, task_id)["best"], row(client, task_id)["left_s"]) == (None, None)


def test_launches_that_confirm_are_counted_while_the_task_runs(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    lease = claimed(service, task_id)
    store = service.store.fenced(task_id, lease.number)
    begin(service, task_id, 1)
    finish(service, task_id, 1)
    assert row(client, task_id)["further_launches"] == 0
    (first,) = store.experiments(task_id)
    for launch in (2, 3):
        store.begin_relaunch(first.id, launch=launch, selection_reason="again", log_path="")
        assert row(client, task_id)["further_launches"] == launch - 2
        ended = {"startup_s": 1.0, "measure_s": 1.0, "began_s": 0.0}
        store.finish_relaunch(first.id, launch, failure=None, **ended)
    progress = client.get(f"{TASKS}{task_id}").json()["progress"]
    assert (progress["experiments_completed"], progress["further_launches"]) == (1, 2)
    store.tasks.end(task_id, status="completed", reason="all launched", add_wall_s=0.0)
    assert row(client, task_id)["further_launches"] is None


def test_the_total_counts_what_the_filter_matches_on_every_page(
    service: Service, client: TestClient
) -> None:
    for name in "abcde":
        created(client, name=f"task {name}")
    created(client, name="other")
    first = client.get(TASKS, params={"limit": 2, "search": "task"}).json()
    query = {"limit": 2, "search": "task", "cursor": first["next_cursor"]}
    assert (len(first["items"]), first["total"]) == (2, 5)
    assert client.get(TASKS, params=query).json()["total"] == 5
    assert client.get(TASKS, params={"limit": 2}).json()["total"] == 6
    nothing = client.get(TASKS, params={"search": "nothing like it"}).json()
    assert nothing == {"items": [], "next_cursor": None, "total": 0}


def worker(name: str = "one", **changes: Any) -> WorkerRecord:
    """A worker on a CPU."""
    facts: dict[str, Any] = {"kind": "worker", "host": "h", "boot": "b", "pid": 1, "version": "1"}
    facts |= {"pid_started": 1, "gpu": "cpu", "devices": ["cpu"]}
    return WorkerRecord(id=name, name=name, **facts | changes)


def test_only_a_queued_task_waits(service: Service, client: TestClient) -> None:
    for status in STATUSES:
        task_id = brought_to(service, client, status)
        waiting = client.get(f"{TASKS}{task_id}").json()["waiting"]
        assert (waiting is not None) == (status == "queued"), status


def test_a_task_without_a_worker_says_so_and_where_it_stands(
    service: Service, client: TestClient
) -> None:
    first, second = (brought_to(service, client, "queued") for _ in range(2))
    places = [client.get(f"{TASKS}{each}").json()["waiting"] for each in (first, second)]
    assert [place["position"] for place in places] == [1, 2]
    assert places[0]["reason"] == "no worker is running"
    assert "autotuner worker" in places[0]["remedy"]
    service.store.workers.add(worker(kind="cli"))
    assert client.get(f"{TASKS}{first}").json()["waiting"] == places[0], "takes none of the queue"
    service.store.workers.add(worker())
    assert "about to take it" in client.get(f"{TASKS}{first}").json()["waiting"]["reason"]
    assert "1 task was queued" in client.get(f"{TASKS}{second}").json()["waiting"]["reason"]


def test_a_worker_that_is_busy_is_named_by_its_task(service: Service, client: TestClient) -> None:
    service.store.workers.add(worker("worker-1"))
    running = brought_to(service, client, "running")
    waiting = client.get(f"{TASKS}{brought_to(service, client, 'queued')}").json()["waiting"]
    assert f"busy, with task {running}" in waiting["reason"]


def test_a_device_that_no_worker_has_is_named(service: Service, client: TestClient) -> None:
    service.store.workers.add(worker())
    service.store.workers.add(worker("two", gpu="l4", devices=["0"]))
    gpus = {"system": {"gpu_type": "l4", "total_gpus": 2, "backend": "vllm"}}
    task_id = created(client, **gpus)
    client.post(f"{TASKS}{task_id}/start")
    waiting = client.get(f"{TASKS}{task_id}").json()["waiting"]
    assert waiting["reason"] == "no worker has 2 x l4; the running ones have a CPU, 1 x l4"
    service.store.workers.add(worker("three", gpu="l4", devices=["0", "1"]))
    assert "about to" in client.get(f"{TASKS}{task_id}").json()["waiting"]["reason"]


def test_a_free_worker_that_takes_nothing_points_at_its_devices(
    service: Service, client: TestClient
) -> None:
    service.store.workers.add(worker())
    task = service.store.tasks.get(brought_to(service, client, "queued"))
    assert task is not None
    alive = known_workers(service.store.sessions)
    reason, remedy = why_waiting(task, alive, before=0, queued_s=60.0)
    assert "free worker one does not take it" in reason
    assert "log" in remedy


def test_a_dead_worker_is_none(service: Service, client: TestClient) -> None:
    service.store.workers.add(worker())
    now_s = [0.0]
    liveness = Liveness(lambda: now_s[0])

    def alive() -> tuple[KnownWorker, ...]:
        return liveness.alive(known_workers(service.store.sessions))

    assert [each.name for each in alive()] == ["one"]
    now_s[0] += DEAD_AFTER_S
    assert alive() == ()


def test_results_are_not_sent_again_until_something_was_measured(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    parts = ("frontier", "comparison", "summary", "experiments", "experiments?sort=-tok_s")
    addresses = [f"{TASKS}{task_id}/{part}" for part in parts]

    def statuses(tags: dict[str, str]) -> set[int]:
        answers = [client.get(a, headers={"If-None-Match": tag}) for a, tag in tags.items()]
        assert all(a.content == b"" for a in answers if a.status_code == 304)
        return {answer.status_code for answer in answers}

    claimed(service, task_id)
    tags = {address: client.get(address).headers["etag"] for address in addresses}
    assert statuses(tags) == {304}
    begin(service, task_id, 1)
    finish(service, task_id, 1)
    service.store.add_event(task_id, "experiment_ended", {"index": 1})
    assert statuses(tags) == {200}
    tags = {address: client.get(address).headers["etag"] for address in addresses}
    service.store.add_event(task_id, "level_progress", {}, ephemeral=True)
    assert statuses(tags) == {304}, "progress changes no result"
    assert client.get(addresses[0]).headers["cache-control"] == "private, no-cache"


def test_another_task_has_other_tags(service: Service, client: TestClient) -> None:
    first, second = created(client), created(client)
    tag = client.get(f"{TASKS}{first}/frontier").headers["etag"]
    answer = client.get(f"{TASKS}{second}/frontier", headers={"If-None-Match": tag})
    assert answer.status_code == 200


def test_places_in_the_queue_follow_the_time_and_not_the_number(
    service: Service, client: TestClient
) -> None:
    first, second = (brought_to(service, client, "queued") for _ in range(2))
    record = service.store.tasks.get(first)
    assert record is not None
    assert record.queued_at is not None
    service.store.tasks.change(first, {"queued_at": record.queued_at + timedelta(hours=1)})
    places = [
        client.get(f"{TASKS}{each}").json()["waiting"]["position"] for each in (first, second)
    ]
    assert places == [2, 1]


def test_rows_of_finished_tasks_are_as_their_experiments(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    run(service, task_id)
    assert row(client, task_id)["launches"] == 3
