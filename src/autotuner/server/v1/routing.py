"""Common parts of v1's routes: strict JSON in, plain JSON out, errors as `{"detail": ...}`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from autotuner.errors import AutotunerError, ConfigError
from autotuner.server.problems import ProblemError, problem_of
from autotuner.server.service import Service, service_of
from autotuner.server.v2.routing import JsonRequest, document_of

MOST_ID = 2**31 - 1
"""The largest number of a row on both databases."""
ServiceDep = Annotated[Service, Depends(service_of)]
Id = Annotated[int, Path(), AfterValidator(lambda row: row if abs(row) <= MOST_ID else _NO_ROW)]
"""Number of a row; v1 took any, of which those that no database can hold have none."""
_NO_ROW = -1
_JSON = "application/json"
TAG = "v1"
"""Tag of v1's operations in the OpenAPI document."""


class V1ErrorView(BaseModel):
    """Error of v1."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    detail: Any
    """Text; of a body or parameters that are not valid, a list of faults with `loc` and `msg`."""


_ERRORS = {
    400: "What is asked for cannot be done, or the request is not well-formed.",
    401: "The token is not valid, or one is needed.",
    403: "The token's scope, the operator's policy or the page's origin forbids it.",
    404: "There is no such row.",
    409: "The name is taken.",
    413: "The body is too large.",
    421: "The service does not answer to this host name.",
    422: "The body or a parameter is not valid.",
    429: "Too many requests.",
    500: "A defect of the service.",
    503: "The database, the Docker daemon or the cluster cannot be reached.",
}
"""Status -> its meaning on v1's routes."""


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
                    request.document = await run_in_threadpool(_read, body)
                return await inner(request)
            except RequestValidationError as error:
                return refused(422, _json_of(error.errors()))
            except HTTPException as error:
                return refused(error.status_code, error.detail)
            except ProblemError as error:
                return refused(error.kind.status, error.detail)
            except AutotunerError as error:
                return _on_domain_error(error)

        return handle


def v1_router(prefix: str) -> APIRouter:
    """Router of v1: `prefix` follows `/api`."""
    return APIRouter(
        prefix=prefix,
        tags=[TAG],
        route_class=V1Route,
        responses={
            status: {"description": text, "model": V1ErrorView} for status, text in _ERRORS.items()
        },
        generate_unique_id_function=lambda route: f"{TAG}_{route.name}",
    )


def refused(status: int, detail: Any) -> JSONResponse:
    """Error response in v1's form."""
    return json_response({"detail": detail}, status)


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


def no_content() -> Response:
    """Response 204, with the header that v1 gave it too."""
    return Response(status_code=204, media_type=_JSON)


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


def _read(body: bytes) -> Any:
    """The document in a body.

    Raises:
        RequestValidationError: it is not JSON, or holds what cannot be stored.
    """
    try:
        return document_of(body)
    except ProblemError as error:
        raise RequestValidationError([_fault_of(body, error.detail)]) from None


def _fault_of(body: bytes, reason: str) -> dict[str, Any]:
    """Fault of a body that cannot be read; as v1 described it where the body is not JSON."""
    try:
        json.loads(body)
    except json.JSONDecodeError as error:
        found = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error"}
        return {**found, "input": {}, "ctx": {"error": error.msg}}
    except (ValueError, RecursionError):
        pass  # `reason` has it
    return {"type": "value_error", "loc": ("body",), "msg": reason, "input": {}}


def _json_of(faults: Any) -> Any:
    """Faults of a validation as JSON has them; bytes among them need not be text."""
    as_text = {bytes: lambda given: given.decode(errors="replace")}
    return jsonable_encoder(faults, custom_encoder=as_text)
