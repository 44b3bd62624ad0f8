"""Handlers that turn errors of requests into problem details, wherever they are raised."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from autotuner.config import problems_in
from autotuner.errors import AutotunerError, Problem
from autotuner.server.problems import (
    ProblemError,
    ProblemKind,
    kind_of_status,
    problem_of,
    problem_response,
)
from autotuner.server.security.middleware import refuse

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_BODY = "body"
_log = logging.getLogger(__name__)


def add_error_handlers(app: FastAPI) -> None:
    """Registers a handler for every error; an unexpected one reveals nothing of itself."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(AutotunerError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_unexpected_error)
    app.add_exception_handler(WebSocketRequestValidationError, _no_such_socket)
    # The framework closes a socket of an unknown path without a word; this comes after all others.
    app.router.add_websocket_route("/{path:path}", _nothing_at_socket)


def faults_of(errors: Iterable[Mapping[str, Any]]) -> tuple[ProblemKind, tuple[Problem, ...]]:
    """Faults that a validation found: those of the body, else those of the parameters.

    A parameter's path begins with where it stands: `query.limit`, `path.task_id`.
    """
    found = list(errors)
    in_body = [
        {**error, "loc": _in_document(error["loc"])} for error in found if error["loc"][0] == _BODY
    ]
    if in_body:
        return ProblemKind.INVALID_BODY, problems_in(in_body)
    return ProblemKind.INVALID_PARAMETER, problems_in(found)


def _in_document(place: tuple[Any, ...]) -> tuple[Any, ...]:
    """A place in the document; a lone number is the position where JSON parsing failed."""
    return () if len(place) == 2 and isinstance(place[1], int) else place[1:]


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for it alone
    return problem_response(error, request.url.path)


async def _on_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AutotunerError)  # noqa: S101 - registered for it alone
    problem = problem_of(error)
    if problem.kind is ProblemKind.UNAVAILABLE:
        request.app.state.metrics.database_errors.inc()
    return problem_response(problem, request.url.path)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    kind, faults = faults_of(error.errors())
    detail = str(faults[0]) if len(faults) == 1 else f"{len(faults)} faults; see errors"
    return problem_response(ProblemError(kind, detail, errors=faults), request.url.path)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    headers = dict(error.headers or {})
    detail = error.detail
    if error.status_code == 404:
        detail = f"there is nothing at {request.url.path}"
    if error.status_code == 405:
        headers["Allow"] = ", ".join(allowed_methods(request))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        detail = f"{request.url.path} does not accept {request.method}"
    refused = ProblemError(kind_of_status(error.status_code), detail, headers=headers)
    return problem_response(refused, request.url.path)


async def _nothing_at_socket(socket: WebSocket) -> None:
    nothing = ProblemError(
        ProblemKind.NOT_FOUND, f"there is no WebSocket at {socket.scope['path']}"
    )
    await refuse(nothing, socket.scope, socket.receive, socket.send)


async def _no_such_socket(socket: WebSocket, _error: Exception) -> None:
    await _nothing_at_socket(socket)


async def _on_unexpected_error(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    refused = ProblemError(ProblemKind.INTERNAL, "see the service's log")
    return problem_response(refused, request.url.path)


def allowed_methods(request: Request) -> tuple[str, ...]:
    """Methods that the address of a request accepts; the framework names those of one route."""
    routes = request.app.router.routes

    def accepts(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in routes)

    return tuple(method for method in _METHODS if accepts(method))
