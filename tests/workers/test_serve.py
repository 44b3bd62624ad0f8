"""`autotuner serve` as the real process: it answers, and its worker lives and ends with it."""

from __future__ import annotations

import http.client
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import ONE, WAIT_S, Shop, shop_at, wait_for

from autotuner.testing.processes import processes


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with shop_at(tmp_path, None) as made:
        yield made


def port_of(shop: Shop) -> int:
    written = wait_for(
        lambda: re.search(r"serves on http://127\.0\.0\.1:(\d+)", shop.logs()), "a port"
    )
    return int(written[1])


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)]
)
@pytest.mark.slow
def test_a_service_answers_runs_tasks_and_takes_its_worker_along(
    number: signal.Signals, shop: Shop
) -> None:
    task = shop.task(**ONE)
    service = shop.start("serve", "--port", "0", "--devices", "cpu")
    connection = http.client.HTTPConnection("127.0.0.1", port_of(shop), timeout=WAIT_S)
    connection.request("GET", f"/api/v2/tasks/{task.id}")
    assert connection.getresponse().status == 200
    connection.close()
    ui = f"the web UI is at http://127.0.0.1:{port_of(shop)}/"
    wait_for(lambda: re.search(f"{ui}|the web UI is not built here", shop.logs()), "the UI's line")
    shop.wait_until(task, "completed")
    service.send_signal(number)
    code = service.wait(timeout=WAIT_S)
    assert code == (0 if number is signal.SIGTERM else -number), shop.logs()
    wait_for(lambda: not processes(shop.mark), f"nothing left, not {processes(shop.mark)}")


def test_a_port_that_is_taken_is_refused(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert shop.start("serve", "--port", port).wait(timeout=WAIT_S) == 2
    assert f"port {port}" in shop.logs()
    assert "Traceback" not in shop.logs()
