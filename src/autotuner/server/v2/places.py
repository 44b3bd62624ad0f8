"""`/system/places`: containers that run for tasks, and nodes of their Ray clusters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.cluster.connection import AUTO, LOCAL
from autotuner.cluster.overview import NodeState, had_a_cluster, names_a_cluster, node_states
from autotuner.config import RayConfig
from autotuner.errors import LaunchError
from autotuner.launch.container_spec import LABEL
from autotuner.launch.docker import KIND, container_of
from autotuner.launch.docker_daemon import DockerDaemon
from autotuner.server.service import Service
from autotuner.server.v2.routing import ServiceDep, View, json_response, v2_router
from autotuner.store.workers import KeptHandle

router = v2_router("/system", "system")
_RAY = "ray"
_DAEMON = "daemon"


class ContainerView(View):
    """A container that was started for a task."""

    name: str
    image: str | None
    """Null where its daemon is not asked."""
    task_id: int | None
    """Null where it is of another installation, which has tasks of its own."""
    host: str | None
    """Machine of its daemon where that is not the one asked; null otherwise."""
    state: str | None
    """As the daemon says it: `created`, `running`, `exited`; null where it is not asked."""
    created_at: datetime


class ContainersView(View):
    """Containers of the daemon that the service reaches, and of other daemons as workers have
    recorded them."""

    daemon: str
    """Address of the daemon that is asked."""
    problem: str
    """Reason why it does not answer; empty where it does."""
    remedy: str
    items: list[ContainerView]


class NodeResourceView(View):
    """A resource of a node."""

    name: str
    """By Ray's name; `memory` is in GiB."""
    total: float
    reserved: float | None
    """Amount taken by launches and by others; null where that is not known."""


class NodeView(View):
    """A node of a Ray cluster."""

    host: str
    resources: list[NodeResourceView]


class ClusterView(View):
    """A Ray cluster that running tasks use, or that the service's machine names."""

    address: str
    """As `ray.address` of its tasks has it."""
    task_ids: list[int]
    """Running tasks that launch on it."""
    problem: str
    """Reason why its nodes are not known; empty where they are."""
    remedy: str
    nodes: list[NodeView]


class PlacesView(View):
    """Places outside this machine's processes where engines run now."""

    containers: ContainersView
    clusters: list[ClusterView]


PLACES: TypeAdapter[PlacesView] = TypeAdapter(PlacesView)


@router.get("/places", response_model=PlacesView)
def list_places(service: ServiceDep) -> Response:
    """Lists containers of tasks, and nodes of Ray clusters with what is reserved of them.

    A daemon is asked every few seconds at the most, and a cluster every minute, however many ask.
    """
    engines = service.store.workers.engines()
    found = [_cluster(service, *one) for one in _clusters_in_use(service).items()]
    # One that was started here once, and that nobody uses or names, may have ended since.
    clusters = [c for c in found if not c["problem"] or c["task_ids"] or names_a_cluster()]
    return json_response(
        PLACES, {"containers": _containers(service, engines), "clusters": clusters}
    )


def _containers(service: Service, engines: Sequence[KeptHandle]) -> dict[str, Any]:
    daemon = DockerDaemon.here()
    ours = {container_of(one.handle): one for one in engines if one.handle.kind == KIND}
    asked = service.containers.get(_DAEMON, lambda: _containers_or_why(daemon))
    why = asked if isinstance(asked, LaunchError) else None
    here = [] if isinstance(asked, LaunchError) else [_container(one, ours) for one in asked]
    seen = {one["name"] for one in here}
    elsewhere = [_elsewhere(name, one) for name, one in ours.items() if name not in seen]
    items = sorted([*here, *elsewhere], key=lambda one: str(one["created_at"]))
    return {
        "daemon": daemon.address,
        "problem": "" if why is None else why.message,
        "remedy": "" if why is None else why.remedy or "",
        "items": items,
    }


def _containers_or_why(daemon: DockerDaemon) -> list[dict[str, Any]] | LaunchError:
    try:
        return daemon.containers(stopped=True, label=LABEL)
    except LaunchError as error:
        return error


def _container(found: dict[str, Any], ours: dict[str, KeptHandle]) -> dict[str, Any]:
    name = found.get("Name", "").removeprefix("/")
    kept = ours.get(name)
    return {
        "name": name,
        "image": (found.get("Config") or {}).get("Image"),
        "task_id": None if kept is None else kept.task_id,
        "host": None,
        "state": (found.get("State") or {}).get("Status"),
        "created_at": found.get("Created"),
    }


def _elsewhere(name: str, kept: KeptHandle) -> dict[str, Any]:
    return {
        "name": name,
        "image": None,
        "task_id": kept.task_id,
        "host": kept.handle.host,
        "state": None,
        "created_at": kept.started_at,
    }


def _clusters_in_use(service: Service) -> dict[str, list[int]]:
    """Address -> running tasks; `auto` too where this machine names a cluster."""
    found: dict[str, list[int]] = {AUTO: []} if names_a_cluster() or had_a_cluster() else {}
    for task in service.store.tasks.running():
        if task.config.get("deployment_mode") == _RAY:
            address = (task.config.get(_RAY) or {}).get("address", RayConfig().address)
            found.setdefault(address, []).append(task.id)
    return found


def _cluster(service: Service, address: str, task_ids: list[int]) -> dict[str, Any]:
    document = {"address": address, "task_ids": task_ids, "problem": "", "remedy": "", "nodes": []}
    if address == LOCAL:
        return document | {
            "problem": "a cluster of the worker's machine alone, which ends with the task",
            "remedy": "nothing: its one node is that machine",
        }
    nodes = service.clusters.get(address, lambda: _nodes_or_why(address))
    if isinstance(nodes, LaunchError):
        return document | {"problem": nodes.message, "remedy": nodes.remedy or ""}
    return document | {"nodes": list(_node_documents(nodes))}


def _nodes_or_why(address: str) -> tuple[NodeState, ...] | LaunchError:
    try:
        return node_states(address)
    except LaunchError as error:
        return error


def _node_documents(nodes: Iterable[NodeState]) -> Iterable[dict[str, Any]]:
    for node in nodes:
        reserved = node.reserved
        yield {
            "host": node.host,
            "resources": [
                {
                    "name": name,
                    "total": total,
                    "reserved": None if reserved is None else reserved.get(name, 0.0),
                }
                for name, total in node.resources.items()
            ],
        }
