"""The one tree of errors that a user may see.

Each says what was wrong, where (field path, file, line), and what to do. The command line
prints them in a line or two and exits with 2; anything outside this tree is a defect.
"""

from __future__ import annotations

from dataclasses import dataclass


class AutotunerError(Exception):
    """A problem the user can act on.

    Args:
        message: what was wrong, with the offending value.
        remedy: what to do about it; empty where the message says it.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


@dataclass(frozen=True)
class Problem:
    """One fault in a document: `path` is dotted (`parallel.tensor_parallel`), empty at the root."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(AutotunerError):
    """A task document that cannot be used; carries every problem found, not only the first."""

    def __init__(self, source: str, problems: tuple[Problem, ...], *, remedy: str = "") -> None:
        lines = "\n  ".join(str(problem) for problem in problems)
        super().__init__(f"{source}: {lines}" if source else lines, remedy=remedy)
        self.source = source
        self.problems = problems


class PolicyError(ConfigError):
    """A task that asks for what the operator of the service does not allow; tells everything."""


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


class StoreError(AutotunerError):
    """The store cannot be opened or written: locked, read-only, full, or of another version."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached now; it may be back later."""


class NotFoundError(StoreError):
    """There is nothing of that number or name; it may have been deleted this moment."""


class NameTakenError(StoreError):
    """Something of that name is kept already."""


class InUseError(StoreError):
    """Another process has what only one may have: a device, or a task."""


class LeaseLostError(StoreError):
    """Another worker has taken the task over: nothing more of it may be written here."""


class WrongTransitionError(StoreError):
    """A task is in a state in which it cannot do what is asked.

    Args:
        status: the state that it is in.
        allowed: what can be asked of it in that state.
    """

    def __init__(self, message: str, *, status: str, allowed: tuple[str, ...]) -> None:
        told = ", ".join(allowed) or "nothing"
        super().__init__(message, remedy=f"what can be asked of it now: {told}")
        self.status = status
        self.allowed = allowed


class StaleRevisionError(StoreError):
    """A change was made to an older revision than the one that is stored."""
