"""Common parts of v1's routes: strict JSON in, plain JSON out, errors as `{"detail": ...}`."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from autotuner.errors import AutotunerError, ConfigError
from autotuner.server.problems import ProblemError, problem_of
from autotuner.server.service import Service, service_of
from autotuner.server.v2.routing import JsonRequest, document_of

MOST_ID = 2**31 - 1
"""The largest number of a row on both databases."""
ServiceDep = Annotated[Service, Depends(service_of)]
Id = Annotated[int, Path(ge=-MOST_ID, le=MOST_ID)]
_JSON = "application/json"


class V1Route(APIRoute):
    """Route of v1, with errors in v1's form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, with the body read strictly and errors in v1's form."""
        inner = super().get_route_handler()
        reads_json = self.body_field is not None and (
            getattr(self.body_field.field_info, "media_type", _JSON) == _JSON
        )

        async def handle(given: Request) -> Response:
            request = JsonRequest(given.scope, given.receive)
            try:
                if reads_json and (body := await request.body()):
                    request.document = await run_in_threadpool(document_of, body)
                return await inner(request)
            except RequestValidationError as error:
                faults = jsonable_encoder(error.errors(), exclude={"ctx", "url"})
                return refused(422, [_without_input(fault) for fault in faults])
            except HTTPException as error:
                return refused(error.status_code, error.detail)
            except ProblemError as error:
                return refused(error.kind.status, error.detail)
            except AutotunerError as error:
                return _on_domain_error(error)

        return handle


def v1_router(prefix: str) -> APIRouter:
    """Router of v1; not part of the OpenAPI document, which describes v2."""
    return APIRouter(prefix=prefix, route_class=V1Route, include_in_schema=False)


def refused(status: int, detail: Any) -> JSONResponse:
    """Error response in v1's form."""
    return JSONResponse({"detail": detail}, status_code=status)


def bad_request(detail: Any) -> HTTPException:
    """Error 400, to be raised."""
    return HTTPException(400, detail)


def not_found(what: str) -> HTTPException:
    """Error 404, to be raised."""
    return HTTPException(404, f"{what} not found")


def plain(value: Any) -> Any:
    """Value as JSON has it: times with a Z, null for numbers that JSON lacks."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_response(
    value: Any, status: int = 200, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Response with a value as JSON."""
    return JSONResponse(plain(value), status_code=status, headers=headers)


def _on_domain_error(error: AutotunerError) -> JSONResponse:
    """Response to an error of the rooms below: v1 answered 400 to whatever could not be done."""
    status = problem_of(error).kind.status
    detail = "; ".join(map(str, error.problems)) if isinstance(error, ConfigError) else str(error)
    return refused(400 if status in (409, 422) else status, detail)


def _without_input(fault: Any) -> Any:
    """Validation error without the input, which may be long."""
    return {key: value for key, value in fault.items() if key not in ("input", "ctx", "url")}
