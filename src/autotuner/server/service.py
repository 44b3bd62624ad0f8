"""Service object: the state that handlers receive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from fastapi.requests import HTTPConnection

from autotuner.cluster.overview import NodeState
from autotuner.config import Model, TaskConfig
from autotuner.errors import Problem, StoreError
from autotuner.launch import LauncherState
from autotuner.launch.processes import this_machine
from autotuner.server.kept_answers import KeptAnswers
from autotuner.server.liveness import Liveness
from autotuner.server.settings import ServiceSettings
from autotuner.server.subscribers import Subscribers
from autotuner.server.task_forecasts import TaskForecasts
from autotuner.server.usage_history import UsageHistory
from autotuner.server.worker_usage import WorkerUsage
from autotuner.store import Store
from autotuner.store.browser_sessions import BrowserSessions
from autotuner.store.maintenance import known_workers
from autotuner.store.tokens import Tokens
from autotuner.tuning.task_points import PointReader
from autotuner.workers.machine import MachineUsage
from autotuner.workers.policy import Policy
from autotuner.workers.violations import violations


def utc_now() -> datetime:
    """Current time in UTC."""
    return datetime.now(UTC)


class ListedContainers(NamedTuple):
    """Containers of tasks, as their daemon describes them."""

    daemon_id: str
    containers: list[dict[str, Any]]


@dataclass(frozen=True)
class Service:
    """State of one service process: database, home folder, settings of the operator.

    Attributes:
        store: the database that workers and the command line share.
        folder: the home folder: profiles, logs, reports.
        settings: configuration by the operator.
        clock: time for responses; decides nothing of a task.
        liveness: heartbeats of workers, as this process has seen them.
        points: operating points of tasks, as this process has read them.
        forecasts: predictions of tasks, as this process has made them.
        subscribers: sockets of v1's clients that this process has open.
        usage: how busy the machines were while this process ran.
        worker_usage: readings of workers' machines, as this process has seen them arrive.
        launchers: where engines can run, by the launchers' names.
        containers: our containers, by the address of their daemon.
        clusters: nodes of Ray clusters, by their addresses.
    """

    store: Store
    folder: Path
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    clock: Callable[[], datetime] = utc_now
    liveness: Liveness = field(default_factory=Liveness)
    points: PointReader = field(default_factory=PointReader)
    forecasts: TaskForecasts = field(default_factory=TaskForecasts)
    subscribers: Subscribers = field(default_factory=Subscribers)
    usage: UsageHistory = field(default_factory=UsageHistory)
    worker_usage: WorkerUsage = field(default_factory=WorkerUsage)
    launchers: KeptAnswers[LauncherState] = field(
        default_factory=lambda: KeptAnswers(10.0, max_wait_s=4.0)
    )
    containers: KeptAnswers[ListedContainers] = field(
        default_factory=lambda: KeptAnswers(3.0, max_wait_s=3.0)
    )
    clusters: KeptAnswers[tuple[NodeState, ...]] = field(
        default_factory=lambda: KeptAnswers(60.0, max_wait_s=8.0)
    )

    @property
    def base(self) -> Path:
        """Folder that relative paths in tasks of the service start from: `models/a.gguf`."""
        return self.folder

    def violations(self, task: TaskConfig) -> tuple[Problem, ...]:
        """Violations of the operator's policy in a task."""
        return violations(task, self.policy, base=self.base)

    def violations_of_model(self, model: Model) -> tuple[Problem, ...]:
        """Violations of the operator's policy in a model alone. One that has any is not opened: it
        may lie outside the allowed folders."""
        asking = TaskConfig(version=2, name="model", model=model)
        return tuple(one for one in self.violations(asking) if one.path.startswith("model."))

    @property
    def policy(self) -> Policy:
        """Policy for what tasks may launch, with the folders of this home."""
        return self.settings.policy.at(self.folder)

    @property
    def tokens(self) -> Tokens:
        """The tokens of the API."""
        return Tokens(self.store.sessions)

    @property
    def browser_sessions(self) -> BrowserSessions:
        """The browsers that are signed in."""
        return BrowserSessions(self.store.sessions, self.tokens)

    def usage_of_others(self) -> dict[str, MachineUsage]:
        """Host -> how busy it is, of the machines of workers but this one whose heartbeats arrive;
        empty without the database. Each call counts as a sample."""
        try:
            workers = known_workers(self.store.sessions)
        except StoreError:
            return {}
        return self.worker_usage.of_others(workers, here=this_machine().host)

    @property
    def logs(self) -> Path:
        """The folder under which engines write their logs."""
        return self.folder / "logs"


async def service_of(connection: HTTPConnection) -> Service:
    """Service that answers a request: `Annotated[Service, Depends(service_of)]`.

    A coroutine, because the framework runs a plain function in a thread.
    """
    found: Service = connection.app.state.service
    return found
