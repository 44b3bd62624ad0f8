"""`/system/launchers`: where engines can run from the service's machine."""

from __future__ import annotations

from dataclasses import asdict

from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.config.extensions import LAUNCHERS
from autotuner.launch import LauncherState, launcher_state
from autotuner.server.kept_answers import NoAnswerYetError
from autotuner.server.service import Service
from autotuner.server.v2.routing import ServiceDep, View, json_response, v2_router

router = v2_router("/system", "system")


class LauncherView(View):
    """A launcher, which starts engines, on the service's machine."""

    name: str
    """As `deployment_mode` of a task names it."""
    available: bool
    """Whether engines can be started there now; a worker elsewhere may differ."""
    allowed: bool
    """Whether the operator's policy lets tasks name it."""
    about: str
    """Place where engines run, in words; empty where it is not available or not described."""
    problem: str
    """Reason why it is not available; empty where it is."""
    remedy: str
    """Remedy for `problem`."""


class LauncherList(View):
    """Launchers that a task may name."""

    items: list[LauncherView]


LAUNCHER_LIST: TypeAdapter[LauncherList] = TypeAdapter(LauncherList)


@router.get("/launchers", response_model=LauncherList)
def list_launchers(service: ServiceDep) -> Response:
    """Lists where engines can run, and what is missing where they cannot."""
    allowed = service.settings.policy.deployment_modes
    rows = [
        {**asdict(state), "available": not state.problem, "allowed": state.name in allowed}
        for state in (_state(service, name) for name in LAUNCHERS)
    ]
    return json_response(LAUNCHER_LIST, {"items": rows})


def _state(service: Service, name: str) -> LauncherState:
    try:
        return service.launchers.get(name, lambda: launcher_state(name)).value
    except NoAnswerYetError:
        return LauncherState(
            name,
            problem="what it launches on does not answer yet",
            remedy="where it goes on, `autotuner doctor` says what is missing",
        )
