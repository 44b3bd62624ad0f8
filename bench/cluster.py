"""Launches a minute on three nodes of a Ray cluster against one: 2.6 times as many or more.

All nodes are on this machine, so the engine is the fake, which mostly waits: it takes some seconds
to be ready, and serves for some.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from autotuner.cluster import connection
from autotuner.cluster.launcher import RayLauncher
from autotuner.config import RayConfig
from autotuner.engines import HOST, PORT, LaunchSpec
from autotuner.errors import LaunchError

LEAST = 2.6
NODES = 3
LAUNCHES = 4
"""On each node, after a first one."""
READY_S, SERVES_S = 4.0, 4.0
_SIZE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
_BOUND = ("-m", "autotuner.testing.fake_engine", "--host", HOST, "--port", PORT)
SPEC = LaunchSpec("llamacpp", (sys.executable, *_BOUND, f"--load-delay-s={READY_S}"), "fake")


async def per_minute(launcher: RayLauncher, nodes: int, folder: Path) -> float:
    """Launches a minute with as many at once as there are nodes."""
    left = iter(range(nodes * (LAUNCHES + 1)))
    ended: list[float] = []

    async def one_after_the_other() -> None:
        for number in left:
            launch = launcher.launch(
                SPEC, (), log_path=folder / f"{number}.log", ready_timeout_s=120
            )
            async with await launch:
                await asyncio.sleep(SERVES_S)
            ended.append(time.monotonic())

    await asyncio.gather(*(one_after_the_other() for _ in range(nodes)))
    return 60 * nodes * LAUNCHES / (ended[-1] - ended[nodes - 1])


def main() -> int:
    """Prints both figures; 1 where three nodes are too slow."""
    try:
        connection.ray_module()
    except LaunchError as error:
        print(f"left out: {error.message}; {error.remedy}")
        return 0
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(
        initialize_head=True, head_node_args={**_SIZE, "include_dashboard": False}
    )
    found = []
    try:
        for nodes in (1, NODES):
            while len(cluster.list_all_nodes()) < nodes:
                cluster.add_node(**_SIZE)
            launcher = RayLauncher(RayConfig(address=cluster.address), environment=os.environ)
            with tempfile.TemporaryDirectory() as folder:
                found.append(asyncio.run(per_minute(launcher, nodes, Path(folder))))
            connection.disconnect()
    finally:
        cluster.shutdown()
    one, three = found
    print(
        f"cluster: {one:.1f} launches a minute on one node, {three:.1f} on {NODES}: "
        f"{three / one:.2f} times (at least {LEAST})"
    )
    return int(three / one < LEAST)


if __name__ == "__main__":
    sys.exit(main())
