"""`/api/docker/`: the containers of a Docker daemon, where there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from fastapi.exceptions import HTTPException
from fastapi.responses import Response

from autotuner.launch.docker_daemon import (
    DockerDaemon,
    DockerRefusedError,
)
from autotuner.launch.docker_failures import DockerUnavailableError
from autotuner.server.v1.routing import json_response, v1_router

router = v1_router("/docker")
T = TypeVar("T")
_SHORT = 12
_MOST_WAIT_S = 300


def daemon_here() -> DockerDaemon:
    """The daemon that Docker's own tools would use."""
    return DockerDaemon.here()


Daemon = Annotated[DockerDaemon, Depends(daemon_here)]
Wait = Annotated[int, Query(ge=0, le=_MOST_WAIT_S)]


@router.get("/containers")
def list_containers(daemon: Daemon, all: bool = True) -> Response:  # noqa: A002 - v1's name
    """Lists containers; the running ones alone without `all`."""
    found = answered(lambda: daemon.containers(stopped=all))
    return json_response([container_document(each) for each in found])


@router.get("/info")
def get_docker_info(daemon: Daemon) -> Response:
    """The daemon itself."""
    found = answered(daemon.info)
    return json_response({key: found.get(name) for key, name in _INFO.items()})


@router.get("/containers/{container_id}")
def get_container(daemon: Daemon, container_id: str) -> Response:
    """A container, by id or name."""
    return json_response(container_document(answered(lambda: daemon.container(container_id))))


@router.get("/containers/{container_id}/logs")
def get_container_logs(
    daemon: Daemon,
    container_id: str,
    tail: Annotated[int, Query(ge=0)] = 1000,
    timestamps: bool = False,
) -> Response:
    """The last lines of a container's output."""
    text = answered(lambda: daemon.logs(container_id, tail=tail, timestamps=timestamps))
    return json_response({"logs": text})


@router.get("/containers/{container_id}/stats")
def get_container_stats(daemon: Daemon, container_id: str) -> Response:
    """A container's use of CPU, memory and network."""
    return json_response(stats_document(answered(lambda: daemon.stats(container_id))))


@router.post("/containers/{container_id}/start")
def start_container(daemon: Daemon, container_id: str) -> Response:
    """Starts a container."""
    answered(lambda: daemon.act(container_id, "start"))
    return json_response({"message": f"Container {container_id} started"})


@router.post("/containers/{container_id}/stop")
def stop_container(daemon: Daemon, container_id: str, timeout: Wait = 10) -> Response:
    """Stops a container, which has `timeout` seconds to end by itself."""
    answered(lambda: daemon.act(container_id, "stop", timeout_s=timeout))
    return json_response({"message": f"Container {container_id} stopped"})


@router.post("/containers/{container_id}/restart")
def restart_container(daemon: Daemon, container_id: str, timeout: Wait = 10) -> Response:
    """Stops a container and starts it again."""
    answered(lambda: daemon.act(container_id, "restart", timeout_s=timeout))
    return json_response({"message": f"Container {container_id} restarted"})


@router.delete("/containers/{container_id}")
def remove_container(daemon: Daemon, container_id: str, force: bool = False) -> Response:
    """Removes a container; a running one only with `force`."""
    answered(lambda: daemon.remove(container_id, force=force))
    return json_response({"message": f"Container {container_id} removed"})


def answered(ask: Callable[[], T]) -> T:
    """The daemon's answer.

    Raises:
        HTTPException: 503, there is no daemon; 400, 404 or 409, it refuses.
    """
    try:
        return ask()
    except DockerUnavailableError as error:
        raise HTTPException(503, error.message) from None
    except DockerRefusedError as error:
        status = error.status if error.status in (400, 404, 409) else 503
        raise HTTPException(status, error.message) from None


def container_document(found: dict[str, Any]) -> dict[str, Any]:
    """A container as the daemon describes it, but for its environment, which may hold secrets."""
    config, state = found.get("Config") or {}, found.get("State") or {}
    return {
        "id": found["Id"],
        "short_id": found["Id"][:_SHORT],
        "name": found.get("Name", "").removeprefix("/"),
        "image": config.get("Image"),
        "status": state.get("Status"),
        "state": state.get("Status"),
        "created": found.get("Created"),
        "started_at": state.get("StartedAt"),
        "finished_at": state.get("FinishedAt"),
        "exit_code": state.get("ExitCode"),
        "command": config.get("Cmd"),
        "labels": config.get("Labels") or {},
        "ports": (found.get("NetworkSettings") or {}).get("Ports") or {},
    }


def stats_document(found: dict[str, Any]) -> dict[str, Any]:
    """Use of CPU and memory, of the daemon's counters; bytes, and percent of one CPU."""
    now, before = found.get("cpu_stats") or {}, found.get("precpu_stats") or {}
    used = _total(now) - _total(before)
    passed = (now.get("system_cpu_usage") or 0) - (before.get("system_cpu_usage") or 0)
    memory = found.get("memory_stats") or {}
    cached = (memory.get("stats") or {}).get("inactive_file", 0)
    usage, limit = max(memory.get("usage", 0) - cached, 0), memory.get("limit", 0)
    networks = (found.get("networks") or {}).values()
    return {
        "cpu_percent": 100 * used / passed * (now.get("online_cpus") or 1) if passed > 0 else 0.0,
        "memory_usage": usage,
        "memory_limit": limit,
        "memory_percent": 100 * usage / limit if limit else 0.0,
        "network_rx_bytes": sum(each.get("rx_bytes", 0) for each in networks),
        "network_tx_bytes": sum(each.get("tx_bytes", 0) for each in networks),
    }


def _total(counters: dict[str, Any]) -> int:
    return int((counters.get("cpu_usage") or {}).get("total_usage") or 0)


_INFO = {
    "containers": "Containers",
    "containers_running": "ContainersRunning",
    "containers_paused": "ContainersPaused",
    "containers_stopped": "ContainersStopped",
    "images": "Images",
    "server_version": "ServerVersion",
    "storage_driver": "Driver",
    "operating_system": "OperatingSystem",
    "architecture": "Architecture",
    "cpus": "NCPU",
    "memory_total": "MemTotal",
}
"""Key of the answer -> the daemon's."""
