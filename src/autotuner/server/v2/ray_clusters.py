"""`/system/ray-clusters`: nodes of the Ray clusters that tasks use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.cluster.connection import AUTO, LOCAL
from autotuner.cluster.overview import (
    NodeState,
    had_a_cluster,
    is_of_each_machine,
    names_a_cluster,
    node_states,
)
from autotuner.config import RayConfig
from autotuner.errors import LaunchError
from autotuner.launch.processes import this_machine
from autotuner.server.kept_answers import NoAnswerYetError
from autotuner.server.service import Service
from autotuner.server.v2.routing import ServiceDep, View, json_response, v2_router
from autotuner.store import TaskRecord

router = v2_router("/system", "system")
_RAY = "ray"


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
    host: str | None
    """Machine on which the address counts, as `auto` does, where that is not the service's; null
    otherwise."""
    task_ids: list[int]
    """Running tasks that launch on it."""
    problem: str
    """Reason why its nodes are not known, or no longer; empty where they are."""
    remedy: str
    nodes: list[NodeView]


class ClusterList(View):
    """Ray clusters that are in use."""

    items: list[ClusterView]


CLUSTER_LIST: TypeAdapter[ClusterList] = TypeAdapter(ClusterList)


class _Cluster(NamedTuple):
    address: str
    host: str | None


@router.get("/ray-clusters", response_model=ClusterList)
def list_ray_clusters(service: ServiceDep) -> Response:
    """Lists nodes of Ray clusters, and what is reserved of them.

    A cluster is asked every minute at the most, however many ask. One that hangs is not waited for:
    its last nodes are answered, with a `problem` that says how old they are.
    """
    in_use = _clusters_in_use(service)
    for cluster in in_use:
        if _is_asked(cluster):
            service.clusters.begin(cluster.address, _question(cluster.address))
    found = [_document(service, *one) for one in in_use.items()]
    # One that was started here once, and that nobody uses or names, may have ended since.
    items = [c for c in found if not c["problem"] or c["task_ids"] or names_a_cluster()]
    return json_response(CLUSTER_LIST, {"items": items})


def _clusters_in_use(service: Service) -> dict[_Cluster, list[int]]:
    """Cluster -> running tasks; `auto` too where this machine names a cluster."""
    is_here = names_a_cluster() or had_a_cluster()
    found: dict[_Cluster, list[int]] = {_Cluster(AUTO, None): []} if is_here else {}
    for task in service.store.tasks.running():
        if task.config.get("deployment_mode") == _RAY:
            address = (task.config.get(_RAY) or {}).get("address", RayConfig().address)
            host = _host_elsewhere(service, task) if is_of_each_machine(address) else None
            found.setdefault(_Cluster(address, host), []).append(task.id)
    return found


def _host_elsewhere(service: Service, task: TaskRecord) -> str | None:
    """Machine of the worker that runs a task; None where that is the service's."""
    worker = service.store.workers.get(task.worker)
    return None if worker is None or worker.host == this_machine().host else worker.host


def _is_asked(cluster: _Cluster) -> bool:
    return cluster.host is None and cluster.address != LOCAL


def _question(address: str) -> Any:
    return lambda: node_states(address)


def _document(service: Service, cluster: _Cluster, task_ids: list[int]) -> dict[str, Any]:
    nodes, problem, remedy = _nodes(service, cluster)
    return {
        **cluster._asdict(),
        "task_ids": task_ids,
        "problem": problem,
        "remedy": remedy,
        "nodes": list(_node_documents(nodes)),
    }


def _nodes(service: Service, cluster: _Cluster) -> tuple[tuple[NodeState, ...], str, str]:
    """The nodes that are known of a cluster, why no newer ones are, and what to do."""
    address, host = cluster
    if address == LOCAL:
        why = "a cluster of the worker's machine alone, which ends with the task"
        return (), why, "nothing: its one node is that machine"
    if host is not None:
        return (), f"the cluster of {host}, which is not asked from here", f"`ray status` on {host}"
    silent = f"the Ray cluster at {address} does not answer yet"
    remedy = "where it goes on, see that its head runs, and that this machine can reach it"
    try:
        kept = service.clusters.get(address, _question(address))
    except NoAnswerYetError:
        return (), silent, remedy
    except LaunchError as error:
        return (), error.message, error.remedy
    if kept.is_overdue:
        return kept.value, f"{silent}; this is as of {kept.age_s:.0f} s ago", remedy
    return kept.value, "", ""


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
