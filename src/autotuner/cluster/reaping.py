"""Ends what a launch has left on its node, whoever started it.

Everything that an engine starts inherits the mark of its launch, so that it is found by a process
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
from autotuner.cluster.messages import MARK
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


def handle_of(mark: str, node: str, address: str) -> EngineHandle:
    """The handle of a launch: its mark, its node and its cluster, separated by spaces."""
    return EngineHandle(KIND, f"{mark} {node} {address}", this_machine().host)


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
    mark, node, address = parts
    if address == LOCAL and handle.host != this_machine().host:
        return Reaped.ELSEWHERE
    # Where its node is this machine, no cluster has to be asked.
    if address == LOCAL or _marked(mark):
        return Reaped.GONE if end_marked(mark) else Reaped.ALIVE
    try:
        if is_connected_to(address):
            return on_cluster(mark, node, address)
        probe(address)
    except LaunchError as error:
        _LOG.debug("%s: %s", handle, error.message)
        return Reaped.ELSEWHERE
    return _in_a_process_of_its_own(mark, node, address)


def on_cluster(mark: str, node: str, address: str) -> Reaped:
    """Ends what is left of a launch on its node, by the cluster.

    Raises:
        LaunchError: the cluster, or its node, does not answer.
    """
    connected(address)
    if node not in {found.id for found in nodes()}:
        return Reaped.GONE
    return _on_node(mark, node)


def end_marked(mark: str) -> bool:
    """Ends all of a launch that runs on this machine; whether nothing is left.

    First the leaders of its sessions are asked, which are the engine's supervisor.
    """
    leaders = set()
    for pid in _marked(mark):
        with contextlib.suppress(OSError):
            leaders.add(os.getsid(pid))
    for leader in leaders:
        end_session(process_of(leader), within_s=_STOP_S)
    return not _marked(mark)


def _marked(mark: str) -> list[int]:
    import psutil

    found = psutil.process_iter(["environ", "status"])
    return [
        process.pid
        for process in found
        if (process.info["environ"] or {}).get(MARK) == mark
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def _on_node(mark: str, node: str) -> Reaped:
    ray = ray_module()
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node, soft=False)
    task: Any = ray.remote(end_marked).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
    try:
        return Reaped.GONE if ray.get(task.remote(mark), timeout=_ASK_S) else Reaped.ALIVE
    except ray.exceptions.RayError as error:
        if node not in {found.id for found in nodes()}:
            return Reaped.GONE
        why = type(error).__name__
        raise LaunchError(
            f"the node of a launch does not answer: {why}", remedy="see whether the node works"
        ) from None


def _in_a_process_of_its_own(mark: str, node: str, address: str) -> Reaped:
    """The same from a process that is connected to no other cluster, and ends in time."""
    command = (sys.executable, "-m", "autotuner.cluster.reaping", mark, node, address)
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
