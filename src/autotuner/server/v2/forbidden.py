"""What the operator does not allow, refused."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.config import TaskConfig
from autotuner.errors import Problem
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service


def refuse_forbidden(service: Service, task: TaskConfig) -> None:
    """Lets a task through that the operator allows.

    Raises:
        ProblemError: with everything that is not allowed.
    """
    refuse(service.violations(task))


def refuse(forbidden: Sequence[Problem]) -> None:
    """Raises a `ProblemError` where anything is forbidden."""
    if forbidden:
        count = len(forbidden)
        detail = str(forbidden[0]) if count == 1 else f"{count} things are refused; see errors"
        raise ProblemError(ProblemKind.POLICY_REFUSED, detail, errors=forbidden)
