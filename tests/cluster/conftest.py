"""One Ray cluster for all tests of launches on a cluster: three nodes, all on this machine.

It ends with them: idle, its head takes a quarter of a CPU.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from autotuner.cluster import token

# Whichever test loads Ray first: a reservation that is given back late connects to nothing.
os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
SIZE = {"num_cpus": 1, "num_gpus": 2, "object_store_memory": 80 * 2**20}
"""Of each node; its GPUs are pretended."""
_STARTS = 3


def add_node(cluster: Any, **options: Any) -> None:
    """Starts a node. Ray gives up after half a minute, which a busy machine may need."""
    mode = os.environ.get("RAY_AUTH_MODE", "")
    token.set_mode("token")
    try:
        for attempt in range(_STARTS):
            try:
                cluster.add_node(**SIZE, **options)
                return
            except Exception:  # Ray raises no other
                if attempt == _STARTS - 1:
                    raise
    finally:
        token.set_mode(mode)


@pytest.fixture(scope="package")
def cluster() -> Iterator[Any]:
    """Three nodes with a CPU and two pretended GPUs each; `auto` finds them, and they want a
    token."""
    pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
    from ray.cluster_utils import Cluster

    from autotuner.cluster import connection

    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    found = Cluster()
    add_node(found, include_dashboard=False)
    for _ in range(2):
        add_node(found)
    os.environ["RAY_ADDRESS"] = found.address
    yield found
    del os.environ["RAY_ADDRESS"], os.environ["RAY_AUTH_TOKEN"]
    connection.disconnect()
    found.shutdown()


@pytest.fixture
def another_node(cluster: Any) -> Callable[[], None]:
    """Adds a node to the cluster."""
    return lambda: add_node(cluster)
