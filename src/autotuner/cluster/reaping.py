"""Ends what a launch has left on its node, whoever started it.

Everything that an engine starts inherits the id of its launch, so that it is found by a process
that never launched anything, also where it has left the engine's session.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from typing import Any

from autotuner.cluster.connection import (
    LOCAL,
    connected,
    is_connected_to,
    nodes,
    probe,
    ray_module,
)
from autotuner.cluster.messages import LAUNCH_ID
from autotuner.cluster.token import users_environment
from autotuner.errors import LaunchError
from autotuner.launch.processes import end_session, process_of, this_machine
from autotuner.launch.protocol import EngineHandle, Reaped

KIND = "ray"
"""Its name among the deployment modes."""
_STOP_S = 10.0
_ASK_S = 40.0
_PROCESS_S = 90.0
_LOG = logging.getLogger(__name__)


def handle_of(launch_id: str, node: str, address: str) -> EngineHandle:
    """The handle of a launch: its id, its node and its cluster, separated by spaces."""
    return EngineHandle(KIND, f"{launch_id} {node} {address}", this_machine().host)


def reap(handle: EngineHandle) -> Reaped:
    """Ends what is left of a launch; see `Launcher.reap`.

    A node that has left its cluster has taken its engines along. A launch of a cluster that does
    not answer is another machine's: it holds no devices of this one, and ends with its owner.

    Raises:
        LaunchError: the handle is not one of this launcher's.
    """
    parts = handle.id.split(" ")
    if handle.kind != KIND or len(parts) != 3:
        raise LaunchError(f"{handle}: that is no handle of the launcher {KIND!r}")
    launch_id, node, address = parts
    if address == LOCAL and handle.host != this_machine().host:
        return Reaped.ELSEWHERE
    # Where its node is this machine, no cluster has to be asked.
    if address == LOCAL or _processes_of(launch_id):
        return Reaped.GONE if end_launch(launch_id) else Reaped.ALIVE
    try:
        if is_connected_to(address):
            return on_cluster(launch_id, node, address)
        probe(address)
    except LaunchError as error:
        _LOG.debug("%s: %s", handle, error.message)
        return Reaped.ELSEWHERE
    return _in_a_process_of_its_own(launch_id, node, address)


def on_cluster(launch_id: str, node: str, address: str) -> Reaped:
    """Ends what is left of a launch on its node, by the cluster.

    Raises:
        LaunchError: the cluster, or its node, does not answer.
    """
    connected(address)
    if node not in {found.id for found in nodes()}:
        return Reaped.GONE
    return _on_node(launch_id, node)


def end_launch(launch_id: str) -> bool:
    """Ends all of a launch that runs on this machine; whether nothing is left.

    First the leaders of its sessions are asked, which are the engine's supervisor.
    """
    leaders = set()
    for pid in _processes_of(launch_id):
        with contextlib.suppress(OSError):
            leaders.add(os.getsid(pid))
    for leader in leaders:
        end_session(process_of(leader), within_s=_STOP_S)
    return not _processes_of(launch_id)


def _processes_of(launch_id: str) -> list[int]:
    import psutil

    found = psutil.process_iter(["environ", "status"])
    return [
        process.pid
        for process in found
        if (process.info["environ"] or {}).get(LAUNCH_ID) == launch_id
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def _on_node(launch_id: str, node: str) -> Reaped:
    ray = ray_module()
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node, soft=False)
    task: Any = ray.remote(end_launch).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
    try:
        return Reaped.GONE if ray.get(task.remote(launch_id), timeout=_ASK_S) else Reaped.ALIVE
    except ray.exceptions.RayError as error:
        if node not in {found.id for found in nodes()}:
            return Reaped.GONE
        why = type(error).__name__
        raise LaunchError(
            f"the node of a launch does not answer: {why}", remedy="see whether the node works"
        ) from None


def _in_a_process_of_its_own(launch_id: str, node: str, address: str) -> Reaped:
    """The same from a process that is connected to no other cluster, and ends in time."""
    command = (sys.executable, "-m", "autotuner.cluster.reaping", launch_id, node, address)
    try:
        found = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_PROCESS_S,
            check=True,
            env=users_environment(),
        )
        return Reaped(found.stdout.split()[-1])
    except (OSError, subprocess.SubprocessError, IndexError, ValueError) as error:
        _LOG.debug("a launch of the cluster at %s cannot be asked for: %s", address, error)
        return Reaped.ELSEWHERE


if __name__ == "__main__":
    try:
        print(on_cluster(*sys.argv[1:4]))
    except LaunchError as refused:
        sys.exit(refused.message)
