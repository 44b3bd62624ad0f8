"""Nodes of a Ray cluster, and what is reserved of them, for whoever only looks.

A process of its own asks, for Ray waits long for a cluster that does not answer, may end its
process, and connects to one cluster alone. It reads the head's tables and joins nothing, so that it
needs to be no node itself; a Ray Client server answers to clients only.
"""

from __future__ import annotations

import importlib
import ipaddress
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from autotuner.cluster.connection import (
    AUTO,
    CLIENT,
    LOCAL,
    connected,
    head_here,
    probe,
    ray_module,
)
from autotuner.cluster.token import set_mode, users_environment
from autotuner.config.extensions import LAUNCHERS
from autotuner.errors import LaunchError

_ANSWER_S = 40.0
_GIB = 2**30
_OF_RAY_ITSELF = ("node:", "object_store_memory")
_OF_GROUPS = "_group_"
_MEMORY = "memory"


@dataclass(frozen=True)
class NodeState:
    """A node that lives.

    Attributes:
        resources: all that it has, by Ray's names; memory in GiB.
        reserved: what launches and others have taken of it; None where that is not known.
    """

    host: str
    resources: dict[str, float]
    reserved: dict[str, float] | None


def names_a_cluster(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the operator says which cluster `auto` means."""
    return bool(environment.get("RAY_ADDRESS"))


def had_a_cluster(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether one was started on this machine, which may have ended; Ray itself is not loaded."""
    folder = Path(environment.get("RAY_TMPDIR") or tempfile.gettempdir())
    return (folder / "ray" / "ray_current_cluster").exists()


def is_of_each_machine(address: str) -> bool:
    """Whether an address means another cluster on each machine, as `auto` does."""
    if address in (AUTO, LOCAL):
        return True
    host = urlsplit(f"//{address.removeprefix(CLIENT)}").hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def node_states(address: str) -> tuple[NodeState, ...]:
    """The nodes of a cluster; takes some seconds.

    Raises:
        LaunchError: Ray is not installed, or no cluster answers there.
    """
    LAUNCHERS.load("ray")
    command = (sys.executable, "-m", "autotuner.cluster.overview", address)
    remedy = "see that its head runs, and that this machine can reach it"
    try:
        found = subprocess.run(
            command, capture_output=True, text=True, timeout=_ANSWER_S, env=users_environment()
        )
        answer = json.loads(found.stdout.splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        raise LaunchError(
            f"the Ray cluster at {address} does not say what it has", remedy=remedy
        ) from None
    if "message" in answer:
        raise LaunchError(answer["message"], remedy=answer["remedy"])
    return tuple(NodeState(**node) for node in answer["nodes"])


def _asked(address: str) -> tuple[NodeState, ...]:
    ray = ray_module()
    if address.startswith(CLIENT):
        connected(address)
        found, available = ray.nodes(), None
    else:
        found, available = _tables(_head(address))
    living = (node for node in found if node["Alive"])
    return tuple(sorted((_state(one, available) for one in living), key=lambda one: one.host))


def _head(address: str) -> str:
    """The head's own address.

    Raises:
        LaunchError: nothing answers there.
    """
    found = head_here() if address == AUTO else address
    if found is None:
        raise LaunchError(
            "no Ray cluster runs on this machine",
            remedy="start one (`ray start --head`), or name one in a task's ray.address",
        )
    set_mode(probe(found))
    return found


def _tables(head: str) -> tuple[list[dict[str, Any]], dict[str, dict[str, float]]]:
    """Nodes, and what is free of each, by its id."""
    state_module: Any = importlib.import_module("ray._private.state")
    raylet: Any = importlib.import_module("ray._raylet")
    state = state_module.GlobalState()
    state._initialize_global_state(
        raylet.GcsClientOptions.create(
            head, None, allow_cluster_id_nil=True, fetch_cluster_id_if_nil=True
        )
    )
    return state.node_table(), state.available_resources_per_node()


def _state(node: dict[str, Any], available: Mapping[str, Mapping[str, float]] | None) -> NodeState:
    has = _own(node["Resources"])
    if available is None:
        return NodeState(node["NodeManagerHostname"], has, None)
    free = _own(available.get(node["NodeID"], {}))
    reserved = {name: round(most - free.get(name, 0.0), 3) for name, most in has.items()}
    return NodeState(node["NodeManagerHostname"], has, reserved)


def _own(resources: Mapping[str, float]) -> dict[str, float]:
    """Without what Ray keeps for itself and for placement groups."""
    return {
        name: round(value / _GIB if name == _MEMORY else value, 3)
        for name, value in sorted(resources.items())
        if not name.startswith(_OF_RAY_ITSELF) and _OF_GROUPS not in name
    }


if __name__ == "__main__":
    signal.alarm(int(_ANSWER_S) + 1)  # whoever asked may have ended meanwhile
    try:
        print(json.dumps({"nodes": [asdict(node) for node in _asked(sys.argv[1])]}))
    except LaunchError as refused:
        print(json.dumps({"message": refused.message, "remedy": refused.remedy}))
    except Exception as error:  # Ray's own, of any kind
        text = " ".join(str(error).split())[:300] or type(error).__name__
        message = f"the Ray cluster at {sys.argv[1]} does not say what it has: {text}"
        print(json.dumps({"message": message, "remedy": "see its head's log"}))
