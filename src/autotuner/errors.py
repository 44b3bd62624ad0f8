"""Tree of all errors that a user may see.

Each names what was wrong, where (field path, file, line), and the remedy. The command line prints
them in a line or two and exits with 2; any other exception is a defect.
"""

from __future__ import annotations

from dataclasses import dataclass


class AutotunerError(Exception):
    """Error that the user can act on.

    Args:
        message: what was wrong, with the offending value.
        remedy: what to do about it; empty where the message includes it.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


@dataclass(frozen=True)
class Problem:
    """Fault in a document: `path` is dotted (`parallel.tensor_parallel`), empty at the root."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(AutotunerError):
    """Invalid task document, with every problem found, not only the first."""

    def __init__(self, source: str, problems: tuple[Problem, ...], *, remedy: str = "") -> None:
        lines = "\n  ".join(str(problem) for problem in problems)
        super().__init__(f"{source}: {lines}" if source else lines, remedy=remedy)
        self.source = source
        self.problems = problems


class PolicyError(ConfigError):
    """Task that the policy of the service's operator forbids, with every violation."""


class CatalogError(AutotunerError):
    """A GPU that the catalog does not know."""


class ProfileError(AutotunerError):
    """A profile that is unknown, malformed, or refers to something that does not exist."""


class ModelError(AutotunerError):
    """A model that does not exist, cannot be read, or is not in the engine's format."""


class EngineError(AutotunerError):
    """An engine that is unknown, not installed, or cannot express a setting."""


class MeasureError(AutotunerError):
    """The load generator itself could not work."""


class LaunchError(AutotunerError):
    """The launcher itself could not work (no free port, log folder not writable)."""


class AddressError(AutotunerError):
    """An address that cannot be that of an engine, or that no client here serves."""


class NoAnswerError(AutotunerError):
    """A server that did not answer, or not in HTTP."""


class VerifyError(AutotunerError):
    """A file of predictions or measurements that cannot be read or compared."""


class LandscapeError(AutotunerError):
    """A recorded landscape that cannot be read or replayed."""


class MigrationError(AutotunerError):
    """A database that is none of version 1, cannot be read, or whose rows cannot be moved."""


class NoResultError(AutotunerError):
    """A task without what is asked of it: nothing is measured yet, or nothing came of it."""


class ExportError(AutotunerError):
    """An export that cannot be made: a point, format or version that is not there, or no image."""


class StoreError(AutotunerError):
    """The store cannot be opened or written: locked, read-only, full, or of another version."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached now; it may be back later."""


class StoreRefusedError(StoreUnavailableError):
    """The database answers, and does not let this user in: no retry of a start helps."""


class NotFoundError(StoreError):
    """No row of that number or name; it may have been deleted meanwhile."""


class NameTakenError(StoreError):
    """A row of that name exists already."""


class InUseError(StoreError):
    """Another process holds a device or a task that only one may hold."""


class LeaseLostError(StoreError):
    """Another worker has taken over the task: this one may write nothing more of it."""


class WrongTransitionError(StoreError):
    """The status of a task does not allow an action.

    Args:
        status: status of the task.
        allowed: actions that the status allows.
        remedy: what to do; the allowed actions where left out.
    """

    def __init__(
        self, message: str, *, status: str, allowed: tuple[str, ...], remedy: str = ""
    ) -> None:
        actions = ", ".join(allowed) or "none"
        super().__init__(message, remedy=remedy or f"allowed actions: {actions}")
        self.status = status
        self.allowed = allowed


class StaleRevisionError(StoreError):
    """Change to an older revision than the stored one."""
