"""The connection of this process to a Ray cluster, and the capacity of the cluster.

Ray connects a process to one cluster at a time.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from autotuner.cluster.token import ASKED, mode_wanted, set_mode
from autotuner.config import RayConfig
from autotuner.config.extensions import LAUNCHERS
from autotuner.errors import LaunchError
from autotuner.launch.protocol import ClusterCapacity

NAMESPACE = "autotuner"
"""Of our actors in a cluster."""
LOCAL = "local"
AUTO = RayConfig().address
CLIENT = "ray://"
"""Beginning of the address of a Ray Client server."""
_CLIENT_NOT_READY = "Initialization failure from server"
"""A Ray Client server says so where the process that it starts for a client is late."""
_TRIES = 2
_PROBE_S = 5.0
_ANSWER_S = 15.0
_OBJECTS_BYTES = 100 * 2**20
"""For objects of a cluster of one machine: launches send none that is large."""
_START = "start a cluster (`ray start --head`), name another in ray.address, or say local"
_LOCK = threading.RLock()
_VARIABLES = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # A call without a connection, as by a thread at the end of the process, starts no cluster.
    "RAY_ENABLE_AUTO_CONNECT": "0",
}


@dataclass(frozen=True)
class ClusterConnection:
    """A connection of this process.

    Attributes:
        asked: the address that was asked for.
        address: one by which another machine finds the cluster; `local` where none does.
        pid: of the process: one that is forked has no connection.
        is_over: lets the thread end that made it.
    """

    asked: str
    address: str
    pid: int
    is_over: threading.Event


_now: ClusterConnection | None = None


def connected(address: str) -> ClusterConnection:
    """The connection to a cluster; made where there is none.

    Raises:
        LaunchError: no cluster answers there, it is of another version, or this process is
            connected to another one.
    """
    global _now
    ray = ray_module()
    with _LOCK:
        if is_connected_to(address):
            assert _now is not None  # noqa: S101
            return _now
        mode = probe(address)
        if _now is not None and _now.pid == os.getpid():
            disconnect()
        set_mode(mode)
        _be_quiet()
        is_over = threading.Event()
        for _ in range(_TRIES):
            error = _refused_in_a_thread(lambda: _connect(ray, address), is_over)
            if error is None or _CLIENT_NOT_READY not in str(error):
                break
        if error is not None:
            raise _refusal(address, error) from None
        found = address
        if address != LOCAL and not address.startswith(CLIENT):
            found = ray.get_runtime_context().gcs_address
        _now = ClusterConnection(address, found, os.getpid(), is_over)
        return _now


def is_connected_to(address: str) -> bool:
    """Whether this process uses that cluster now."""
    ray = ray_module()
    return (
        _now is not None
        and _now.pid == os.getpid()
        and ray.is_initialized()
        and address in (_now.asked, _now.address)
    )


def disconnect() -> None:
    """Ends the connection of this process; a cluster of this machine alone ends with it."""
    global _now
    with _LOCK:
        ended, _now = _now, None
        ray_module().shutdown()
        if ended is not None:
            ended.is_over.set()


def ray_module() -> Any:
    """Ray, loaded when it is first used.

    Raises:
        LaunchError: it is not installed.
    """
    for name, value in _VARIABLES.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise LaunchError(
            "the launcher 'ray' is not installed here", remedy=LAUNCHERS.remedy("ray")
        ) from None
    return ray


@dataclass(frozen=True)
class Node:
    """A node that lives: its id, its host, and all that it has, by Ray's names."""

    id: str
    host: str
    resources: dict[str, float]


def nodes() -> tuple[Node, ...]:
    """The nodes of the connected cluster that live."""
    ray = ray_module()
    return tuple(
        Node(found["NodeID"], found["NodeManagerHostname"], found["Resources"])
        for found in ray.nodes()
        if found["Alive"]
    )


def demand(
    config: RayConfig, gpus: int, there: Sequence[Node], node_count: int = 1
) -> dict[str, float]:
    """Resources that a launch reserves on its node, or on each of them, by Ray's names.

    Args:
        node_count: nodes that share its GPUs.

    Raises:
        LaunchError: no node has so much, or too few have, whoever else uses the cluster.
    """
    wanted = {"GPU": float(gpus // node_count)} if gpus else {}
    wanted |= config.resources
    if config.cpus is not None:
        wanted["CPU"] = config.cpus
    elif not gpus:
        # The largest has it alone: smaller ones would measure other figures.
        fitting = [node.resources.get("CPU", 0.0) for node in there if _has(node, wanted)]
        wanted["CPU"] = max(fitting, default=0.0) or 1.0
    fitting_nodes = sum(_has(node, wanted) for node in there)
    if fitting_nodes < node_count:
        raise _too_little(wanted, there, node_count, fitting_nodes)
    return wanted


def _too_little(
    wanted: dict[str, float], there: Sequence[Node], node_count: int, fitting: int
) -> LaunchError:
    needed = ", ".join(_amount(name, most) for name, most in wanted.items())
    if node_count > 1:
        return LaunchError(
            f"a launch needs {node_count} nodes with {needed} each, and the Ray cluster has "
            f"{fitting}",
            remedy="add such nodes, lower the widths (parallel), or say how many GPUs a node has "
            "in ray.gpus_per_node",
        )
    for name, most in wanted.items():
        largest = max((node.resources.get(name, 0.0) for node in there), default=0.0)
        if largest < most:
            spreading = f", or say ray.gpus_per_node: {largest:g} to take several nodes"
            return LaunchError(
                f"a launch needs {_amount(name, most)} of one node, and no node of the Ray "
                f"cluster has more than {largest:g}",
                remedy="add such a node, or leave out what needs it (parallel, system, ray)"
                + (spreading if name == "GPU" and largest else ""),
            )
    return LaunchError(
        f"no node of the Ray cluster has {needed} together",
        remedy="add such a node, or lower ray.cpus or ray.resources",
    )


@contextmanager
def connection(config: RayConfig) -> Iterator[ClusterCapacity]:
    """A connection of this process to a cluster, with the capacity of that; leaving the block ends
    it, also one that a launch has made anew meanwhile.

    Raises:
        LaunchError: as `connected`.
    """
    connected(config.address)
    try:
        yield capacity(config)
    finally:
        disconnect()


def capacity(config: RayConfig) -> ClusterCapacity:
    """The capacity of the connected cluster, as if nobody else used it.

    Raises:
        LaunchError: no node could ever take a launch.
    """
    there = nodes()
    fitting = [node for node in there if _has(node, config.resources)]
    gpus = tuple(int(node.resources.get("GPU", 0.0)) for node in fitting)
    if any(gpus) and not any(node.resources.get("CPU") for node in fitting):
        return ClusterCapacity(gpus, 0)  # nodes that are given to launches on GPUs alone
    on_cpu = demand(config, 0, there)
    return ClusterCapacity(
        gpus, sum(int(node.resources.get("CPU", 0.0) // on_cpu["CPU"]) for node in fitting)
    )


def _has(node: Node, wanted: dict[str, float]) -> bool:
    return all(node.resources.get(name, 0.0) >= most for name, most in wanted.items())


def _amount(name: str, most: float) -> str:
    return f"{most:g} {name}{'s' if most != 1 and name.isupper() else ''}"


def _connect(ray: Any, address: str) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    if address == LOCAL:
        ray.init(
            address=LOCAL,
            namespace=NAMESPACE,
            include_dashboard=False,
            object_store_memory=_OBJECTS_BYTES,
            **quiet,
        )
    else:
        ray.init(address=address, namespace=NAMESPACE, **quiet)


def probe(address: str) -> str:
    """Asks whether a cluster listens, and whether it wants a token: the mode in which Ray can use
    it. Ray itself waits for minutes, and then ends the process.

    Raises:
        LaunchError: none does, or something else, or it wants a token that is not here.
    """
    if address == AUTO:
        address = head_here() or address
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if not host:
        return ASKED
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_S).close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise LaunchError(
            f"ray.address: nothing answers at {address}: {why}", remedy=_START
        ) from None
    if not _speaks_grpc(f"{host}:{port}"):
        raise LaunchError(
            f"ray.address: what answers at {address} is no Ray cluster, or a busy one",
            remedy=_START,
        )
    return mode_wanted(address, f"{host}:{port}", by_client=address.startswith(CLIENT))


def head_here() -> str | None:
    """The address that `auto` means; None where no cluster runs on this machine."""
    from ray._private.utils import read_ray_address

    found = os.environ.get("RAY_ADDRESS") or read_ray_address()
    return None if found in (None, "", AUTO) else str(found)


def _speaks_grpc(target: str) -> bool:
    """Whether somebody there speaks Ray's protocol within some seconds."""
    if os.environ.get("RAY_USE_TLS", "0") == "1":
        return True  # by certificates that Ray alone reads
    try:
        grpc: Any = importlib.import_module("grpc")
    except ImportError:
        return True
    channel = grpc.insecure_channel(target, options=(("grpc.enable_http_proxy", 0),))
    try:
        grpc.channel_ready_future(channel).result(timeout=_ANSWER_S)
    except grpc.FutureTimeoutError:
        return False
    finally:
        channel.close()
    return True


def _refused_in_a_thread(
    connect: Callable[[], None], is_over: threading.Event
) -> BaseException | None:
    """The exception of `connect` in a thread of its own, where Ray takes no signals for itself:
    those that come meanwhile are met by this process's own handlers, and are no refusal.

    Args:
        is_over: ends the thread: processes of a cluster of this machine alone end with it.
    """
    raised: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            connect()
        except BaseException as error:
            raised.append(error)
        done.set()
        if not raised:
            is_over.wait()

    threading.Thread(target=work, name="connect to Ray", daemon=True).start()
    done.wait()
    return raised[0] if raised else None


def _refusal(address: str, error: BaseException) -> LaunchError:
    text = " ".join(str(error).split()) or type(error).__name__
    if "version" in text.lower():
        return LaunchError(
            f"ray.address: the cluster at {address} has another version of Ray or Python: {text}",
            remedy="install the versions of the cluster here, or these on every node",
        )
    if "could not find any running ray instance" in text.lower():
        text = "no cluster runs on this machine"
    return LaunchError(f"ray.address: {address}: {text}", remedy=_START)


def _be_quiet() -> None:
    """Keeps Ray from writing among what this process writes."""
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    # Its news of the cluster would go to standard output, among the command's own answer.
    with suppress(ImportError, AttributeError):
        import ray._private.worker as driver

        driver.print_to_stdstream = lambda *_, **__: None
