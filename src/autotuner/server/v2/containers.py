"""`/system/containers`: containers that run for tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.errors import LaunchError
from autotuner.launch.container_spec import LABEL
from autotuner.launch.docker import KIND, container_of
from autotuner.launch.docker_daemon import LOOK_S, DockerDaemon
from autotuner.launch.processes import this_machine
from autotuner.server.kept_answers import AgedAnswer, NoAnswerYetError
from autotuner.server.service import ListedContainers, Service
from autotuner.server.v2.routing import ServiceDep, View, json_response, v2_router
from autotuner.store.workers import KeptHandle

router = v2_router("/system", "system")
_HANGS = "where it goes on, see the daemon's log (`journalctl -u docker`), or restart it"


class ContainerView(View):
    """A container that was started for a task."""

    name: str
    image: str | None
    """Null where its daemon was not asked, or does not answer."""
    task_id: int | None
    """Null where it is of another installation, which has tasks of its own."""
    host: str | None
    """Machine of the worker that started it by another daemon than the one asked; null where it is
    of that one."""
    state: str | None
    """As the daemon says it: `created`, `running`, `exited`; null where the image is."""
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


CONTAINERS: TypeAdapter[ContainersView] = TypeAdapter(ContainersView)


class _Answer(NamedTuple):
    """The last list of the daemon, if any, and why there is none, or no newer one."""

    listed: ListedContainers | None
    problem: str = ""
    remedy: str = ""


@router.get("/containers", response_model=ContainersView)
def list_containers(service: ServiceDep) -> Response:
    """Lists containers of tasks.

    The daemon is asked every few seconds at the most, however many ask. One that hangs is not
    waited for: the last list is answered, with a `problem` that says how old it is.
    """
    daemon = DockerDaemon.here(wait_s=LOOK_S)
    answer = _answer(service, daemon)
    recorded = [one for one in service.store.workers.engines() if one.handle.kind == KIND]
    document = {"daemon": daemon.address, "problem": answer.problem, "remedy": answer.remedy}
    items = sorted(_items(answer.listed, daemon, recorded), key=lambda one: str(one["created_at"]))
    return json_response(CONTAINERS, document | {"items": items})


def _answer(service: Service, daemon: DockerDaemon) -> _Answer:
    silent = f"the Docker daemon at {daemon.address} does not answer yet"
    try:
        kept: AgedAnswer[ListedContainers] = service.containers.get(
            daemon.address,
            lambda: ListedContainers(
                daemon.facts().id, daemon.containers(stopped=True, label=LABEL)
            ),
        )
    except NoAnswerYetError:
        return _Answer(None, silent, _HANGS)
    except LaunchError as error:
        return _Answer(None, error.message, error.remedy)
    if kept.is_overdue:
        return _Answer(kept.value, f"{silent}; this is as of {kept.age_s:.0f} s ago", _HANGS)
    return _Answer(kept.value)


def _items(
    listed: ListedContainers | None, daemon: DockerDaemon, recorded: Sequence[KeptHandle]
) -> list[dict[str, Any]]:
    ours = {container_of(one.handle).name: one for one in recorded}
    if listed is None:
        return [
            _recorded(one, None if _names(one, daemon) else one.handle.host) for one in recorded
        ]
    # What the daemon does not list any more has ended, or was removed by hand.
    elsewhere = [one for one in recorded if container_of(one.handle).daemon_id != listed.daemon_id]
    return [
        *(_container(one, ours) for one in listed.containers),
        *(_recorded(one, one.handle.host) for one in elsewhere),
    ]


def _names(recorded: KeptHandle, daemon: DockerDaemon) -> bool:
    """Whether a record names the daemon that is asked, as far as that is known without it."""
    is_of_each_machine = daemon.is_here and recorded.handle.host != this_machine().host
    return container_of(recorded.handle).address == daemon.address and not is_of_each_machine


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


def _recorded(kept: KeptHandle, host: str | None) -> dict[str, Any]:
    return {
        "name": container_of(kept.handle).name,
        "image": None,
        "task_id": kept.task_id,
        "host": host,
        "state": None,
        "created_at": kept.started_at,
    }
