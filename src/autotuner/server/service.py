"""What the service's handlers are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fastapi.requests import HTTPConnection

from autotuner.config import Task
from autotuner.errors import Problem
from autotuner.store import Store


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Service:
    """The state of one service process: where things lie, and what its operator says.

    Attributes:
        store: the database that workers and the command line share.
        folder: the home folder: profiles, logs, reports.
        clock: tells the time that answers carry; decides nothing of a task.
    """

    store: Store
    folder: Path
    clock: Callable[[], datetime] = utc_now

    @property
    def base(self) -> Path:
        """The folder from which relative paths in tasks of the service count."""
        return self.folder / "models"

    def violations(self, task: Task) -> tuple[Problem, ...]:
        """What of a task the operator forbids."""
        return ()

    @property
    def logs(self) -> Path:
        """The folder under which engines write their logs."""
        return self.folder / "logs"


def service_of(connection: HTTPConnection) -> Service:
    """The service that answers a request: `Annotated[Service, Depends(service_of)]`."""
    found: Service = connection.app.state.service
    return found
