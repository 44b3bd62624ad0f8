"""Engines as tables: which flag says which field, and how a failed start is recognised.

In: a `Candidate`. Out: a `LaunchSpec`, the exact command line. Knows nothing of search or storage.
"""

from autotuner.engines.spec import PORT, FailureKind, FailurePattern, LaunchSpec

__all__ = ["PORT", "FailureKind", "FailurePattern", "LaunchSpec"]
