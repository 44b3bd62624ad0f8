"""The predecessor's API under `/api`: its paths, bodies, answers and status codes.

In: v1's requests. Out: v1's answers; its tasks run as v2 tasks, by the same workers.
"""

from autotuner.server.v1.routes import v1_router

__all__ = ["v1_router"]
