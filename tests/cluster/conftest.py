"""One Ray cluster for all tests of launches on a cluster: three nodes, all on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

OBJECTS_BYTES = 80 * 2**20
GPUS = 2
"""Pretended ones of each node."""


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """Three nodes with a CPU and two pretended GPUs each; `auto` finds them."""
    pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
    from ray.cluster_utils import Cluster

    from autotuner.cluster import connection

    size = {"num_cpus": 1, "num_gpus": GPUS, "object_store_memory": OBJECTS_BYTES}
    found = Cluster(initialize_head=True, head_node_args={**size, "include_dashboard": False})
    for _ in range(2):
        found.add_node(**size)
    os.environ["RAY_ADDRESS"] = found.address
    yield found
    del os.environ["RAY_ADDRESS"]
    connection.disconnect()
    found.shutdown()
