"""Decisions about a cluster that need none: ends of launches, refusals, reservations left."""

from __future__ import annotations

import asyncio
import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from autotuner.catalog.device import this_device
from autotuner.cluster import connection, reservation
from autotuner.cluster.connection import Node, probe
from autotuner.cluster.engine import RayEngine
from autotuner.cluster.launcher import RayLauncher, RetryDeadline
from autotuner.cluster.load import RayLoadGenerator
from autotuner.cluster.messages import (
    LAUNCH_ID,
    LaunchRequest,
    LevelProgressNews,
    LevelRequest,
    NodeFacts,
    Refused,
)
from autotuner.cluster.node import LaunchNode
from autotuner.cluster.reaping import handle_of, reap
from autotuner.cluster.reservation import Reservation, meaning, reserved
from autotuner.config import LoadLevel, RayConfig, parse_task
from autotuner.engines import LaunchSpec
from autotuner.errors import LaunchError
from autotuner.launch import LaunchLost, Reaped
from autotuner.measure import Endpoint, Measurement
from autotuner.measure.protocol import LoadContext
from autotuner.tuning.points import informative_levels

NOBODY = "127.0.0.1:1"
SPEC = LaunchSpec("llamacpp", ("engine",), "fake")


@pytest.fixture
def web_server() -> Iterator[str]:
    """The address of something else than a cluster."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), http.server.BaseHTTPRequestHandler
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_launch_of_a_cluster_that_does_not_answer_holds_nothing_here() -> None:
    for address in (NOBODY, f"ray://{NOBODY}"):
        assert reap(handle_of("launch-0.1", "node", address)) is Reaped.ELSEWHERE


def test_a_launch_on_this_machine_is_ended_without_its_cluster() -> None:
    launch_id = f"launch-test-{os.getpid()}.1"
    engine = subprocess.Popen(
        ["/bin/sleep", "616"], env=os.environ | {LAUNCH_ID: launch_id}, start_new_session=True
    )
    try:
        environment = Path(f"/proc/{engine.pid}/environ")
        # It is empty for a moment where it is being started.
        while launch_id not in environment.read_text():
            time.sleep(0.01)
        assert reap(handle_of(launch_id, "node", NOBODY)) is Reaped.GONE
        assert engine.wait() != 0
    finally:
        engine.kill()


def test_something_else_than_a_cluster_is_refused_in_seconds(
    web_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("grpc", reason="Ray's client is not installed; `make ray` installs it")
    monkeypatch.setattr(connection, "_ANSWER_S", 0.5)
    for address in (web_server, f"ray://{web_server}"):
        with pytest.raises(LaunchError, match="is no Ray cluster"):
            probe(address)


def test_ray_connects_in_a_thread_where_it_takes_no_signals_and_that_ends_with_the_connection() -> (
    None
):
    threads = []
    is_over = threading.Event()

    def made() -> None:
        threads.append(threading.current_thread())

    def refused() -> None:
        made()
        sys.exit(15)

    assert isinstance(connection._refused_in_a_thread(refused, is_over), SystemExit)
    assert connection._refused_in_a_thread(made, is_over) is None
    assert threading.main_thread() not in threads
    assert threads[1].is_alive()
    is_over.set()
    threads[1].join(30)
    assert not threads[1].is_alive()


class NotBegunError(Exception):
    """As Ray's ActorDiedError."""

    actor_init_failed = True


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (ConnectionError("the node is gone"), LaunchLost, "the node is gone"),
        (
            ConnectionError("x" * 5000 + " No module named 'autotuner'"),
            LaunchError,
            "does not have inference-autotuner",
        ),
        (NotBegunError("disk full"), LaunchError, "cannot start launches: disk full"),
    ],
)
def test_the_end_of_an_actor_is_a_lost_launch_or_an_error(
    error: Exception, kind: type[Exception], words: str
) -> None:
    found = meaning(error)
    assert isinstance(found, kind)
    assert words in str(found)


@pytest.mark.parametrize(
    "resources",
    [{"GPU": 0.5}, {"CPU": 1.0}, {"memory": 1.0}, {"object_store_memory": 1.0}, {"tape": 1e-6}],
)
def test_resources_that_ray_would_never_place_are_refused(resources: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(resources))):
        RayConfig(resources=resources)


def refuse() -> dict[str, float]:
    raise LaunchError("no such node", remedy="add one")


def test_a_node_that_was_there_is_waited_for_and_one_that_never_was_is_not() -> None:
    now_s = [0.0]
    with pytest.raises(LaunchError, match="no such node"):
        RetryDeadline(0.0, lambda: now_s[0]).tried(refuse)
    deadline = RetryDeadline(60.0, lambda: now_s[0])
    assert deadline.tried(refuse) is None
    now_s[0] = 59.0
    assert deadline.tried(refuse) is None
    assert deadline.tried(lambda: {"CPU": 1.0}) == {"CPU": 1.0}
    now_s[0] = 61.0
    assert deadline.tried(refuse) is None
    now_s[0] = 121.0
    with pytest.raises(LaunchError, match="no such node"):
        deadline.tried(refuse)


def test_a_reservation_is_given_back_where_its_launch_is_cancelled_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reserving, may_end = threading.Event(), threading.Event()
    released: list[tuple[object, object]] = []

    def reserve(*_: object) -> tuple[str, str]:
        reserving.set()
        may_end.wait()
        return "actor", "group"

    monkeypatch.setattr(reservation, "_reserve", reserve)
    monkeypatch.setattr(
        reservation, "_release", lambda actor, group: released.append((actor, group))
    )

    async def cancelled() -> None:
        launch = asyncio.create_task(reserved("launch-1", {}, 0, lambda: None))
        await asyncio.to_thread(reserving.wait)
        launch.cancel()
        await asyncio.sleep(0)
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await launch

    asyncio.run(cancelled())
    assert released == [("actor", "group")]


class LeftReservation:
    """A reservation that counts how often it is released."""

    actor: Any = None
    released = launches = 0

    def __init__(self) -> None:
        self.actor = type(
            "Actor", (), {"stop": type("Stop", (), {"remote": lambda self, launch_id: None})()}
        )

    def release(self) -> None:
        """As `Reservation`."""
        self.released += 1


def test_a_task_that_is_over_keeps_no_reservation() -> None:
    found, reservations = (
        RayLauncher(RayConfig(), environment={}),
        [LeftReservation(), LeftReservation()],
    )
    for held in reservations:
        found._take_back(cast("Reservation", held))
    asyncio.run(found.close())
    assert [held.released for held in reservations] == [1, 1]


class GoneActor:
    """An actor behind a connection that is over: each call is refused before it is made."""

    def __getattr__(self, name: str) -> Any:
        return self

    def remote(self, *_: object) -> None:
        raise ConnectionError("the client is shut down")


def test_without_a_connection_a_launch_is_lost_and_its_reservation_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
    released: list[object] = []
    monkeypatch.setattr(reservation, "_reserve", lambda *_: ([GoneActor()], "group"))
    monkeypatch.setattr(reservation, "_release", lambda actor, group: released.append(group))
    with pytest.raises(LaunchLost, match="the client is shut down"):
        asyncio.run(reserved("launch-1", {}, 0, lambda: None))
    assert released == ["group"]
    held = LeftReservation()
    held.actor = GoneActor()
    engine = made_engine(held, tmp_path)
    with pytest.raises(LaunchLost, match="the client is shut down"):
        asyncio.run(engine.start(LaunchRequest("m", SPEC, {}, None, 60.0)))
    asyncio.run(engine.stop())
    assert held.released == 1


def test_an_engine_whose_log_cannot_be_written_does_not_count_as_alive(tmp_path: Path) -> None:
    engine = made_engine(LeftReservation(), tmp_path / "no-such-folder")

    async def listened() -> None:
        engine._listening = asyncio.create_task(engine._listen())
        await asyncio.wait({engine._listening})
        with pytest.raises(LaunchError, match="cannot be written: No such file"):
            engine.exit_code()

    asyncio.run(listened())


def made_engine(held: LeftReservation, folder: Path) -> RayEngine:
    return RayEngine(
        SPEC,
        cast("Reservation", held),
        "m",
        handle_of("m", "node", NOBODY),
        folder / "engine.log",
        give_back=lambda held: None,
        on_gone=lambda handle: None,
    )


def test_nodes_without_cpus_have_room_for_engines_on_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    there = (Node("id", "n1", {"GPU": 8.0, "CPU": 0.0}),)
    monkeypatch.setattr(connection, "nodes", lambda: there)
    found = connection.capacity(RayConfig())
    assert (found.nodes, found.on_cpus) == ((8,), 0)


@pytest.mark.parametrize("end", [Refused("it hangs", "kill it"), asyncio.CancelledError()])
def test_a_reservation_whose_engine_cannot_be_stopped_is_given_back(
    end: Refused | BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, kept = LeftReservation(), list[Reservation]()
    launch_id = "launch-1.1"
    engine = RayEngine(
        SPEC,
        cast("Reservation", held),
        launch_id,
        handle_of(launch_id, "node", NOBODY),
        tmp_path / "engine.log",
        give_back=kept.append,
        on_gone=lambda handle: None,
    )

    async def answer(reference: object) -> Refused:
        if isinstance(end, BaseException):
            raise end
        return end

    monkeypatch.setattr(engine, "_answer", answer)
    with pytest.raises((LaunchError, asyncio.CancelledError)):
        asyncio.run(engine.stop())
    assert (held.released, kept) == (1, [])


@pytest.mark.parametrize(
    ("gpus", "processor", "is_learnt"),
    [(0, "another", False), (0, this_device().name, True), (1, "another", True)],
)
def test_a_level_bears_its_node_and_of_another_processor_nothing_is_learnt(
    gpus: int, processor: str, is_learnt: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = NodeFacts("id", "n1", "1", (), 4.0, processor=processor, cores=4)
    held = Reservation("launch-1", None, None, {"CPU": 2.0}, facts)
    engine = RayEngine(
        replace(SPEC, gpus=gpus),
        held,
        "launch-1.1",
        handle_of("launch-1.1", "node", NOBODY),
        tmp_path / "engine.log",
        give_back=lambda held: None,
        on_gone=lambda handle: None,
    )
    assert not engine.is_alone
    load = LoadLevel.concurrency(1)
    level = Measurement.model_validate(
        {"load": load.to_json(), "duration_s": 1.0, "requests_completed": 99, "requests_failed": 0}
        | {"requests_short": 0, "ended_by": "requests", "valid": True, "tok_s": 1.0}
        | {"requests_s": 1.0, "input_tokens": 99, "output_tokens": 99}
    )

    async def run_level(request: object, on_progress: object) -> Measurement:
        return level

    monkeypatch.setattr(engine, "run_level", run_level)
    endpoint = Endpoint("http://x", "fake", "/v1/completions", engine=engine)
    task = parse_task({"version": 2, "name": "t", "model": {"id": "smollm2-135m"}})
    context = LoadContext(task.benchmark, cast("Any", None), tmp_path)
    measured = asyncio.run(
        RayLoadGenerator(context).run(endpoint, cast("Any", None), engine_alive=lambda: True)
    )
    assert measured.node is not None
    assert (measured.node.host, measured.node.cores) == ("n1", 4)
    assert bool(informative_levels([measured])) is is_learnt


def test_progress_that_an_earlier_level_left_is_none_of_the_next(
    tmp_path: Path,
) -> None:
    node, seen = LaunchNode(), list[tuple[int, int]]()
    refused = asyncio.run(node.run_level(LevelRequest(*cast("Any", [None] * 5), True, "gone", 1)))
    assert refused.value == Refused("its launch is over", "")
    engine = made_engine(LeftReservation(), tmp_path)
    engine._level, engine._on_progress = (
        2,
        lambda completed, wanted: seen.append((completed, wanted)),
    )
    for news in ((1, 8, 8), (2, 1, 8), (2, 1, 8)):
        engine._take(LevelProgressNews(*news))
    assert seen == [(1, 8)]
