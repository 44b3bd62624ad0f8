"""Remedy for each kind of failure, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from autotuner.engines.spec import FailureKind

NOT_ITS_OWN = frozenset({FailureKind.PORT_TAKEN, FailureKind.MACHINE_LOST})
"""Failures that are no property of a candidate: nobody learns from them."""

REMEDIES: Mapping[FailureKind, str] = {
    FailureKind.OUT_OF_MEMORY: "Lower the running requests, the context length or the share of "
    "memory, quantise the KV cache, or spread the model over more GPUs.",
    FailureKind.UNKNOWN_FLAG: "The installed engine does not know a flag. Set the engine's version "
    "in the task, or remove the flag from the extra arguments.",
    FailureKind.MODEL_LOAD: "Check that the model's path and format are right for this engine, and "
    "that its files are whole.",
    FailureKind.PORT_TAKEN: "End what listens there, then resume the task.",
    FailureKind.BAD_SETTING: "The engine names the setting in its log. Remove that value from the "
    "axes.",
    FailureKind.DIED_LOADING: "Its log has the cause in its last lines. Run the command by hand "
    "to see it again.",
    FailureKind.DIED_UNDER_LOAD: "Lower the highest load level or the running requests. Its log "
    "has the cause in its last lines.",
    FailureKind.NOT_READY: "Raise benchmark.ready_timeout_s, or check in the log what the engine "
    "waits for.",
    FailureKind.LOAD_ERRORS: "The engine answered with errors at every level. Its log and the "
    "errors of the levels tell which.",
    FailureKind.MACHINE_LOST: "See in its log whether the launch ends its machine, and exclude its "
    "settings if so; else run the task anew on machines that stay.",
}
"""Sentences; the message of a failure itself has the values."""
