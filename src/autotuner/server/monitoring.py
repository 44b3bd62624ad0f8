"""Metrics for Prometheus, and the routes `/healthz`, `/readyz`, `/metrics`.

No label grows with use: routes are named by their template, what has none is `none`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autotuner import __version__
from autotuner.errors import StoreError
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.routing import ServiceDep, View, v2_router
from autotuner.store.maintenance import database_state, figures, known_workers
from autotuner.store.transitions import STATUSES

EXPERIMENT_STATUSES = ("running", "completed", "failed", "interrupted")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER, _NONE = "other", "none"
_BOUNDS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
router = v2_router("", "operations")


# Each would double its series with the time of its creation.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """Metrics of one application, in a registry of its own."""

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "autotuner_http_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "autotuner_http_request_seconds",
            "Time from a request to the first byte of its response.",
            ("route", "method"),
            buckets=_BOUNDS_S,
            registry=self.registry,
        )
        self.sse_clients = Gauge(
            "autotuner_sse_clients", "Open streams of events and logs.", registry=self.registry
        )
        self.database_errors = Counter(
            "autotuner_database_errors",
            "Requests that failed because of the database.",
            registry=self.registry,
        )
        Info("autotuner_build", "Version of the running service.", registry=self.registry).info(
            {"version": __version__}
        )
        self.registry.register(_FromDatabase(service))
        self.of = functools.cache(self._labelled)

    def _labelled(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        """Count and times of the requests with these labels, which are few."""
        return (
            self.requests.labels(route, method, str(status)),
            self.seconds.labels(route, method),
        )

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class Metered:
    """Middleware that counts and times requests; the outermost one."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, metrics = time.perf_counter(), self._metrics
        streaming = False

        async def watched(message: Message) -> None:
            nonlocal streaming
            if message["type"] == "http.response.start":
                _count(metrics, scope, message["status"], time.perf_counter() - began_s)
                if _is_stream(message):
                    streaming = True
                    metrics.sse_clients.inc()
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            # The framework answers further out, where this cannot see it.
            _count(metrics, scope, 500, time.perf_counter() - began_s)
            raise
        finally:
            if streaming:
                metrics.sse_clients.dec()


def _count(metrics: Metrics, scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else _OTHER
    requests, times = metrics.of(_template(scope), method, status)
    requests.inc()
    times.observe(seconds)


def _template(scope: Scope) -> str:
    """Full template of the route that answered; a route itself knows only its part."""
    whole = scope.get("fastapi", {}).get("effective_route_context")
    return str(getattr(whole or scope.get("route"), "path_format", _NONE))


def _is_stream(message: Message) -> bool:
    return any(
        name == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in message["headers"]
    )


class _FromDatabase(Collector):
    """Metrics read from the database; without it, only that it is down."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> list[Any]:
        """Empty: the database is read only when Prometheus scrapes."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Current values."""
        sessions = self._service.store.sessions
        up = GaugeMetricFamily("autotuner_database_up", "1 if the database answers, else 0.")
        try:
            found, workers = figures(sessions), known_workers(sessions)
        except StoreError:
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield up
        yield _by_status("autotuner_tasks", "Tasks by status.", STATUSES, found.tasks)
        yield _by_status(
            "autotuner_experiments",
            "Experiments by status.",
            EXPERIMENT_STATUSES,
            found.experiments,
        )
        alive = len(self._service.liveness.alive(workers))
        yield _gauge("autotuner_workers_alive", "Workers that are alive.", alive)
        busy = sum(worker.task_id is not None for worker in workers)
        yield _gauge("autotuner_workers_busy", "Workers that have a task.", busy)
        oldest = found.oldest_queued_at
        waited_s = 0.0 if oldest is None else (self._service.clock() - oldest).total_seconds()
        yield _gauge(
            "autotuner_queue_oldest_seconds",
            "Waiting time of the oldest queued task.",
            max(waited_s, 0.0),
        )


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning)
    family.add_metric((), value)
    return family


def _by_status(
    name: str, meaning: str, statuses: tuple[str, ...], counts: Any
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=("status",))
    for status in statuses:
        family.add_metric((status,), counts.get(status, 0))
    return family


class Health(View):
    """Status of a healthy service."""

    status: Literal["ok"] = "ok"


def metrics_of(request: Request) -> Metrics:
    """Metrics of the application that serves a request."""
    found: Metrics = request.app.state.metrics
    return found


@router.get("/healthz")
async def healthz() -> Health:
    """Answers while the process is alive; checks nothing else."""
    return Health()


@router.get("/readyz")
def readyz(service: ServiceDep) -> Health:
    """Checks that requests can be served: the database answers and has the newest schema."""
    state = database_state(service.store.sessions)
    if not state.is_current:
        raise ProblemError(
            ProblemKind.UNAVAILABLE,
            f"the database has revision {state.revision}, and this version needs {state.newest}; "
            "start the version that upgraded it",
        )
    return Health()


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"description": "Prometheus' text format."}},
)
def get_metrics(metrics: Annotated[Metrics, Depends(metrics_of)]) -> Response:
    """Metrics for Prometheus."""
    return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
