"""What the service's handlers are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fastapi.requests import HTTPConnection

from autotuner.config import TaskConfig
from autotuner.errors import Problem
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store
from autotuner.store.tokens import Tokens
from autotuner.workers.policy import Policy
from autotuner.workers.violations import violations


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Service:
    """The state of one service process: where things lie, and what its operator says.

    Attributes:
        store: the database that workers and the command line share.
        folder: the home folder: profiles, logs, reports.
        settings: what the operator says of the service.
        clock: tells the time that answers carry; decides nothing of a task.
    """

    store: Store
    folder: Path
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    clock: Callable[[], datetime] = utc_now

    @property
    def base(self) -> Path:
        """The folder from which relative paths in tasks of the service count: `models/a.gguf`."""
        return self.folder

    def violations(self, task: TaskConfig) -> tuple[Problem, ...]:
        """What of a task the operator forbids."""
        return violations(task, self.policy, base=self.base)

    @property
    def policy(self) -> Policy:
        """What tasks may launch, with the folders of this home."""
        return self.settings.policy.at(self.folder)

    @property
    def tokens(self) -> Tokens:
        """The tokens of the API."""
        return Tokens(self.store.sessions)

    @property
    def logs(self) -> Path:
        """The folder under which engines write their logs."""
        return self.folder / "logs"


async def service_of(connection: HTTPConnection) -> Service:
    """The service that answers a request: `Annotated[Service, Depends(service_of)]`.

    A coroutine, for the framework calls a plain function in a thread of its own.
    """
    found: Service = connection.app.state.service
    return found
