"""How busy the machine is, its queue, its health, backups and GPUs, over HTTP."""

from __future__ import annotations

import errno
import itertools
import platform
import sqlite3
import threading
from collections import namedtuple
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from test_system import TASK, add_worker

from autotuner.launch.processes import this_machine
from autotuner.server import usage_history
from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.usage_history import UsageHistory
from autotuner.server.v2 import operation, system
from autotuner.server.v2.operation import database_health, disk_health, worker_health
from autotuner.store.maintenance import DatabaseState
from autotuner.workers.devices import FoundGpu
from autotuner.workers.machine import GpuUsage, MachineReader, MachineUsage

SYSTEM = "/api/v2/system"


def test_samples_are_kept_in_order_and_no_more_than_half_an_hour_of_them(service: Service) -> None:
    gpu = GpuUsage(0, "NVIDIA H100", 80.0, 70.5, 93.0, 640.0, None)
    numbers = itertools.count()

    def read() -> MachineUsage:
        return MachineUsage(float(next(numbers)), 64.0, 8.0, (gpu,))

    history = UsageHistory(read)
    assert [sample.usage.cpu_percent for sample in history.samples()] == [0.0]
    for _ in range(499):
        history.take()
    with TestClient(create_app(replace(service, usage=history)), base_url="http://127.0.0.1") as c:
        listed = c.get(f"{SYSTEM}/usage").json()
    busy = [item["cpu_percent"] for item in listed["items"]]
    assert busy == [float(one) for one in range(500 - len(busy), 500)]
    assert len(busy) * listed["every_s"] == 1_800
    assert listed["items"][0]["gpus"] == [vars(gpu)]


def test_machines_of_workers_are_shown_while_their_workers_live(
    client: TestClient, service: Service
) -> None:
    busy = MachineUsage(80.0, 256.0, 64.0, (GpuUsage(0, "NVIDIA H100", 80.0, 70.5, 93.0, 1.0, 2),))
    report = asdict(busy)
    here = this_machine().host

    def take() -> None:
        service.usage.take(service.usage_of_others)

    for heartbeat in (1, 2):
        add_worker(service, "first", host="far", usage=report, heartbeat=heartbeat)
        add_worker(service, "own", host=here, usage=report, heartbeat=heartbeat)
        add_worker(service, "silent", host="silent", usage=None, heartbeat=heartbeat)
        add_worker(service, "other form", host="new", usage={"cores": 3}, heartbeat=heartbeat)
        take()
    add_worker(service, "first", host="far", usage=None, heartbeat=3)
    take()
    add_worker(service, "first", host="far", usage={**report, "cpu_percent": 20.0}, heartbeat=4)
    take()
    listed = client.get(f"{SYSTEM}/usage").json()
    assert (listed["host"], listed["hosts"], len(listed["items"])) == (here, [here, "far"], 4)
    far = client.get(f"{SYSTEM}/usage", params={"host": "far"}).json()
    assert [item["cpu_percent"] for item in far["items"]] == [80.0, 20.0]
    assert far["items"][0]["gpus"] == [vars(busy.gpus[0])]
    assert {item["at"] for item in far["items"]} < {item["at"] for item in listed["items"]}
    refused = client.get(f"{SYSTEM}/usage", params={"host": "silent"})
    assert refused.status_code == 404
    workers = {row["id"]: row for row in client.get(f"{SYSTEM}/workers").json()["items"]}
    assert workers["own"]["usage"] == {**report, "gpus": list(report["gpus"])}
    assert workers["silent"]["usage"] is workers["other form"]["usage"] is None


def test_a_reading_counts_only_while_heartbeats_arrive(
    client: TestClient, service: Service
) -> None:
    usage = MachineUsage(80.0, 256.0, 64.0, ())
    seen = []
    # Left over from before this process; alive; between two heartbeats; dead.
    for heartbeat in (7, 7, 8, 9, 9, 10, 10, 10, 10):
        add_worker(service, "first", host="far", usage=asdict(usage), heartbeat=heartbeat)
        service.usage.take(service.usage_of_others)
        seen.append(bool(service.usage.samples()[-1].others))
    assert seen == [False, False, True, True, True, True, True, False, False]
    own = client.get(f"{SYSTEM}/usage").json()
    far = client.get(f"{SYSTEM}/usage", params={"host": "far"}).json()
    assert far["newest_at"] == own["newest_at"] == own["items"][-1]["at"]
    assert far["items"][-1]["at"] == own["items"][6]["at"] < far["newest_at"]


def test_a_machine_that_cannot_be_read_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    usage = MachineUsage(80.0, 256.0, 64.0, ())

    def fails() -> Any:
        raise ValueError("a row that no version wrote")

    history = UsageHistory(lambda: usage)
    for others in (fails, fails, lambda: {"far": usage}):
        history.take(others)
    assert [(one.usage, one.others) for one in history.samples()] == [
        (usage, {}),
        (usage, {}),
        (usage, {"far": usage}),
    ]
    blind = UsageHistory(fails)
    blind.take(lambda: {"far": usage})
    assert [(one.usage, one.others) for one in blind.samples()] == [(None, {"far": usage})]
    assert [record.getMessage() for record in caplog.records] == [
        f"how busy {whose} cannot be read: ValueError: a row that no version wrote"
        for whose in ("the machines of workers are", "the machine is")
    ]


def test_a_reading_that_hangs_keeps_no_service_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usage_history, "_LONGEST_END_S", 0.01)
    hangs, let_go, calls = threading.Event(), threading.Event(), itertools.count()

    def read() -> MachineUsage:
        if next(calls):
            hangs.set()
            let_go.wait()
        return MachineUsage(None, 64.0, 8.0, ())

    history = UsageHistory(read, every_s=0.001)
    history.start()
    assert hangs.wait(30)
    ending = threading.Thread(target=history.stop, daemon=True)
    ending.start()
    ending.join(30)
    assert not ending.is_alive()
    assert len(history.samples()) == 1
    let_go.set()


def test_this_machine_is_sampled_without_a_thread(client: TestClient) -> None:
    (item,) = client.get(f"{SYSTEM}/usage").json()["items"]
    assert 0 < item["memory_used_gib"] < item["memory_gib"]
    assert item["cpu_percent"] is None


def test_cpus_are_busy_by_what_passed_between_two_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([(10.0, 80.0, 10.0, 5.0), (40.0, 130.0, 10.0, 30.0), (40.0, 130.0, 10.0, 30.0)])
    kind = namedtuple("kind", "user idle iowait guest")
    monkeypatch.setattr("psutil.cpu_times", lambda: kind(*next(times)))
    read = MachineReader()
    # 80 s passed, of which 50 s were idle; those of guests are among the user's.
    assert [read().cpu_percent for _ in range(3)] == [None, pytest.approx(37.5), None]


def test_samples_are_taken_by_a_thread_that_ends() -> None:
    taken = threading.Event()
    calls = itertools.count(1)

    def read() -> MachineUsage:
        if next(calls) == 2:
            taken.set()
        return MachineUsage(None, 64.0, 8.0, ())

    history = UsageHistory(read, every_s=0.001)
    history.start()
    assert taken.wait(30)
    history.stop()
    ended = len(history.samples())
    assert ended >= 2 and len(history.samples()) == ended


def test_a_reading_that_fails_ends_no_sampling_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    taken = threading.Event()
    readings = itertools.count()

    def read() -> MachineUsage:
        number = next(readings)
        if number in (0, 1):
            raise RuntimeError("the driver went away")
        if number > 2:
            taken.set()
        return MachineUsage(float(number), 64.0, 8.0, ())

    history = UsageHistory(read, every_s=0.001)
    history.start()
    assert taken.wait(30)
    history.stop()
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        "how busy the machine is cannot be read: RuntimeError: the driver went away"
    ]


def test_gpus_that_no_worker_has_are_devices_of_the_machine(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [FoundGpu(str(n), "NVIDIA H100 80GB HBM3", 79.6) for n in range(4)]
    found.append(FoundGpu("4", "Frobnicator 3000", 16.0))
    monkeypatch.setattr(system, "found_gpus", lambda: found)

    def listed() -> list[tuple[str, int, str | None]]:
        items = client.get(f"{SYSTEM}/devices").json()["items"]
        return [(row["name"], row["count"], row["worker"]) for row in items if row["kind"] == "gpu"]

    assert listed() == [("h100_sxm", 4, None), ("Frobnicator 3000", 1, None)]
    here = platform.node()
    add_worker(service, "one", gpu="h100_sxm", devices=["0", "1", "2"], host=here)
    assert listed() == [
        ("h100_sxm", 3, "one"),
        ("h100_sxm", 1, None),
        ("Frobnicator 3000", 1, None),
    ]
    add_worker(service, "far", gpu="h100_sxm", devices=["0", "1"], host="elsewhere")
    assert ("h100_sxm", 1, None) in listed()


def test_the_queue_has_what_runs_and_why_the_rest_waits(
    client: TestClient, service: Service
) -> None:
    numbers = [client.post("/api/v2/tasks/?start=true", json=TASK).json()["id"] for _ in range(3)]
    waiting = client.get(f"{SYSTEM}/queue").json()["items"]
    assert [row["waiting"]["position"] for row in waiting] == [1, 2, 3]
    assert waiting[0]["waiting"]["reason"] == "no worker is running"
    add_worker(service, "one")
    assert service.store.tasks.claim("one", gpu="cpu", gpus=1) is not None
    queue = client.get(f"{SYSTEM}/queue").json()
    assert [(row["id"], row["status"]) for row in queue["items"]] == [
        (numbers[0], "running"),
        (numbers[1], "queued"),
        (numbers[2], "queued"),
    ]
    assert (queue["queued"], queue["items"][0]["worker"]) == (2, "one")
    assert str(numbers[0]) in queue["items"][1]["waiting"]["reason"]


def test_health_names_what_is_wrong_and_what_helps() -> None:
    assert database_health(DatabaseState("sqlite", "7", "7")).status == "ok"
    old = database_health(DatabaseState("sqlite", "8", "7"))
    assert (old.status, bool(old.remedy)) == ("error", True)
    assert worker_health(["one"], 4).status == "ok"
    assert [worker_health([], queued).status for queued in (0, 2)] == ["warning", "error"]
    assert [
        disk_health(free_bytes=free, total_bytes=100 * 2**30).status for free in (4 << 30, 5 << 30)
    ] == ["warning", "ok"]


def test_health_of_the_service_is_listed(client: TestClient) -> None:
    items = client.get(f"{SYSTEM}/health").json()["items"]
    assert {row["name"]: row["status"] for row in items} == {
        "database": "ok",
        "workers": "warning",
        "disk": items[2]["status"],
    }


def test_a_backup_is_made_listed_and_fetched(
    client: TestClient, service: Service, tmp_path: Path, database: str | None
) -> None:
    if database is not None:
        pytest.skip("PostgreSQL's backups are pg_dump's, tried where the command line is")
    client.post("/api/v2/tasks/", json=TASK)
    assert client.get(f"{SYSTEM}/").json()["database"]["size_bytes"] > 4_096
    made: dict[str, Any] = client.post(f"{SYSTEM}/backups").json()
    assert client.get(f"{SYSTEM}/backups").json()["items"] == [made]
    fetched = client.get(f"{SYSTEM}/backups/{made['name']}")
    assert fetched.status_code == 200 and len(fetched.content) == made["size_bytes"]
    copy = tmp_path / "fetched.db"
    copy.write_bytes(fetched.content)
    with sqlite3.connect(copy) as opened:
        assert opened.execute("SELECT name FROM tasks_v2").fetchall() == [("first",)]
    for name in ("..%2Fautotuner.db", "autotuner.db", "autotuner-1-1.db"):
        assert client.get(f"{SYSTEM}/backups/{name}").status_code == 404


def test_a_backup_is_deleted_by_its_name_and_nothing_else_is(
    client: TestClient, service: Service
) -> None:
    backups = service.folder / "backups"
    backups.mkdir()
    for name in ("autotuner-1-1.db", "autotuner-1-2.db", "mine.db"):
        (backups / name).write_text("kept")
    assert client.delete(f"{SYSTEM}/backups/autotuner-1-1.db").status_code == 204
    for name in ("autotuner-1-1.db", "mine.db", "..%2Fautotuner.db", "autotuner-*.db"):
        assert client.delete(f"{SYSTEM}/backups/{name}").status_code == 404, name
    assert sorted(path.name for path in backups.iterdir()) == ["autotuner-1-2.db", "mine.db"]


def test_only_backups_that_are_still_there_are_listed(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = service.folder / "backups"
    (backups / "autotuner-1-3.db").mkdir(parents=True)
    (backups / "autotuner-1-2.db").symlink_to("/etc/passwd")
    for name in ("autotuner-1-1.db", "autotuner-1-4.db"):
        (backups / name).write_text("kept")
    found = Path.glob

    def deleting(folder: Path, pattern: str) -> list[Path]:
        paths = list(found(folder, pattern))
        (backups / "autotuner-1-4.db").unlink(missing_ok=True)
        return paths

    monkeypatch.setattr(Path, "glob", deleting)
    listed = client.get(f"{SYSTEM}/backups").json()["items"]
    assert [one["name"] for one in listed] == ["autotuner-1-1.db"]
    for name in ("autotuner-1-2.db", "autotuner-1-3.db"):
        assert client.get(f"{SYSTEM}/backups/{name}").status_code == 404
    monkeypatch.setattr(operation, "backup_file", lambda folder, name: folder / name)
    assert client.get(f"{SYSTEM}/backups/autotuner-1-4.db").status_code == 404


def test_a_backup_that_cannot_be_deleted_stays_and_the_answer_says_why(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    (service.folder / "backups").mkdir()
    (service.folder / "backups" / "autotuner-1-1.db").write_text("kept")
    monkeypatch.setattr(Path, "unlink", read_only)
    refused = client.delete(f"{SYSTEM}/backups/autotuner-1-1.db")
    assert refused.status_code == 422 and "Read-only file system" in refused.json()["detail"]


def test_a_backup_that_cannot_be_written_is_no_traceback(
    client: TestClient, service: Service
) -> None:
    (service.folder / "backups").write_text("a file")
    refused = client.post(f"{SYSTEM}/backups")
    assert refused.status_code == 422, refused.text
    assert "cannot be written" in refused.json()["detail"]


def test_the_size_of_a_database_is_known_on_both(client: TestClient) -> None:
    assert client.get(f"{SYSTEM}/").json()["database"]["size_bytes"] > 4_096
