"""Common parts of API v2's routes: JSON bodies, problems in the OpenAPI, bounded ids."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    TypeAdapter,
)
from starlette.concurrency import run_in_threadpool
from starlette.convertors import PathConvertor, register_url_convertor

from autotuner.config import DocumentError, parse_document
from autotuner.errors import Problem
from autotuner.server.problems import MEDIA_TYPE, ProblemError, ProblemKind
from autotuner.server.service import Service, service_of
from autotuner.server.v2.conditional_requests import KEY_HEADER, respond_once

MOST_ID = 2**31 - 1
"""The largest number of a row on both databases."""
_DEEPEST = 64
"""Nested lists and mappings in a body; a task has six levels."""
_LARGEST = 2**63 - 1
"""Largest integer that every JSON reader, database and float can represent."""
_JSON_TYPE = "application/json"
_JSON = re.compile(r"application/(json|[\w.+-]+\+json)\s*(;.*)?", re.IGNORECASE)
_FORM = re.compile(r"multipart/form-data\s*;.*", re.IGNORECASE)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that no database can store: NUL, and lone surrogates."""
TaskId = Annotated[int, Path(ge=1, le=MOST_ID, description="The task's number.")]
ServiceDep = Annotated[Service, Depends(service_of)]
"""Service, as a handler's argument."""


class NameConvertor(PathConvertor):
    """Convertor `name` of a path's last part: it may hold a `/`, and is not empty.

    With `path`, which may be empty, the list `/tokens/` would have the methods of one token too.
    """

    regex = ".+"


register_url_convertor("name", NameConvertor())


class View(BaseModel):
    """Base of the models of answers."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class FaultView(BaseModel):
    """One fault of a body or of the parameters."""

    path: str
    """Dotted: `optimization.budget.minutes`, `query.limit`; empty for the whole."""
    message: str


class ProblemView(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    type: str
    """The kind: `/problems/<kind>`; independent of the detail."""
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FaultView] | None = None


def problems(*kinds: ProblemKind) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: its problems, by status."""
    by_status: dict[int | str, list[str]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(f"`{kind.slug}`: {kind.title}")
    return {
        status: {
            "description": "; ".join(titles),
            "content": {MEDIA_TYPE: {}},
            "model": ProblemView,
        }
        for status, titles in by_status.items()
    }


ANYWHERE = problems(
    ProblemKind.BAD_REQUEST,
    ProblemKind.UNAUTHORIZED,
    ProblemKind.FORBIDDEN,
    ProblemKind.WRONG_ORIGIN,
    ProblemKind.WRONG_HOST,
    ProblemKind.INVALID_PARAMETER,
    ProblemKind.RATE_LIMITED,
    ProblemKind.INTERNAL,
    ProblemKind.UNAVAILABLE,
)
"""Problems of any request."""
WITH_BODY = problems(
    ProblemKind.INVALID_BODY,
    ProblemKind.BODY_TOO_LARGE,
    ProblemKind.UNSUPPORTED_MEDIA_TYPE,
)
"""Problems of a request with a body."""


class JsonRequest(Request):
    """Request whose JSON body has been parsed: see `document_of`."""

    document: Any = None

    async def json(self) -> Any:
        """The document in its body."""
        return self.document


class Route(APIRoute):
    """Route of API v2, whose body is checked for its media type and parsed once, strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Framework's handler behind the checks of bodies and Idempotency-Keys."""
        inner = super().get_route_handler()
        field = self.body_field
        media = getattr(field.field_info, "media_type", _JSON_TYPE) if field else None
        keyed = any(header.alias == KEY_HEADER for header in self.dependant.header_params)
        if media is None and not keyed:
            return inner

        async def handle(given: Request) -> Response:
            request = JsonRequest(given.scope, given.receive)
            if media is not None:
                _require_type(request, media)
            if media == _JSON_TYPE and (body := await request.body()):
                request.document = await run_in_threadpool(document_of, body)
            return await (respond_once(request, inner) if keyed else inner(request))

        return handle


def _require_type(request: Request, media: str) -> None:
    given = request.headers.get("content-type", "")
    has_body = request.headers.get("content-length", "") not in ("", "0") or (
        "transfer-encoding" in request.headers
    )
    fits = _FORM if media.startswith("multipart/") else _JSON
    if has_body and not fits.fullmatch(given.strip()):
        raise ProblemError(
            ProblemKind.UNSUPPORTED_MEDIA_TYPE,
            f"the body has the type {given!r}; send {media}"
            if given
            else f"send the body as {media}",
        )


def document_of(body: bytes) -> Any:
    """JSON document in a body.

    Raises:
        ProblemError: it is not JSON, repeats a key, or holds a value that cannot be stored.
    """
    try:
        document = parse_document(body.decode("utf-8"), is_json=True)
    except UnicodeDecodeError as error:
        raise _invalid("", f"is not UTF-8 (byte {error.start})") from None
    except DocumentError as error:
        raise _invalid("", str(error)) from None
    require_storable(document)
    return document


def require_storable(document: Any) -> None:
    """Lets a document pass that every database and every reader of JSON can hold.

    Raises:
        ProblemError: a NUL or a lone surrogate, a number that JSON has not or of more than 64 bits,
            or too many levels.
    """
    left: list[tuple[tuple[str, ...], Any]] = [((), document)]
    while left:
        place, value = left.pop()
        path = ".".join(place)
        if len(place) > _DEEPEST:
            raise _invalid("", f"is nested deeper than {_DEEPEST} levels")
        if isinstance(value, dict):
            for key, inner in value.items():
                if _UNSTORABLE.search(key):
                    raise _invalid(path, "has a key that contains a NUL or a lone surrogate")
                left.append(((*place, key), inner))
        elif isinstance(value, list):
            left += [((*place, str(index)), inner) for index, inner in enumerate(value)]
        elif isinstance(value, str) and _UNSTORABLE.search(value):
            raise _invalid(path, "contains a NUL or a lone surrogate")
        elif isinstance(value, float) and not math.isfinite(value):
            raise _invalid(path, "is not a finite number")
        elif isinstance(value, int) and not -_LARGEST - 1 <= value <= _LARGEST:
            raise _invalid(path, "has more than 64 bits")


def _invalid(path: str, message: str) -> ProblemError:
    fault = Problem(path, message)
    return ProblemError(ProblemKind.INVALID_BODY, str(fault), errors=[fault])


def is_storable(text: str) -> bool:
    """Whether every database can store a text."""
    return _UNSTORABLE.search(text) is None


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("contains a NUL or a lone surrogate")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Text of a parameter that can be used in a query of the database."""


def v2_router(prefix: str, tag: str) -> APIRouter:
    """Router of API v2: `prefix` follows `/api/v2`; operations are named after handlers."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=Route,
        responses=ANYWHERE,
        generate_unique_id_function=lambda route: route.name,
    )


def json_response(
    adapter: TypeAdapter[Any],
    document: Any,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Response with a document of the rows' own values, written by the type in the OpenAPI."""
    content = adapter.dump_json(adapter.validate_python(document))
    return Response(content, status, headers, media_type="application/json")


def merged(*given: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Several `problems(...)` as one; descriptions of the same status are joined."""
    found: dict[int | str, dict[str, Any]] = {}
    for responses in given:
        for status, response in responses.items():
            earlier = found.get(status)
            description = response["description"]
            if earlier is not None and description not in earlier["description"]:
                description = f"{earlier['description']}; {description}"
            found[status] = {**response, "description": description}
    return found
