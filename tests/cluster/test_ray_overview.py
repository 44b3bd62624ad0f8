"""What a cluster has, for whoever only looks: on a real cluster of three nodes."""

from __future__ import annotations

from typing import Any

import pytest

from autotuner.cluster.overview import node_states
from autotuner.errors import LaunchError


@pytest.mark.slow
def test_nodes_say_what_they_have_and_nothing_joins_the_cluster(cluster: Any) -> None:
    nodes = node_states(cluster.address)
    assert node_states("auto") == nodes
    assert [(n.resources["CPU"], n.resources["GPU"]) for n in nodes] == [(1.0, 2.0)] * 3
    assert all(n.reserved is not None and n.reserved.keys() == n.resources.keys() for n in nodes)


def test_a_cluster_that_is_not_there_is_named_at_once() -> None:
    pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
    with pytest.raises(LaunchError, match="nothing answers at") as refused:
        node_states("127.0.0.1:1")
    assert "ray start --head" in str(refused.value)
