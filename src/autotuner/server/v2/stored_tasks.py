"""Policy for a stored task that is read again to answer a question: nothing of it is launched.

Paths of a task from the command line are judged by where they lead. The table that it replayed may
be read again wherever it lies, as long as it is the one whose checksum was recorded: the machine's
own user named it, and all that is read was read before.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from autotuner.config import TaskConfig
from autotuner.server.service import Service
from autotuner.store import TaskRecord
from autotuner.store.transitions import COMMAND_LINE
from autotuner.tuning.prepare import Prepared
from autotuner.workers.policy import Policy
from autotuner.workers.violations import require_allowed, require_allowed_resolved


def base_of(service: Service, record: TaskRecord) -> Path:
    """The folder from which relative paths of a stored task count."""
    return Path(record.base) if record.base else service.base


def require_allowed_again(service: Service, record: TaskRecord, task: TaskConfig) -> None:
    """Lets a stored task pass of which nothing is read that the operator does not allow.

    Raises:
        PolicyError: with everything that is not allowed.
    """
    base = base_of(service, record)
    judged = _judged(record, task)
    policy = _policy(service, record, judged)
    require_allowed(judged, policy, base=base, source=f"task {record.id}")


def require_allowed_as_resolved(service: Service, record: TaskRecord, prepared: Prepared) -> None:
    """The same for what it has become: profiles and the machine's own values may have added what
    its document does not say.

    Raises:
        PolicyError: with everything that is not allowed.
    """
    base = base_of(service, record)
    judged = replace(prepared, task=_judged(record, prepared.task))
    policy = _policy(service, record, judged.task)
    require_allowed_resolved(judged, policy, base=base, source=f"task {record.id}")


def _is_of_command_line(record: TaskRecord) -> bool:
    """Whether the command line wrote its document, and its folder is known."""
    return record.origin == COMMAND_LINE and record.base is not None


def _judged(record: TaskRecord, task: TaskConfig) -> TaskConfig:
    """The task with full paths in place of relative ones, where the command line wrote them."""
    if not _is_of_command_line(record):
        return task
    base = Path(record.base or "")
    changes: dict[str, Any] = {}
    if task.replay is not None:
        landscape = _full(task.replay.landscape, base)
        changes["replay"] = task.replay.model_copy(update={"landscape": landscape})
    if task.model.path is not None:
        changes["model"] = task.model.model_copy(update={"path": _full(task.model.path, base)})
    return task.model_copy(update=changes)


def _full(written: str, base: Path) -> str:
    try:
        path = Path(written).expanduser()
        return str(path if path.is_absolute() else (base / path).resolve())
    except (OSError, RuntimeError, ValueError):
        # Judged as it is written, which refuses what leads nowhere.
        return written


def _policy(service: Service, record: TaskRecord, judged: TaskConfig) -> Policy:
    policy, replay = service.policy, judged.replay
    if not _is_of_command_line(record) or replay is None or replay.sha256 is None:
        return policy
    roots = (*policy.landscape_roots, Path(replay.landscape))
    return policy.model_copy(update={"landscape_roots": roots})
